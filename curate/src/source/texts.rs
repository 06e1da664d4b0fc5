//! The documents of a file, one after the other, without a plan.

use std::path::Path;

use schemas::paths::unpacked_name;

use super::{
    Columns, Format, TextOptions,
    row::{Outcome, Row},
    windows::Windows,
};
use crate::error::{Error, Result};

/// A file of documents whose name says what it holds: `.parquet`, `.txt` (one document), else JSON lines; packed or not.
#[must_use]
pub fn format_of(path: &Path, text: &str) -> Format {
    let columns = Columns { text: text.to_owned(), ..Columns::default() };
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    match unpacked_name(&name).rsplit_once('.') {
        Some((_, "parquet")) => Format::Parquet(columns),
        Some((_, "txt" | "md")) => Format::Text(TextOptions::default()),
        _ => Format::JsonLines(columns),
    }
}

/// What of a file is no document.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Others {
    /// Records that are none.
    pub records: u64,
    /// Those of them that are broken.
    pub broken: u64,
    /// Stretches of the file that cannot be read: bytes that are lost, and what is wrong.
    pub lost: Vec<(u64, String)>,
}

/// Gives `take` the id and the text of every document of a file.
///
/// - returns: what is none
///
/// # Errors
/// When the file cannot be read.
pub fn each_text(format: &Format, path: &Path, source: &str, mut take: impl FnMut(String, String)) -> Result<Others> {
    let read = |error| Error::File { action: "read", path: path.to_owned(), source: error };
    let mut records = format.open(path, &Windows::default()).map_err(read)?;
    let mut others = Others::default();
    while let Some(raw) = records.next_raw().map_err(read)? {
        let Row { id, outcome, lost, .. } = raw.row(source);
        match (id, outcome, lost) {
            (Some(id), Outcome::Text(text), _) => take(id.to_string(), text),
            (_, Outcome::Quarantined(fault, detail), Some(bytes)) => {
                others.lost.push((bytes, format!("{fault}: {detail}")));
            }
            (_, outcome, _) => {
                others.records += 1;
                others.broken += u64::from(matches!(outcome, Outcome::Quarantined(..)));
            }
        }
    }
    Ok(others)
}
