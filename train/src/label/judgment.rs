//! A judgment as it stands in the database.

use std::path::Path;

use rusqlite::Row;

use super::verdict::Verdict;
use crate::error::{Error, Result};

/// What of a row is read, in its order.
pub const COLUMNS: &str = "number, item, labeler, kind, value, skip, created_at, replaced_by";

/// A row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredJudgment {
    pub number: i64,
    pub item: i64,
    pub labeler: String,
    pub kind: String,
    pub value: Option<String>,
    pub skip: Option<String>,
    /// Seconds since 1970.
    pub created_at: i64,
    /// The judgment by which this one counts no more.
    pub replaced_by: Option<i64>,
}

/// A judgment that counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgment {
    pub number: i64,
    pub item: i64,
    pub labeler: String,
    pub verdict: Verdict,
}

impl StoredJudgment {
    /// That of a row with [`COLUMNS`].
    pub fn of_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            number: row.get(0)?,
            item: row.get(1)?,
            labeler: row.get(2)?,
            kind: row.get(3)?,
            value: row.get(4)?,
            skip: row.get(5)?,
            created_at: row.get(6)?,
            replaced_by: row.get(7)?,
        })
    }

    /// What it says; none where it takes another one back.
    ///
    /// # Errors
    /// When its columns hold nothing of its kind: in words.
    pub fn verdict(&self) -> Result<Option<Verdict>, String> {
        Verdict::of_columns(&self.kind, self.value.clone(), self.skip.clone())
    }

    /// The same, of one that says something.
    ///
    /// # Errors
    /// When it does not: with its row.
    pub fn judgment(self, path: &Path) -> Result<Judgment> {
        match self.verdict().and_then(|verdict| verdict.ok_or_else(|| "it judges nothing".to_owned())) {
            Ok(verdict) => {
                let Self { number, item, labeler, .. } = self;
                Ok(Judgment { number, item, labeler, verdict })
            }
            Err(message) => Err(Error::DamagedLabels {
                path: path.to_owned(),
                table: "judgments",
                row: self.number.to_string(),
                message,
            }),
        }
    }
}
