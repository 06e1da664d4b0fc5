//! One file of a source: the unit in which sources are read.

use std::path::Path;

use crate::source::{Reading, Source};

/// A file of a source.
#[derive(Debug, Clone, Copy)]
pub struct SourceFile<'s> {
    /// The source.
    pub source: &'s Source,
    /// The file's place among the source's files.
    pub part: u32,
    /// The file.
    pub path: &'s Path,
}

impl<'s> SourceFile<'s> {
    /// All files of a source.
    pub fn all(source: &'s Source) -> impl Iterator<Item = Self> {
        (0u32..).zip(&source.files).map(move |(part, path)| Self { source, part, path })
    }

    /// The name of the units that are about it.
    pub fn unit(&self) -> String {
        format!("{}/part-{:05}", self.source.name, self.part)
    }

    /// How it is read.
    pub fn reading(&self) -> Reading {
        Reading {
            source: self.source.name.clone(),
            part: self.part,
            path: self.path.to_owned(),
            format: self.source.format.clone(),
            clean: self.source.clean.clone(),
        }
    }
}
