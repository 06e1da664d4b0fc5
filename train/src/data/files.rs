//! The files that a path stands for: a mixture, a Parquet file, a file of JSON lines (packed or not), or a folder of these.

use std::{
    fs,
    path::{Path, PathBuf},
};

use schemas::{mixture::shard_prefix, paths::unpacked_name, task};

use crate::error::{Error, Result};

/// A part of the documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Split {
    /// To train on.
    Train,
    /// To evaluate on while training.
    Validation,
}

impl Split {
    /// What it is called in messages.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Train => "training",
            Self::Validation => "validation",
        }
    }

    /// Its name in the files of a mixture.
    fn name(self) -> &'static str {
        match self {
            Self::Train => task::Split::Train.name(),
            Self::Validation => task::Split::Validation.name(),
        }
    }
}

/// How a file is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Parquet,
    JsonLines,
}

impl Format {
    /// The format that a file's name ends with, below an ending such as `.gz`: how lines are packed is told by their first bytes.
    pub(super) fn of(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?;
        let unpacked = unpacked_name(name);
        match unpacked.rsplit_once('.')?.1 {
            "parquet" if unpacked == name => Some(Self::Parquet),
            "jsonl" | "ndjson" => Some(Self::JsonLines),
            _ => None,
        }
    }
}

/// The files of a source by split, in the order of their names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFiles {
    /// Where they lie.
    pub path: PathBuf,
    /// Files of documents to train on.
    pub train: Vec<PathBuf>,
    /// Files of validation documents; with none, a share of the documents in `train` is drawn for it.
    pub validation: Vec<PathBuf>,
}

impl SourceFiles {
    /// The files that `path` stands for.
    ///
    /// In a folder with files `train-*`, as mixtures have, those are trained on, and files `validation-*` are for validation; in any
    /// other, all files are trained on.
    ///
    /// # Errors
    /// When there is no such path, it cannot be listed, or it holds no file of Parquet or JSON lines.
    pub fn find(path: &Path) -> Result<Self> {
        let fault = |message: &str| Error::Data { path: path.to_owned(), message: message.to_owned() };
        if path.is_file() {
            Format::of(path).ok_or_else(|| {
                fault(
                    "its name ends with none of .parquet and .jsonl, nor with .jsonl and .gz, .zst, .bz2, .xz or .lz4",
                )
            })?;
            return Ok(Self { path: path.to_owned(), train: vec![path.to_owned()], validation: Vec::new() });
        }
        let mut files = Vec::new();
        for entry in fs::read_dir(path).map_err(Error::file("list", path))? {
            let file = entry.map_err(Error::file("list", path))?.path();
            if Format::of(&file).is_some() && file.is_file() {
                files.push(file);
            }
        }
        files.sort();
        let named = |split: Split| -> Vec<PathBuf> {
            let prefix = shard_prefix(split.name());
            let begins = |file: &Path| file.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&prefix));
            files.iter().filter(|file| begins(file)).cloned().collect()
        };
        let (train, validation) = (named(Split::Train), named(Split::Validation));
        let path = path.to_owned();
        match (train.is_empty(), validation.is_empty(), files.is_empty()) {
            (false, ..) => Ok(Self { path, train, validation }),
            (true, false, _) => Err(fault("it has files validation-*, and none train-*")),
            (true, true, false) => Ok(Self { path, train: files, validation: Vec::new() }),
            (true, true, true) => Err(fault("it has no file *.parquet or *.jsonl")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder_of(names: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("the temporary folder can be written");
        for name in names {
            fs::write(folder.path().join(name), name).expect("the file can be written");
        }
        folder
    }

    fn names(files: &[PathBuf]) -> Vec<String> {
        files.iter().filter_map(|file| Some(file.file_name()?.to_string_lossy().into_owned())).collect()
    }

    #[test]
    fn a_mixture_has_splits_and_other_folders_have_files() -> Result<()> {
        let mixture =
            folder_of(&["train-1.parquet", "train-0.parquet", "validation-0.parquet", "README.md", "x.jsonl"]);
        let found = SourceFiles::find(mixture.path())?;
        assert_eq!(names(&found.train), ["train-0.parquet", "train-1.parquet"]);
        assert_eq!(names(&found.validation), ["validation-0.parquet"]);

        let plain =
            folder_of(&["b.jsonl", "a.parquet", "c.txt", "d.jsonl.zst", "e.parquet.gz", "f.ndjson.bz2", "g.jsonl.xz"]);
        let found = SourceFiles::find(plain.path())?;
        assert_eq!(
            (names(&found.train), found.validation),
            (["a.parquet", "b.jsonl", "d.jsonl.zst", "f.ndjson.bz2", "g.jsonl.xz"].map(String::from).to_vec(), vec![])
        );

        let file = plain.path().join("b.jsonl");
        assert_eq!(SourceFiles::find(&file)?.train, [file]);
        let error = SourceFiles::find(&plain.path().join("c.txt")).expect_err("text has no documents").to_string();
        assert!(error.contains("c.txt: its name ends with none of .parquet"), "{error}");
        Ok(())
    }
}
