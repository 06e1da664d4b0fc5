//! Rows out of a file of Parquet or JSON lines, a few at a time: what each kind of rows has in common.
//!
//! ```text
//! Parquet      the columns that are wanted -> batches, few rows each where rows are long -> rows
//! JSON lines   unpacked -> lines, but for empty ones -> rows
//! ```
//!
//! Useful for: readers of rows, which say what a batch and a line hold ([`super::Documents`], [`super::labelled_rows`]). Not useful for:
//! anything that looks into columns.

use std::{
    fs::File,
    io::BufRead as _,
    path::{Path, PathBuf},
};

use arrow::{array::RecordBatch, datatypes::Schema};
use compression::Unpacked;
use parquet::arrow::{
    ProjectionMask,
    arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder},
};
use schemas::byte_order_mark::without_mark;

use super::{files::Format, read_options::ReadOptions};
use crate::error::{Error, Result};

/// Bytes of rows that are in memory together, about.
const CHUNK: usize = 4 << 20;

/// What is wrong with a batch: in one of its rows, from 0, or in a column as a whole.
pub(super) type BatchFault = (Option<usize>, String);

/// The rows of one file, in their order.
pub(super) struct Rows {
    path: PathBuf,
    options: ReadOptions,
    lost: u64,
    /// Rows or lines that have been read.
    before: usize,
    reader: Reader,
}

enum Reader {
    Parquet(ParquetRecordBatchReader),
    JsonLines(Unpacked<File>),
}

impl Rows {
    /// Opens a file; by its name, which is one of JSON lines where it says nothing.
    ///
    /// - `columns`: which columns of a Parquet file are read, as far as they are there; or what is wrong with it
    ///
    /// # Errors
    /// When it cannot be read, or has no such columns.
    pub fn open(
        path: &Path,
        options: ReadOptions,
        columns: impl FnOnce(&Schema) -> Result<Vec<&'static str>, String>,
    ) -> Result<Self> {
        let file = File::open(path).map_err(Error::file("read", path))?;
        let reader = match Format::of(path).unwrap_or(Format::JsonLines) {
            Format::Parquet => {
                let damaged = |message: String| Error::Damaged { path: path.to_owned(), message };
                Reader::Parquet(parquet(file, columns).map_err(damaged)?)
            }
            Format::JsonLines => Reader::JsonLines(options.open(file).map_err(Error::file("read", path))?),
        };
        Ok(Self { path: path.to_owned(), options, lost: 0, before: 0, reader })
    }

    /// Bytes of the file that are lost, as it is known so far.
    pub fn lost(&self) -> u64 {
        self.lost
    }

    /// What a row is called by its number, from 1.
    pub fn place(&self, number: usize) -> String {
        let unit = match self.reader {
            Reader::Parquet(_) => "row",
            Reader::JsonLines(_) => "line",
        };
        format!("{unit} {number}")
    }

    /// The error of a row by its number.
    pub fn fault(&self, number: usize, message: &str) -> Error {
        Error::Damaged { path: self.path.clone(), message: format!("{}: {message}", self.place(number)) }
    }

    /// The next few rows, some megabytes of them; none at the end.
    ///
    /// - `of_batch`: the rows of a batch, of which the number of the first is given, from 1
    /// - `of_line`: the row of a line, with its number
    ///
    /// # Errors
    /// When a row cannot be read: the file and the row or line are named.
    pub fn next_few<R>(
        &mut self,
        of_batch: impl FnOnce(&RecordBatch, usize) -> Result<Vec<R>, BatchFault>,
        of_line: impl Fn(&[u8], usize) -> Result<R, String>,
    ) -> Result<Option<Vec<R>>> {
        let Self { path, options, lost, before, reader } = self;
        let damaged = |message: String| Error::Damaged { path: path.clone(), message };
        match reader {
            Reader::Parquet(batches) => {
                let Some(batch) = batches.next() else { return Ok(None) };
                let batch = batch.map_err(|error| damaged(format!("after row {before}: {error}")))?;
                let rows = of_batch(&batch, *before + 1).map_err(|fault| match fault {
                    (Some(row), message) => damaged(format!("row {}: {message}", *before + row + 1)),
                    (None, message) => damaged(message),
                })?;
                *before += batch.num_rows();
                Ok(Some(rows))
            }
            Reader::JsonLines(lines) => {
                let (mut rows, mut bytes, mut line) = (Vec::new(), 0, Vec::new());
                while bytes < CHUNK && *lost == 0 {
                    line.clear();
                    match lines.read_until(b'\n', &mut line) {
                        Ok(0) => break,
                        Ok(_) => {}
                        Err(error) => {
                            *lost = options.lost(path, error)?;
                            break;
                        }
                    }
                    *before += 1;
                    let in_line = |message: String| damaged(format!("line {before}: {message}"));
                    let text = if *before == 1 { without_mark(&line) } else { Ok(&line[..]) };
                    let text = text.map_err(in_line)?.trim_ascii();
                    if !text.is_empty() {
                        rows.push(of_line(text, *before).map_err(in_line)?);
                        bytes += text.len();
                    }
                }
                Ok((!rows.is_empty()).then_some(rows))
            }
        }
    }
}

fn parquet(
    file: File,
    columns: impl FnOnce(&Schema) -> Result<Vec<&'static str>, String>,
) -> Result<ParquetRecordBatchReader, String> {
    let failed = |error: parquet::errors::ParquetError| error.to_string();
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(failed)?;
    let wanted = columns(builder.schema())?;
    let roots = builder.schema().fields().iter().enumerate();
    let roots = roots.filter(|(_, field)| wanted.contains(&field.name().as_str())).map(|(place, _)| place);
    let mask = ProjectionMask::roots(builder.parquet_schema(), roots.collect::<Vec<_>>());
    // few rows at a time where rows are long
    let groups = builder.metadata().row_groups();
    let (bytes, rows) = groups.iter().fold((0, 0), |(bytes, rows), group| {
        (bytes + group.total_byte_size().max(0).unsigned_abs(), rows + group.num_rows().max(0).unsigned_abs())
    });
    let together = (CHUNK as u64 * rows / bytes.max(1)).clamp(1, 8192);
    let together = usize::try_from(together).expect("it was clamped");
    builder.with_projection(mask).with_batch_size(together).build().map_err(failed)
}
