//! Whether files of a run of `curate` are still those that it wrote.
//!
//! ```text
//! OUT/manifest.json           the hash of every file that the run wrote
//! OUT/mixtures/NAME/FILE      one of them
//! ```
//!
//! A bit that changes in a page of a Parquet file is another text, and nothing in the file says so where its writer wrote no checksums.

use std::{
    collections::HashMap,
    fs, io,
    path::{Path, PathBuf},
};

use schemas::{
    manifest::{self, FileEntry},
    mixture,
};
use serde_json::Value;

use crate::error::{Error, Result};

/// The files of a mixture that a run's manifest lists; none of a folder that is no mixture's in that of a run.
#[derive(Debug, Default)]
pub(super) struct PublishedFiles {
    manifest: PathBuf,
    /// The hash of each, by its name.
    hashes: HashMap<String, String>,
}

impl PublishedFiles {
    /// What the manifest of a run says of the files of a source.
    ///
    /// - `source`: a folder, or a file
    ///
    /// # Errors
    /// When there is a manifest, and it cannot be read.
    pub fn of(source: &Path) -> Result<Self> {
        let folder = if source.is_dir() { source } else { source.parent().unwrap_or(source) };
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        // a link to a mixture is a mixture
        let folder = fs::canonicalize(folder).map_err(Error::file("find", folder))?;
        let Some((name, out)) = name_and_run(&folder) else { return Ok(Self::default()) };
        let manifest = out.join(manifest::FILE);
        let bytes = match fs::read(&manifest) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(Error::file("read", manifest)(error)),
        };
        let damaged = |message: String| Error::Damaged {
            path: manifest.clone(),
            message: format!("{message}; give the run again, or copy the mixture out of its folder"),
        };
        let mut json: Value = serde_json::from_slice(&bytes).map_err(|error| damaged(error.to_string()))?;
        if json.get("recipe").is_none() && json.get("outputs").is_none() {
            // other programs have files of this name
            return Ok(Self::default());
        }
        let outputs: Vec<FileEntry> =
            serde_json::from_value(json["outputs"].take()).map_err(|error| damaged(format!("`outputs`: {error}")))?;
        let folder = format!("{}/{name}/", mixture::FOLDER);
        let hash = |file: FileEntry| Some((file.path.strip_prefix(&folder)?.to_owned(), file.sha256));
        Ok(Self { hashes: outputs.into_iter().filter_map(hash).collect(), manifest })
    }

    /// Whether the manifest has the hash of a file.
    pub fn lists(&self, path: &Path) -> bool {
        self.written(path).is_some()
    }

    /// Checks that a file is the one that was written, if the manifest lists it.
    ///
    /// # Errors
    /// When it is not.
    pub fn check(&self, path: &Path, sha256: &str) -> Result<()> {
        match self.written(path) {
            Some(written) if written != sha256 => Err(Error::NotAsWritten {
                path: path.to_owned(),
                manifest: self.manifest.clone(),
                found: sha256.to_owned(),
                written: written.to_owned(),
            }),
            _ => Ok(()),
        }
    }

    fn written(&self, path: &Path) -> Option<&str> {
        self.hashes.get(path.file_name()?.to_str()?).map(String::as_str)
    }
}

/// The name of a mixture and the folder of its run, by the place of the mixture's own.
fn name_and_run(folder: &Path) -> Option<(&str, &Path)> {
    let mixtures = folder.parent().filter(|parent| parent.file_name().is_some_and(|name| name == mixture::FOLDER))?;
    Some((folder.file_name()?.to_str()?, mixtures.parent()?))
}
