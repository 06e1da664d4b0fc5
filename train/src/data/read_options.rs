//! How files of documents are opened, and how much of them may be lost.

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
};

use compression::{LONGEST_WINDOW, MaxWindow, Unpacked};
use serde::Serialize;

use crate::error::{Error, Result};

/// How files are read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ReadOptions {
    /// The longest window that a file is decompressed with, in bytes of memory.
    pub max_window: u64,
    /// The largest share of the bytes of a source's files that may be lost: 0 for none.
    pub max_lost_rate: f64,
}

impl Default for ReadOptions {
    /// Whatever can be unpacked, and nothing lost.
    fn default() -> Self {
        Self { max_window: LONGEST_WINDOW, max_lost_rate: 0.0 }
    }
}

/// What was lost of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Lost {
    /// The file.
    pub file: String,
    /// Bytes that count as lost: those that were not read; all, where the file's end is missing, for how much is missing is not known.
    pub lost_bytes: u64,
    /// Bytes of the file.
    pub of_bytes: u64,
}

impl std::fmt::Display for Lost {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}: {} of {} bytes are lost", self.file, self.lost_bytes, self.of_bytes)
    }
}

impl ReadOptions {
    /// The bytes of a file, unpacked where its first bytes say that it is packed.
    pub(super) fn open(&self, file: File) -> io::Result<Unpacked<File>> {
        let advice = "raise `max_window`, which is memory that is held while the file is read".to_owned();
        Unpacked::new(file, Box::new(MaxWindow { limit: self.max_window, advice }))
    }

    /// Bytes that are lost by an error of reading, where some may be.
    ///
    /// # Errors
    /// What the system reports, that a file is of another kind, and what is lost where nothing may be.
    pub(super) fn lost(&self, path: &Path, error: io::Error) -> Result<u64> {
        use compression::Error as Fault;
        let failed = |source| Error::File { action: "read", path: path.to_owned(), source };
        match Fault::of(&error) {
            Some(fault @ (Fault::Cut { .. } | Fault::Corrupt { .. })) => {
                let of = size(path)?;
                let lost = fault.lost(of);
                if self.max_lost_rate > 0.0 {
                    return Ok(lost);
                }
                let (path, fault) = (path.to_owned(), fault.to_string());
                Err(Error::LostBytes { path, fault, lost, of })
            }
            _ => Err(failed(error)),
        }
    }
}

impl ReadOptions {
    /// Checks that no more is lost of a source than may be.
    ///
    /// # Errors
    /// When it is.
    pub(super) fn check_lost(&self, source: &Path, files: &[PathBuf], lost: u64) -> Result<()> {
        let of = files.iter().map(|path| size(path)).sum::<Result<u64>>()?;
        if lost as f64 <= self.max_lost_rate * of as f64 {
            return Ok(());
        }
        Err(Error::TooMuchLost { path: source.to_owned(), lost, of, limit: self.max_lost_rate })
    }
}

/// Bytes of a file.
pub(super) fn size(path: &Path) -> Result<u64> {
    std::fs::metadata(path).map(|metadata| metadata.len()).map_err(Error::file("read", path))
}
