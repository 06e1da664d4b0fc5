//! A file that appears by rename, and is hashed on the way.

use std::{
    io::{self, Write},
    path::Path,
};

use crate::{
    atomic_file::AtomicFile,
    error::{FileError, Result},
    hash::{Hasher, Written},
};

/// An [`AtomicFile`] that says what was written.
#[derive(Debug)]
pub struct HashedFile {
    file: AtomicFile,
    hasher: Hasher,
}

impl HashedFile {
    /// Begins a file at `path`, whose folder is made where it is missing.
    ///
    /// # Errors
    /// When the folder or the file cannot be made.
    pub fn create(path: &Path) -> Result<Self> {
        Ok(Self { file: AtomicFile::create(path)?, hasher: Hasher::default() })
    }

    /// Brings the file to the disk and gives it its name.
    ///
    /// # Errors
    /// When the disk is full, or the file cannot be renamed.
    pub fn publish(self) -> Result<Written> {
        self.file.publish()?;
        Ok(self.hasher.finish())
    }
}

impl Write for HashedFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write_all(bytes)?;
        self.hasher.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Publishes `bytes` at `path`, and says what was written.
///
/// # Errors
/// When the file cannot be written.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<Written> {
    let mut file = HashedFile::create(path)?;
    file.write_all(bytes).map_err(FileError::of("write", path))?;
    file.publish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::{hash_file, sha256};

    #[test]
    fn what_is_said_to_be_written_is_what_lies_there() -> Result<()> {
        let folder = tempfile::tempdir().expect("the temporary folder can be written");
        let path = folder.path().join("file");
        let mut file = HashedFile::create(&path)?;
        for piece in [&b"one "[..], b"", b"two"] {
            file.write_all(piece).expect("memory is left");
        }
        let written = file.publish()?;
        assert_eq!(written, Written { bytes: 7, sha256: sha256(b"one two") });
        assert_eq!(hash_file(&path)?, written);
        assert_eq!(write_whole(&path, b"one two")?, written);
        Ok(())
    }
}
