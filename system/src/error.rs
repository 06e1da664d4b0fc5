//! What the system refused to do with a file.

use std::{io, path::PathBuf};

/// A result of this crate.
pub type Result<T, E = FileError> = std::result::Result<T, E>;

/// The system refused to do something with a file.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} {}: {source}", path.display())]
pub struct FileError {
    /// What was tried, such as `write`.
    pub action: &'static str,
    /// The file or folder.
    pub path: PathBuf,
    /// What the system said.
    pub source: io::Error,
}

impl FileError {
    /// A closure that names an action and a path in an I/O error.
    pub fn of(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self { action, path, source }
    }
}
