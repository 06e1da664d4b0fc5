//! What is wrong with a file that people wrote, shown in its line.

use std::{fmt, path::PathBuf};

/// Why a file could not be used, and where.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TomlError {
    /// The file could not be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Something in the file is wrong.
    #[error(transparent)]
    Fault(#[from] Box<TomlFault>),
    /// A key that the command line sets is not one that the file could have.
    #[error("--set {key}={value}: {message}")]
    Set {
        /// The key, with dots.
        key: String,
        /// The value as it was given.
        value: String,
        /// What is wrong with it.
        message: String,
    },
}

/// A fault at a place in a file. Displays as `path:line:column: message` with the line below it.
#[derive(Debug)]
pub struct TomlFault {
    pub(super) path: PathBuf,
    /// From 1.
    pub(super) line: usize,
    /// In characters, from 1.
    pub(super) column: usize,
    /// How many characters are marked.
    pub(super) width: usize,
    /// The line.
    pub(super) excerpt: String,
    pub(super) message: String,
}

impl std::error::Error for TomlFault {}

impl fmt::Display for TomlFault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, line, column, width, excerpt, message } = self;
        let number = line.to_string();
        let gutter = " ".repeat(number.len());
        writeln!(formatter, "{}:{line}:{column}: {message}", path.display())?;
        writeln!(formatter, "{gutter} |")?;
        writeln!(formatter, "{number} | {excerpt}")?;
        write!(formatter, "{gutter} | {}{}", " ".repeat(column - 1), "^".repeat(*width))
    }
}
