//! The list of records that could not be read.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::write_whole;
use crate::error::Result;

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
}

/// Publishes the list at `path`.
///
/// # Errors
/// When it cannot be written.
pub fn write_quarantine(records: &[Quarantined], path: &Path) -> Result<()> {
    let mut lines = Vec::new();
    for record in records {
        serde_json::to_writer(&mut lines, record).expect("the type is JSON");
        lines.push(b'\n');
    }
    write_whole(path, &lines)?;
    Ok(())
}
