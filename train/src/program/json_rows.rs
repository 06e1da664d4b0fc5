//! Files of JSON lines that are written by rename: what is added together is there whole, or not at all, and what was there stays as it was.
//!
//! Useful for: some lines now and then, and files that are written from their first line to their last ([`JsonRows`]). Not useful for: a line a
//! step of a training.

use std::{
    fs, io,
    io::Write as _,
    path::{Path, PathBuf},
};

use serde::{Serialize, de::DeserializeOwned};
use system::AtomicFile;

use crate::error::{Error, Result};

/// A file that is written line by line, and is there once all of it is.
#[derive(Debug)]
pub(super) struct JsonRows {
    path: PathBuf,
    file: AtomicFile,
}

impl JsonRows {
    /// Begins a file.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn create(path: &Path) -> Result<Self> {
        Ok(Self { path: path.to_owned(), file: AtomicFile::create(path)? })
    }

    /// Adds a row.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn push(&mut self, row: &impl Serialize) -> Result<()> {
        let line = serde_json::to_string(row).expect("a row is JSON");
        writeln!(self.file, "{line}").map_err(Error::file("write", &self.path))
    }

    /// Ends it, in the place of what was there.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn publish(self) -> Result<()> {
        Ok(self.file.publish()?)
    }
}

/// The lines of a file; none where there is no such file.
///
/// # Errors
/// When it cannot be read, or a line is something else: with its number.
pub(super) fn read<T: DeserializeOwned>(path: &Path) -> Result<Vec<T>> {
    let text = text(path)?;
    let line = |(number, line): (u64, &str)| {
        serde_json::from_str(line)
            .map_err(|error| Error::Damaged { path: path.to_owned(), message: format!("line {number}: {error}") })
    };
    (1..).zip(text.lines()).map(line).collect()
}

/// Adds lines behind those that are there.
///
/// # Errors
/// When the file cannot be read or written.
pub(super) fn add<T: Serialize>(path: &Path, rows: &[T]) -> Result<()> {
    let text = text(path)? + &lines(rows);
    Ok(AtomicFile::write_whole(path, text.as_bytes())?)
}

/// Writes lines in the place of those that are there.
///
/// # Errors
/// When the file cannot be written.
pub(super) fn write<T: Serialize>(path: &Path, rows: &[T]) -> Result<()> {
    Ok(AtomicFile::write_whole(path, lines(rows).as_bytes())?)
}

fn lines<T: Serialize>(rows: &[T]) -> String {
    rows.iter().map(|row| serde_json::to_string(row).expect("a row is JSON") + "\n").collect()
}

fn text(path: &Path) -> Result<String> {
    match fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        text => text.map_err(Error::file("read", path)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_there_stays() -> Result<()> {
        let folder = tempfile::tempdir().expect("the temporary folder can be written");
        let path = folder.path().join("rows.jsonl");
        assert!(read::<u64>(&path)?.is_empty());
        fs::write(&path, "1  \n").expect("it can be written");
        add(&path, &[2, 3])?;
        assert_eq!(fs::read_to_string(&path).expect("it is there"), "1  \n2\n3\n");
        assert_eq!(read::<u64>(&path)?, [1, 2, 3]);
        let error = read::<bool>(&path).expect_err("they are numbers").to_string();
        assert!(error.contains("rows.jsonl is damaged: line 1: invalid type"), "{error}");
        Ok(())
    }
}
