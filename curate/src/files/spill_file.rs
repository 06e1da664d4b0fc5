//! A spill file: without a name, for what does not fit into memory. The system removes it when it is closed, however the process ends.

use std::{
    fs::File,
    io::Write as _,
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
};

use crate::error::{Error, Result};

/// Bytes that are spilled, each piece behind the one before it. The file is made for the first.
#[derive(Debug)]
pub struct SpillFile {
    folder: PathBuf,
    file: Option<File>,
    written: u64,
}

impl SpillFile {
    /// Nothing yet, and later a file in `folder`.
    #[must_use]
    pub fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), file: None, written: 0 }
    }

    /// Puts a piece behind those that are there. Returns where it begins.
    ///
    /// # Errors
    /// When the disk is full.
    pub fn append(&mut self, bytes: &[u8]) -> Result<u64> {
        let file = match &mut self.file {
            Some(file) => file,
            None => {
                let file = tempfile::tempfile_in(&self.folder).map_err(Error::file("write to", &self.folder))?;
                self.file.insert(file)
            }
        };
        file.write_all(bytes).map_err(Error::file("write to", &self.folder))?;
        let start = self.written;
        self.written += bytes.len() as u64;
        Ok(start)
    }

    /// Fills `bytes` with what begins at `start`.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read(&self, start: u64, bytes: &mut [u8]) -> Result<()> {
        let file = self.file.as_ref().expect("what is read was spilled");
        file.read_exact_at(bytes, start).map_err(Error::file("read what was spilled to", &self.folder))
    }

    /// Bytes that were spilled.
    #[must_use]
    pub fn written(&self) -> u64 {
        self.written
    }
}
