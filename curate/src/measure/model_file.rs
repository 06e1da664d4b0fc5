//! Files that facts depend on.

use std::path::PathBuf;

use schemas::toml_file::TomlError;
use serde::{Deserialize, Serialize};

use crate::files::{NamedFiles, Text};

/// A model or a list on disk. The hash makes facts by another one stale.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ModelFile {
    /// The file.
    pub path: PathBuf,
    /// SHA-256 of its bytes.
    pub sha256: String,
}

impl ModelFile {
    /// The file that a recipe names.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn named(file: &Text, files: &NamedFiles<'_>) -> Result<Self, TomlError> {
        let (path, sha256) = files.hashed(file)?;
        Ok(Self { path, sha256 })
    }

    /// The files that a recipe names.
    ///
    /// # Errors
    /// When one cannot be read.
    pub fn all_named(names: &[Text], files: &NamedFiles<'_>) -> Result<Vec<Self>, TomlError> {
        names.iter().map(|file| Self::named(file, files)).collect()
    }
}
