//! The lines of a file, packed or not, with their numbers.

use std::path::Path;

use super::{read_options::ReadOptions, rows::Rows};
use crate::error::Result;

/// The lines of one file that are not empty, in their order.
pub struct Lines {
    rows: Rows,
    waiting: std::vec::IntoIter<(u64, String)>,
}

impl Lines {
    /// Opens a file.
    ///
    /// # Errors
    /// When it cannot be read, or its name says that it has no lines.
    pub fn open(path: &Path, options: ReadOptions) -> Result<Self> {
        let rows = Rows::open(path, options, |_| Err("it is Parquet, and has no lines".to_owned()))?;
        Ok(Self { rows, waiting: Vec::new().into_iter() })
    }

    /// The next line, with its number from 1; none at the end.
    ///
    /// # Errors
    /// When it cannot be read, or is not UTF-8.
    pub fn next_line(&mut self) -> Result<Option<(u64, String)>> {
        loop {
            if let Some(line) = self.waiting.next() {
                return Ok(Some(line));
            }
            let of_line = |line: &[u8], number: usize| match std::str::from_utf8(line) {
                Ok(text) => Ok((number as u64, text.to_owned())),
                Err(error) => Err(format!("it is not UTF-8: {error}")),
            };
            let few = self.rows.next_few(|_, _| unreachable!("it has lines"), of_line)?;
            let Some(few) = few else { return Ok(None) };
            self.waiting = few.into_iter();
        }
    }
}
