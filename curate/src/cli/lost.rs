//! What a small command could not read of its files, and how it ends then.

use std::{fs, path::Path};

use clap::Args;
use schemas::share::Share;

use super::printer::Printer;
use crate::error::Error;

/// How much may be broken.
#[derive(Debug, Clone, Copy, Args)]
pub struct ErrorArgs {
    /// Largest share of records that may be broken; what is no document by design, such as a page that is no HTML, counts as sound. Above it
    /// the command reads on to the end, and exits with code 3.
    #[arg(long, value_name = "SHARE", default_value_t = Share::of(0.01))]
    max_error_rate: Share,
}

/// How much may be lost.
#[derive(Debug, Clone, Copy, Args)]
pub struct LostArgs {
    /// Largest share of the files' bytes that may be lost, where one breaks off or cannot be unpacked; all bytes of a file whose end is
    /// missing count. Above it the command reads on to the end, and exits with code 3.
    #[arg(long, value_name = "SHARE", default_value_t = Share::default())]
    max_lost_rate: Share,
}

/// The command did what it could, but more was broken or lost than may be.
#[derive(Debug, thiserror::Error)]
pub enum OverLimit {
    /// Records.
    #[error("{broken} of {read} records are broken: more than --max-error-rate {limit} allows")]
    Broken {
        /// Broken records.
        broken: u64,
        /// All records.
        read: u64,
        /// The largest share that may be.
        limit: Share,
    },
    /// Bytes of files.
    #[error("{lost} of {of} bytes of the input are lost, in {places} places: more than --max-lost-rate {limit} allows")]
    Lost {
        /// Bytes that are lost.
        lost: u64,
        /// Bytes of all files.
        of: u64,
        /// Stretches that are lost, and files without a byte.
        places: u64,
        /// The largest share that may be.
        limit: Share,
    },
    /// Files of which nobody knows how much is missing.
    #[error("{files} files cannot be read, and nobody knows how much is missing: no --max-lost-rate allows that")]
    Unknown {
        /// Files.
        files: u64,
    },
}

/// Records so far.
#[derive(Debug)]
pub struct Errors {
    limit: Share,
    broken: u64,
    read: u64,
}

/// What was lost so far.
#[derive(Debug)]
pub struct Losses {
    limit: Share,
    lost: u64,
    of: u64,
    places: u64,
    /// Files whose size is not known, and of which nothing more can be read.
    unknown: u64,
}

impl ErrorArgs {
    /// Nothing is broken yet.
    pub fn begin(self) -> Errors {
        Errors { limit: self.max_error_rate, broken: 0, read: 0 }
    }
}

impl LostArgs {
    /// Nothing is lost yet.
    pub fn begin(self) -> Losses {
        Losses { limit: self.max_lost_rate, lost: 0, of: 0, places: 0, unknown: 0 }
    }
}

impl Errors {
    /// Records of which some are broken.
    pub fn count(&mut self, read: u64, broken: u64) {
        self.read += read;
        self.broken += broken;
    }

    /// The end of the command.
    ///
    /// # Errors
    /// When more is broken than may be.
    pub fn judge(self) -> Result<(), OverLimit> {
        let Self { limit, broken, read } = self;
        if broken as f64 <= limit.get() * read as f64 { Ok(()) } else { Err(OverLimit::Broken { broken, read, limit }) }
    }
}

impl Losses {
    /// Begins a file. One without a byte is said to be empty.
    ///
    /// - `path`: where its bytes lie, which is another place for a pipe
    pub fn file(&mut self, printer: &Printer, name: &Path, path: &Path) {
        let size = fs::metadata(path).map(|metadata| metadata.len());
        self.of += size.as_ref().unwrap_or(&0);
        if size.is_ok_and(|size| size == 0) {
            self.places += 1;
            printer.warn(format_args!("{}: the file is empty", name.display()));
        }
    }

    /// A stretch of a file cannot be read.
    pub fn lose(&mut self, printer: &Printer, name: &Path, bytes: u64, why: &str) {
        self.lost += bytes;
        self.places += 1;
        printer.warn(format_args!("{}: {bytes} bytes are lost: {why}", name.display()));
    }

    /// A file cannot be read at all, for this reason.
    pub fn refuse(&mut self, printer: &Printer, path: &Path, error: &Error) {
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_file() => self.lost += metadata.len(),
            _ => self.unknown += 1,
        }
        self.places += 1;
        printer.warn(error);
    }

    /// What an account says.
    pub fn count(&mut self, lost: u64, of: u64, places: u64) {
        self.lost += lost;
        self.of += of;
        self.places += places;
    }

    /// Whether nothing was lost.
    pub fn is_none(&self) -> bool {
        self.places == 0
    }

    /// The end of the command.
    ///
    /// # Errors
    /// When more is lost than may be.
    pub fn judge(self) -> Result<(), OverLimit> {
        let Self { limit, lost, of, places, unknown } = self;
        if unknown > 0 {
            return Err(OverLimit::Unknown { files: unknown });
        }
        let some_may_be = limit > Share::default() && lost as f64 <= limit.get() * of as f64;
        if places == 0 || some_may_be { Ok(()) } else { Err(OverLimit::Lost { lost, of, places, limit }) }
    }
}
