//! A source: its files, and how they are read.

use std::path::PathBuf;

use schemas::toml_file::TomlError;
use serde::{Deserialize, Serialize};

use super::{Cleaning, Format, SourceRecipe, format::Listed};
use crate::files::{NamedFiles, Text, list_with_and};

/// A source: its name, which is a part of every id, its files and how to read them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Source {
    /// The name.
    pub name: String,
    /// The files, sorted; a file's place is the number of its part.
    pub files: Vec<PathBuf>,
    /// How they are read.
    pub format: Format,
    /// What is done to its texts, in this order.
    pub clean: Vec<Cleaning>,
    /// Largest share of records that may be broken, over the whole source.
    pub max_error_rate: f64,
    /// Largest share of the files' bytes on disk that may be lost; 0 for none.
    pub max_lost_rate: f64,
}

impl SourceRecipe {
    /// The source that is asked for.
    ///
    /// # Errors
    /// When it lists files of no format or of several, a file is not there, or the format cannot be read so.
    pub fn source(&self, name: &Text, files: &NamedFiles<'_>) -> Result<Source, TomlError> {
        let keys = self.listed();
        let mut chosen = keys.iter().filter_map(|Listed { patterns, format, .. }| Some(((*patterns)?, format)));
        let (Some((patterns, format)), None) = (chosen.next(), chosen.next()) else {
            let keys: Vec<&str> = keys.iter().map(|listed| listed.key).collect();
            let message = format!("source `{}` has one of {}", name.get_ref(), list_with_and(&keys));
            return Err(files.fault(name.span(), message));
        };
        Ok(Source {
            name: name.get_ref().clone(),
            format: format(self, files)?,
            files: files.files(patterns)?,
            clean: self.clean.clone(),
            max_error_rate: self.max_error_rate.get(),
            max_lost_rate: self.max_lost_rate.get(),
        })
    }
}
