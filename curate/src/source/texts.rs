//! The documents of a file, one after the other, without a plan.

use std::path::Path;

use super::{
    Columns, Format,
    row::{Outcome, Row},
};
use crate::error::{Error, Result};

/// A file of documents whose name says what it holds: `.parquet`, `.txt` (one document), else JSON lines; packed as gzip or zstd or not.
#[must_use]
pub fn format_of(path: &Path, text: &str) -> Format {
    let columns = Columns { text: text.to_owned(), ..Columns::default() };
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    let name = name.strip_suffix(".gz").or(name.strip_suffix(".zst")).unwrap_or(&name);
    match name.rsplit_once('.') {
        Some((_, "parquet")) => Format::Parquet(columns),
        Some((_, "txt" | "md")) => Format::Text { begins: None },
        _ => Format::JsonLines(columns),
    }
}

/// Gives `take` the id and the text of every document of a file.
///
/// - returns: records that are no documents
///
/// # Errors
/// When the file cannot be read.
pub fn each_text(format: &Format, path: &Path, source: &str, mut take: impl FnMut(String, String)) -> Result<u64> {
    let read = |error| Error::File { action: "read", path: path.to_owned(), source: error };
    let mut records = format.open(path).map_err(read)?;
    let mut others = 0;
    while let Some(raw) = records.next_raw().map_err(read)? {
        let Row { id, outcome, .. } = format.row(source, &raw);
        match (id, outcome) {
            (Some(id), Outcome::Text(text)) => take(id.to_string(), text),
            _ => others += 1,
        }
    }
    Ok(others)
}
