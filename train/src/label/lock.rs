//! One program at a time that writes labels into a folder.

use std::{
    fs::{self, File, TryLockError},
    path::Path,
};

use crate::error::{Error, Result};

/// Holds a folder; let go when dropped, or when the process ends in whatever way.
#[derive(Debug)]
pub struct Lock(#[expect(dead_code, reason = "held, not used")] File);

impl Lock {
    /// Takes the folder, which is made where it is missing.
    ///
    /// # Errors
    /// When another program holds it, or it cannot be written.
    pub fn take(folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder).map_err(Error::file("make the folder", folder))?;
        let path = folder.join(".lock");
        let file = File::create(&path).map_err(Error::file("write", &path))?;
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => Err(Error::LabelsHeld { path: folder.to_owned() }),
            Err(TryLockError::Error(source)) => Err(Error::File { action: "lock", path, source }),
        }
    }
}
