//! The files that a stage reads, noted where they are opened.
//!
//! ```text
//! plans are built: each file is noted -> the list is closed, and enters the fingerprint -> the unit runs: what is opened must be on it
//! ```
//!
//! So no list of inputs is kept by hand, and none can be short: a file that is opened too late to be noted is an error, and not a result
//! that outlives what it was made from.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use crate::error::{Error, Result};

/// The inputs of one stage.
#[derive(Debug)]
pub struct Inputs {
    stage: String,
    opened: Mutex<Opened>,
}

#[derive(Debug, Default)]
struct Opened {
    files: BTreeSet<PathBuf>,
    /// What lies here is made by the stage itself.
    own: Option<PathBuf>,
    closed: bool,
}

impl Inputs {
    /// No input yet.
    #[must_use]
    pub fn of(stage: &str) -> Self {
        Self { stage: stage.to_owned(), opened: Mutex::default() }
    }

    /// The stage.
    #[must_use]
    pub fn stage(&self) -> &str {
        &self.stage
    }

    /// Says that the stage makes what lies in `folder` itself, and may read it again.
    pub fn own(&self, folder: &Path) {
        self.opened().own = Some(folder.to_owned());
    }

    /// Notes a file that is about to be read.
    ///
    /// # Errors
    /// When it is not there, or the list is closed without it.
    pub fn open(&self, path: &Path) -> Result<()> {
        if !path.is_file() {
            return Err(Error::NotMade { stage: self.stage.clone(), path: path.to_owned() });
        }
        let mut opened = self.opened();
        if opened.files.contains(path) || opened.own.as_ref().is_some_and(|folder| path.starts_with(folder)) {
            return Ok(());
        }
        if opened.closed {
            return Err(Error::InputNotNamed { stage: self.stage.clone(), path: path.to_owned() });
        }
        opened.files.insert(path.to_owned());
        Ok(())
    }

    /// Closes the list, and returns it in the order of the paths.
    pub fn close(&self) -> Vec<PathBuf> {
        let mut opened = self.opened();
        opened.closed = true;
        opened.files.iter().cloned().collect()
    }

    /// What was noted so far.
    #[must_use]
    pub fn files(&self) -> Vec<PathBuf> {
        self.opened().files.iter().cloned().collect()
    }

    fn opened(&self) -> MutexGuard<'_, Opened> {
        self.opened.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_closed_list_takes_no_other_file() -> Result<()> {
        let folder = tempfile::tempdir().expect("the temporary folder can be written");
        let file = |name: &str| {
            let path = folder.path().join(name);
            fs::write(&path, name).expect("the file can be written");
            path
        };
        let (one, other) = (file("one"), file("other"));
        let inputs = Inputs::of("count");
        inputs.open(&one)?;
        assert_eq!(inputs.close(), [one.as_path()]);
        inputs.open(&one)?;
        let late = inputs.open(&other).expect_err("it is not on the list").to_string();
        assert!(late.contains("stage `count`") && late.contains(&other.display().to_string()), "{late}");
        let missing = inputs.open(&folder.path().join("third")).expect_err("it is not there").to_string();
        assert!(missing.contains("stage `count`") && missing.contains("third"), "{missing}");
        inputs.own(folder.path());
        inputs.open(&other)
    }
}
