//! What a small command could not read of its files, and how it ends then.

use std::{fs, path::Path};

use clap::Args;
use schemas::share::Share;

use super::printer::Printer;
use crate::error::Error;

/// How much may be lost.
#[derive(Debug, Clone, Copy, Args)]
pub struct LostArgs {
    /// Largest share of the files' bytes that may be lost, where one breaks off or cannot be unpacked; all bytes of a file whose end is
    /// missing count. Above it the command reads on to the end, and exits with code 3.
    #[arg(long, value_name = "SHARE", default_value_t = Share::default())]
    max_lost_rate: Share,
}

/// The command did what it could, but more was lost than may be.
#[derive(Debug, thiserror::Error)]
#[error("{lost} of {of} bytes of the input are lost, in {places} places: more than --max-lost-rate {limit} allows")]
pub struct TooMuchLost {
    lost: u64,
    of: u64,
    places: u64,
    limit: f64,
}

/// What was lost so far.
#[derive(Debug)]
pub struct Losses {
    limit: f64,
    lost: u64,
    of: u64,
    places: u64,
}

impl LostArgs {
    /// Nothing is lost yet.
    pub fn begin(self) -> Losses {
        Losses { limit: self.max_lost_rate.get(), lost: 0, of: 0, places: 0 }
    }
}

impl Losses {
    /// Begins a file. One without a byte is said to be empty.
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
        self.lost += fs::metadata(path).map_or(0, |metadata| metadata.len());
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
    pub fn judge(self) -> Result<(), TooMuchLost> {
        let Self { limit, lost, of, places } = self;
        let some_may_be = limit > 0.0 && lost as f64 <= limit * of as f64;
        if places == 0 || some_may_be { Ok(()) } else { Err(TooMuchLost { lost, of, places, limit }) }
    }
}
