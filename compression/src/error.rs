//! What can be wrong with a packed file.

use std::io;

use crate::Packing;

/// Why a file gives no more bytes, though they are not at their end. What the system reports is no such error.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file ends within a member.
    #[error("the file ends at byte {at}, within {} that begins at byte {began}", packing.article())]
    Cut {
        /// How it is packed.
        packing: Packing,
        /// Where the member begins in the file.
        began: u64,
        /// Where the file ends: its size.
        at: u64,
    },
    /// A member's data, checksum or length is wrong, or what follows it is none.
    #[error("at byte {at}, within {} that begins at byte {began}: {detail}", packing.article())]
    Corrupt {
        /// How it is packed.
        packing: Packing,
        /// Where the member begins in the file.
        began: u64,
        /// Where the library stopped.
        at: u64,
        /// What it found.
        detail: String,
    },
    /// The member needs more memory than it may have.
    #[error("{} at byte {began} needs a window of {window} bytes to be unpacked, and the limit is {limit}: {advice}", packing.article())]
    Window {
        /// How it is packed.
        packing: Packing,
        /// Where the member begins in the file.
        began: u64,
        /// The window, in bytes.
        window: u64,
        /// The longest that is allowed, in bytes.
        limit: u64,
        /// How to raise it.
        advice: String,
    },
    /// The file, or what a packed one holds, is of another kind than text.
    #[error("{} begins with {start}, {what}", if *within == Packing::Plain { "it".to_owned() } else { format!("what it holds, as {within},") })]
    Unknown {
        /// How it is packed on the outside.
        within: Packing,
        /// The first bytes, in hexadecimal digits.
        start: String,
        /// What they are known to begin, and what to do.
        what: &'static str,
    },
}

impl Error {
    /// The error of ours that an error of reading stands for.
    #[must_use]
    pub fn of(error: &io::Error) -> Option<&Self> {
        error.get_ref()?.downcast_ref()
    }

    /// How many bytes of a file of `length` bytes count as lost.
    ///
    /// Those from which nothing was unpacked, where a member is corrupt: one at least. The whole file, where its end is missing: how
    /// much is missing is not known. The whole file, where it is of another kind. None, where it could be read with more memory.
    #[must_use]
    pub fn lost(&self, length: u64) -> u64 {
        match self {
            Self::Corrupt { at, .. } => length.saturating_sub(*at).max(1).min(length),
            Self::Cut { .. } | Self::Unknown { .. } => length,
            Self::Window { .. } => 0,
        }
    }
}

impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        let kind = match error {
            Error::Cut { .. } => io::ErrorKind::UnexpectedEof,
            Error::Corrupt { .. } => io::ErrorKind::InvalidData,
            Error::Window { .. } => io::ErrorKind::OutOfMemory,
            Error::Unknown { .. } => io::ErrorKind::Unsupported,
        };
        Self::new(kind, error)
    }
}
