//! Units of work, and the marks that say which of them are done.
//!
//! A unit is a stage and one of its inputs. When its outputs are published, a mark is, with the fingerprint of everything
//! that the outputs follow from. A unit whose mark has the same fingerprint, and whose outputs are still there, is not run
//! again. A crash loses what was in flight and nothing else.

use std::{
    fs,
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

use schemas::manifest::FileEntry;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::Xxh3;

use super::{hash_file, memory::peak_memory, write_whole};
use crate::error::{Error, Result};

/// A hash of everything that a unit's outputs follow from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// The hash, as 32 hexadecimal digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Of a stage and its settings, as JSON; the program's version is a part of it.
    pub fn of(stage: &str, settings: &impl Serialize) -> Self {
        let mut hasher = Xxh3::new();
        let settings = serde_json::to_vec(settings).expect("settings are JSON");
        for part in [env!("CARGO_PKG_VERSION").as_bytes(), stage.as_bytes(), &settings] {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        Self(format!("{:032x}", hasher.digest128()))
    }
}

/// An input as it was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    /// The file.
    pub path: PathBuf,
    /// Its size in bytes.
    pub bytes: u64,
    /// When it was last changed, in nanoseconds since 1970.
    pub modified: u128,
    /// SHA-256 of its bytes.
    pub sha256: String,
}

impl Stamp {
    /// Reads and hashes a file.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn of(path: &Path) -> Result<Self> {
        let (bytes, modified) = size_and_time(path)?;
        Ok(Self { path: path.to_owned(), bytes, modified, sha256: hash_file(path)?.sha256 })
    }

    /// Whether the file still has these bytes. It is read only when its size is the same and its time is not.
    fn holds(&self) -> bool {
        match size_and_time(&self.path) {
            Ok((bytes, _)) if bytes != self.bytes => false,
            Ok((_, modified)) if modified == self.modified => true,
            Ok(_) => hash_file(&self.path).is_ok_and(|now| now.sha256 == self.sha256),
            Err(_) => false,
        }
    }
}

fn size_and_time(path: &Path) -> Result<(u64, u128)> {
    let metadata = fs::metadata(path).map_err(Error::file("read", path))?;
    let modified = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    Ok((metadata.len(), modified.map_or(0, |time| time.as_nanos())))
}

/// What is known of a unit that is done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Mark {
    /// What the outputs follow from, but for the input file.
    pub fingerprint: Fingerprint,
    /// The file from outside that was read, if one was.
    pub input: Option<Stamp>,
    /// The files that were written, by path within the output folder.
    pub outputs: Vec<FileEntry>,
    /// How long it took. For the report; no output depends on it.
    pub seconds: f64,
}

/// A unit that is done, as its mark says, and what was measured when it ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Done {
    /// The stage.
    pub stage: String,
    /// The unit.
    pub unit: String,
    /// Its mark.
    pub mark: Mark,
    /// The most bytes of memory that the process had held by then, where the system tells.
    pub peak_memory: Option<u64>,
}

/// The marks of a run, one file each, below `OUT/work/marks`.
#[derive(Debug, Clone)]
pub struct Marks {
    out: PathBuf,
}

impl Marks {
    /// The marks of the run in `out`.
    #[must_use]
    pub fn new(out: &Path) -> Self {
        Self { out: out.to_owned() }
    }

    fn path(&self, stage: &str, unit: &str) -> PathBuf {
        self.out.join("work/marks").join(stage).join(format!("{unit}.json"))
    }

    /// The mark of a unit, if it is done and nothing that it follows from has changed.
    #[must_use]
    pub fn fresh(&self, stage: &str, unit: &str, fingerprint: &Fingerprint) -> Option<Mark> {
        let bytes = fs::read(self.path(stage, unit)).ok()?;
        // a mark that cannot be read is no mark: the unit runs again
        let mark: Mark = serde_json::from_slice(&bytes).ok()?;
        let outputs = mark
            .outputs
            .iter()
            .all(|file| fs::metadata(self.out.join(&file.path)).is_ok_and(|metadata| metadata.len() == file.bytes));
        let inputs = mark.input.as_ref().is_none_or(Stamp::holds);
        (mark.fingerprint == *fingerprint && outputs && inputs).then_some(mark)
    }

    /// Marks a unit as done, and notes how much memory the process has held at most. For the report; no output depends on it.
    ///
    /// # Errors
    /// When the mark cannot be written.
    pub fn set(&self, stage: &str, unit: &str, mark: &Mark) -> Result<()> {
        let mut json = serde_json::to_value(mark).expect("a mark is JSON");
        json[PEAK_MEMORY] = peak_memory().into();
        write_whole(&self.path(stage, unit), json.to_string().as_bytes())?;
        Ok(())
    }

    /// All units that are done, by stage and name. What cannot be read is left out.
    #[must_use]
    pub fn all(&self) -> Vec<Done> {
        let root = self.out.join("work/marks");
        let mut all = Vec::new();
        let mut folders = vec![root.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).into_iter().flatten().filter_map(std::result::Result::ok) {
                let path = entry.path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    all.extend(done(&root, &path));
                }
            }
        }
        all.sort_by(|one, other| (&one.stage, &one.unit).cmp(&(&other.stage, &other.unit)));
        all
    }
}

/// The key of the memory in a mark's file, beside what [`Mark`] holds.
const PEAK_MEMORY: &str = "peak_memory";

/// The unit whose mark lies at `path`.
fn done(root: &Path, path: &Path) -> Option<Done> {
    let name = path.strip_prefix(root).ok()?.with_extension("");
    let (stage, unit) = name.to_str()?.split_once('/')?;
    let json: serde_json::Value = serde_json::from_slice(&fs::read(path).ok()?).ok()?;
    let peak_memory = json[PEAK_MEMORY].as_u64();
    let mark = serde_json::from_value(json).ok()?;
    Some(Done { stage: stage.to_owned(), unit: unit.to_owned(), mark, peak_memory })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_is_fresh_until_something_changes() -> Result<()> {
        let out = tempfile::tempdir().expect("the temporary folder can be written");
        let input = out.path().join("input");
        write_whole(&input, b"in")?;
        let written = write_whole(&out.path().join("output"), b"result")?;
        let marks = Marks::new(out.path());
        let fingerprint = Fingerprint::of("stage", &3);
        let output = FileEntry { path: "output".into(), rows: None, bytes: written.bytes, sha256: written.sha256 };
        let mark = Mark {
            fingerprint: fingerprint.clone(),
            input: Some(Stamp::of(&input)?),
            outputs: vec![output],
            seconds: 0.5,
        };
        marks.set("stage", "unit", &mark)?;
        assert_eq!(marks.fresh("stage", "unit", &fingerprint).as_ref(), Some(&mark));
        marks.set("stage", "some/unit", &mark)?;
        let all = marks.all();
        assert_eq!(all.iter().map(|done| done.unit.as_str()).collect::<Vec<_>>(), ["some/unit", "unit"]);
        assert!(all.iter().all(|done| done.mark == mark && done.peak_memory != Some(0)));
        assert_eq!(marks.fresh("stage", "unit", &Fingerprint::of("stage", &4)), None);

        // written anew with the same bytes, it is the same input
        write_whole(&input, b"in")?;
        assert!(marks.fresh("stage", "unit", &fingerprint).is_some());
        write_whole(&input, b"IN")?;
        assert!(marks.fresh("stage", "unit", &fingerprint).is_none());
        write_whole(&input, b"in")?;
        fs::remove_file(out.path().join("output")).expect("the output is there");
        assert!(marks.fresh("stage", "unit", &fingerprint).is_none());
        Ok(())
    }
}
