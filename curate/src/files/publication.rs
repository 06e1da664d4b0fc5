//! What a plan ends in: files, each with columns of its own.

use std::path::PathBuf;

use datafusion::arrow::datatypes::Schema;
use serde::{Deserialize, Serialize};

/// One file that a plan ends in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Publication {
    /// Where it will stand.
    pub path: PathBuf,
    /// Names of the input's columns, and whether they may be empty. A column of structs is spread into its fields.
    pub columns: Vec<(String, bool)>,
    /// Leave out the rows in which this column is null.
    pub where_present: Option<String>,
    /// Gather the rows by this column, a `u32`: each row group holds those of one value. Their order is lost.
    pub grouped_by: Option<String>,
}

impl Publication {
    /// A file of the given schema.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>, schema: &Schema) -> Self {
        let columns = schema.fields().iter().map(|field| (field.name().clone(), field.is_nullable())).collect();
        Self { path: path.into(), columns, where_present: None, grouped_by: None }
    }

    /// The same, of the rows alone in which `column` is not null.
    #[must_use]
    pub fn where_present(mut self, column: &str) -> Self {
        self.where_present = Some(column.to_owned());
        self
    }

    /// The same, with row groups of one value of `column` each.
    #[must_use]
    pub fn grouped_by(mut self, column: &str) -> Self {
        self.grouped_by = Some(column.to_owned());
        self
    }
}
