//! The list of records that could not be read, and of stretches of files of whose records nothing is known.

use std::{fs, path::Path};

use serde::{Deserialize, Serialize};

use super::{Written, write_whole};
use crate::error::{Error, Result};

/// A line of `quarantine/SOURCE.jsonl`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quarantined {
    /// The file it stands in.
    pub file: String,
    /// Where it begins: the byte in the file; for gzip by member, where its member begins.
    pub offset: u64,
    /// Its key, where the header could be read.
    pub record: Option<String>,
    /// What is wrong, by its name.
    pub fault: String,
    /// What was found, in words.
    pub detail: Option<String>,
    /// Bytes of the file that are lost, where it is no record but a stretch that cannot be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lost: Option<u64>,
}

/// Publishes the list at `path`.
///
/// # Errors
/// When it cannot be written.
pub fn write_quarantine(records: &[Quarantined], path: &Path) -> Result<Written> {
    let mut lines = Vec::new();
    for record in records {
        serde_json::to_writer(&mut lines, record).expect("the type is JSON");
        lines.push(b'\n');
    }
    Ok(write_whole(path, &lines)?)
}

/// Reads the list at `path`; one that is not there is empty.
///
/// # Errors
/// When it cannot be read, or a line is none of it.
pub fn read_quarantine(path: &Path) -> Result<Vec<Quarantined>> {
    let text = match fs::read_to_string(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        text => text.map_err(Error::file("read", path))?,
    };
    let damaged = |error: serde_json::Error| Error::Damaged { path: path.to_owned(), message: error.to_string() };
    text.lines().map(|line| serde_json::from_str(line).map_err(damaged)).collect()
}
