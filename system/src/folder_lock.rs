//! One program at a time in a folder.

use std::{
    fs::{self, File, TryLockError},
    path::Path,
};

use crate::error::{FileError, Result};

/// Holds a folder; let go when dropped, or when the process ends in whatever way.
#[derive(Debug)]
pub struct FolderLock(#[expect(dead_code, reason = "held, not used")] File);

impl FolderLock {
    /// Takes a folder, which is made where it is missing; none where another program holds it.
    ///
    /// # Errors
    /// When the system refuses to make, write or lock it.
    pub fn take(folder: &Path) -> Result<Option<Self>> {
        fs::create_dir_all(folder).map_err(FileError::of("make the folder", folder))?;
        let path = folder.join(".lock");
        let file = File::create(&path).map_err(FileError::of("write", &path))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self(file))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(source)) => Err(FileError { action: "lock", path, source }),
        }
    }
}
