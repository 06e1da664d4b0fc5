//! The folder of an evaluation: under another name beside it, until all is there.
//!
//! ```text
//! results, samples -> .OUT.partial/results.json, samples.parquet, report.html     of several checkpoints in step-*/, each once it is done
//!                  -> OUT/                                                        by rename
//! ```

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde::Serialize;
use system::{AtomicFile, sync_folder};

use super::{
    curves::{self, Curve},
    page,
    page_data::page_data,
    results::{self, Results},
    sample::Sample,
    samples_file::{self, SampleKey, to_parquet},
};
use crate::error::{Error, Result};

/// A folder that is written.
#[derive(Debug)]
pub struct OutFolder {
    path: PathBuf,
    partial: PathBuf,
    is_begun: bool,
}

impl OutFolder {
    /// A folder that is not there yet, or empty. Nothing is written.
    ///
    /// # Errors
    /// When it holds something, or its path ends in no name.
    pub fn new(path: &Path) -> Result<Self> {
        let fault = |message: &str| Error::Evaluation { what: path.display().to_string(), message: message.to_owned() };
        let absolute = std::path::absolute(path).map_err(Error::file("write", path))?;
        let name = absolute.file_name().ok_or_else(|| fault("it ends in no name; write the folder's name out"))?;
        let is_empty = || fs::read_dir(&absolute).is_ok_and(|mut entries| entries.next().is_none());
        if absolute.exists() && !is_empty() {
            return Err(fault("it holds something already; choose another --out"));
        }
        let partial = absolute.with_file_name(format!(".{}.partial", name.to_string_lossy()));
        Ok(Self { path: absolute, partial, is_begun: false })
    }

    /// Writes what was found of a model.
    ///
    /// - `step`: of which checkpoint, where there is a folder for each
    ///
    /// # Errors
    /// When the system refuses it.
    pub fn write(&mut self, step: Option<u64>, results: &Results, runs: &[(SampleKey, Vec<Sample>)]) -> Result<()> {
        if !self.is_begun {
            // what an evaluation left that did not come to its end
            if self.partial.exists() {
                fs::remove_dir_all(&self.partial).map_err(Error::file("remove", &self.partial))?;
            }
            fs::create_dir_all(&self.partial).map_err(Error::file("make the folder", &self.partial))?;
            self.is_begun = true;
        }
        let folder = step.map_or_else(|| self.partial.clone(), |step| self.partial.join(format!("step-{step:08}")));
        let samples: Vec<(SampleKey, &[Sample])> =
            runs.iter().map(|(key, samples)| (key.clone(), &samples[..])).collect();
        AtomicFile::write_whole(&folder.join(results::FILE), &json(results))?;
        AtomicFile::write_whole(&folder.join(samples_file::FILE), &to_parquet(&samples))?;
        AtomicFile::write_whole(&folder.join(page::FILE), page::html(&page_data(results, runs)).as_bytes())?;
        Ok(())
    }

    /// Gives the folder its name.
    ///
    /// - `curves`: scores by step, where there are several checkpoints
    ///
    /// # Errors
    /// When the system refuses it.
    pub fn publish(self, curves: Option<&[Curve]>) -> Result<()> {
        let Self { path, partial, .. } = self;
        if let Some(curves) = curves {
            AtomicFile::write_whole(&partial.join(curves::FILE), &json(&curves))?;
        }
        fs::rename(&partial, &path).map_err(Error::file("rename to", &path))?;
        sync_folder(path.parent().unwrap_or(Path::new("/")))?;
        Ok(())
    }
}

fn json(of: &impl Serialize) -> Vec<u8> {
    let mut json = serde_json::to_vec_pretty(of).expect("results are JSON");
    json.push(b'\n');
    json
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_has_a_name_and_nothing_in_it() {
        let folder = tempfile::tempdir().expect("the temporary folder can be written");
        let refused = |path: &Path| OutFolder::new(path).expect_err("it cannot be written").to_string();
        for path in ["/", "..", "out/.."] {
            assert!(refused(Path::new(path)).ends_with("it ends in no name; write the folder's name out"), "{path}");
        }
        fs::write(folder.path().join("file"), "").expect("it can be written");
        for path in [folder.path().to_owned(), folder.path().join("file")] {
            assert!(refused(&path).ends_with("it holds something already; choose another --out"), "{path:?}");
        }
        let within = OutFolder::new(&folder.path().join("new/")).expect("it is not there");
        assert_eq!(within.partial, folder.path().join(".new.partial"));
        // the folder that one stands in has a name, too
        let here = OutFolder::new(Path::new("./missing/.")).expect("it is not there");
        assert!(here.partial.is_absolute() && here.partial.ends_with(".missing.partial"));
    }
}
