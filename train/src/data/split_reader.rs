//! Rows of a source that are few enough for memory: those to train on, and those to judge by.
//!
//! ```text
//! train-*        each row by the hash of its text -> to train on, or to judge by       where there are files validation-*, all to train on
//! validation-*   all -> to judge by
//! ```

use std::{
    path::{Path, PathBuf},
    slice,
};

use super::{HashedFiles, Lost, ReadOptions, Split, read_options, tokens::RandomSplit};
use crate::error::Result;

/// Rows to train on, which nobody asks for their ids, and rows to judge by.
pub type Sides<R> = [R; 2];
/// The side that is trained on.
pub const TRAIN: usize = 0;
/// The side that is judged by.
pub const JUDGE: usize = 1;

/// Reads the rows of a source, which say themselves what they are by [`Self::read`].
pub trait SplitReader {
    /// What is held of rows.
    type Rows: Default;

    /// How files are read.
    fn options(&self) -> ReadOptions;

    /// Reads a file, of which each row goes to the side that the hash of its text says. Returns how many bytes of it are lost.
    ///
    /// # Errors
    /// When it cannot be read, or a row is at fault: file and row are named.
    fn read(&self, file: &Path, sides: &mut Sides<Self::Rows>, side: &dyn Fn(u64) -> usize) -> Result<u64>;

    /// The rows of one file, with their ids.
    ///
    /// # Errors
    /// When it cannot be read, more of it is lost than may be, or a row is at fault: file and row are named.
    fn file(&self, path: &Path, lost: &mut Vec<Lost>) -> Result<Self::Rows> {
        let mut sides = Sides::default();
        files(self, path, slice::from_ref(&path.to_owned()), lost, &mut sides, &|_| JUDGE)?;
        let [_, rows] = sides;
        Ok(rows)
    }

    /// The rows that a source has to train on, and those that are drawn from its files for validation, where it has none for that.
    ///
    /// - `share`: of the texts that is drawn, in `0.0..1.0`
    ///
    /// # Errors
    /// As [`Self::file`].
    fn training(&self, source: &HashedFiles, seed: u64, share: f64, lost: &mut Vec<Lost>) -> Result<Sides<Self::Rows>> {
        let split = RandomSplit { seed, share, split: Split::Validation };
        let draws = source.files.validation.is_empty();
        let mut sides = Sides::default();
        let side = |hash| if draws && split.takes(hash) { JUDGE } else { TRAIN };
        files(self, &source.files.path, &source.files.train, lost, &mut sides, &side)?;
        Ok(sides)
    }

    /// The rows of a source's files for validation, if it has such.
    ///
    /// # Errors
    /// As [`Self::file`].
    fn validation(&self, source: &HashedFiles, lost: &mut Vec<Lost>) -> Result<Self::Rows> {
        let mut sides = Sides::default();
        files(self, &source.files.path, &source.files.validation, lost, &mut sides, &|_| JUDGE)?;
        let [_, rows] = sides;
        Ok(rows)
    }
}

/// Reads files of a source, of which no more may be lost than its options say.
fn files<R: SplitReader + ?Sized>(
    reader: &R,
    source: &Path,
    files: &[PathBuf],
    lost: &mut Vec<Lost>,
    sides: &mut Sides<R::Rows>,
    side: &dyn Fn(u64) -> usize,
) -> Result<()> {
    let before = lost.len();
    for file in files {
        let lost_bytes = reader.read(file, sides, side)?;
        if lost_bytes > 0 {
            lost.push(Lost { file: file.display().to_string(), lost_bytes, of_bytes: read_options::size(file)? });
        }
    }
    reader.options().check_lost(source, files, lost[before..].iter().map(|lost| lost.lost_bytes).sum())
}
