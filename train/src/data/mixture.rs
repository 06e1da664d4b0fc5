//! A mixture on disk: the files that `curate` writes, or any folder of Parquet files with the same names and columns.

use std::{
    fs::File,
    path::{Path, PathBuf},
};

use arrow::array::{Array, AsArray as _, RecordBatch};
use parquet::arrow::{ProjectionMask, arrow_reader::ParquetRecordBatchReaderBuilder};

use crate::error::{Error, Result};

/// A part of a mixture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Split {
    /// To train on.
    Train,
    /// To judge by while training.
    Validation,
}

impl Split {
    fn prefix(self) -> &'static str {
        match self {
            Self::Train => "train-",
            Self::Validation => "validation-",
        }
    }
}

/// A folder of Parquet files.
#[derive(Debug, Clone)]
pub struct Mixture {
    folder: PathBuf,
}

impl Mixture {
    /// The mixture in `folder`.
    #[must_use]
    pub fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// Where it lies.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The files of a split, in the order of their names.
    ///
    /// # Errors
    /// When the folder cannot be listed, or has no file of the split.
    pub fn files(&self, split: Split) -> Result<Vec<PathBuf>> {
        let entries = std::fs::read_dir(&self.folder).map_err(Error::file("list", &self.folder))?;
        let mut files = Vec::new();
        for entry in entries {
            let path = entry.map_err(Error::file("list", &self.folder))?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let is_parquet = path.extension().is_some_and(|extension| extension == "parquet");
            if is_parquet && name.starts_with(split.prefix()) {
                files.push(path.clone());
            }
        }
        if files.is_empty() {
            let message = format!("there is no file {}*.parquet", split.prefix());
            return Err(Error::Mixture { path: self.folder.clone(), message });
        }
        files.sort();
        Ok(files)
    }

    /// The texts of a split in their order, until they have `limit` bytes: the column `text`, or a prompt with its completion.
    ///
    /// # Errors
    /// When a file cannot be read, or has neither of these columns.
    pub fn texts(&self, split: Split, limit: usize) -> Result<Vec<String>> {
        let mut texts = Vec::new();
        let mut bytes = 0;
        for path in self.files(split)? {
            let damaged = |message: String| Error::Damaged { path: path.clone(), message };
            let file = File::open(&path).map_err(Error::file("read", &path))?;
            let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|error| damaged(error.to_string()))?;
            let columns =
                columns(&builder.schema().fields().iter().map(|field| field.name().as_str()).collect::<Vec<_>>())
                    .ok_or_else(|| damaged("it has neither a column `text` nor `prompt` and `completion`".into()))?;
            let mask = ProjectionMask::columns(builder.parquet_schema(), columns.iter().copied());
            let reader = builder.with_projection(mask).build().map_err(|error| damaged(error.to_string()))?;
            for batch in reader {
                let batch = batch.map_err(|error| damaged(error.to_string()))?;
                for row in 0..batch.num_rows() {
                    let text: String = columns.iter().map(|name| text_at(&batch, name, row)).collect();
                    bytes += text.len();
                    texts.push(text);
                    if bytes >= limit {
                        return Ok(texts);
                    }
                }
            }
        }
        Ok(texts)
    }
}

/// The columns that make up a row's text.
fn columns(names: &[&str]) -> Option<&'static [&'static str]> {
    let candidates: [&[&str]; 2] = [&["text"], &["prompt", "completion"]];
    candidates.into_iter().find(|columns| columns.iter().all(|column| names.contains(column)))
}

fn text_at<'b>(batch: &'b RecordBatch, column: &str, row: usize) -> &'b str {
    let Some(column) = batch.column_by_name(column).filter(|column| column.is_valid(row)) else { return "" };
    let plain = column.as_string_opt::<i32>().map(|texts| texts.value(row));
    let large = || column.as_string_opt::<i64>().map(|texts| texts.value(row));
    let view = || column.as_string_view_opt().map(|texts| texts.value(row));
    plain.or_else(large).or_else(view).unwrap_or_default()
}
