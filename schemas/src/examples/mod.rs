//! Examples: from the rows of a task's files to what templates know of them.
//!
//! ```text
//! file -> rows -> items (`each`) -> values: computed fields, choices, answer (`filter` leaves some out)
//! ```
//!
//! Useful for: reading a task's data in the same way for training and for evaluation. Not useful for: words; see [`crate::prompt`].

mod read;
mod values;

use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use read::{ExampleFault, ExampleReader, Found, Read, objects_of};
pub(crate) use values::known_names;
pub use values::{ExpressionFault, Expressions, Object, Values};

use crate::paths::unpacked_name;

/// What the examples of a task are made of.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ExampleRules {
    /// How files are read; what their names end in says by default.
    pub format: Option<ExampleFormat>,
    /// For CSV and TSV without a row of names: the names of the columns.
    pub columns: Option<Vec<String>>,
    /// For lines: a regular expression whose named groups are the fields.
    pub pattern: Option<String>,
    /// The fields of an example. Every one has all of them.
    pub fields: Vec<String>,
    /// An expression for a list, of which each element makes an example of its own.
    pub each: Option<String>,
    /// An expression that is true of the examples that are wanted.
    pub filter: Option<String>,
    /// Expressions for further fields.
    pub computed: Vec<(String, String)>,
    /// The alternatives of an answer.
    pub choices: Option<Choices>,
    /// An expression for the right answer.
    pub answer: Option<String>,
    /// An expression for all answers that are right.
    pub references: Option<String>,
}

impl ExampleRules {
    /// How a file is read.
    #[must_use]
    pub fn format_of(&self, path: &Path) -> ExampleFormat {
        self.format.or_else(|| ExampleFormat::of(path)).unwrap_or(ExampleFormat::JsonLines)
    }
}

/// The alternatives of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Choices {
    /// The same for every example.
    Fixed(Vec<String>),
    /// An expression for a list.
    Each(String),
}

/// How a file of examples is read. But for Parquet, it may be packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ExampleFormat {
    /// One JSON object a line.
    JsonLines,
    /// One JSON list of objects.
    Json,
    /// Fields between commas, below a row of names.
    Csv,
    /// Fields between tabs, below a row of names. A quotation mark is a character like any other.
    Tsv,
    /// One example a line, by a pattern.
    Lines,
    /// `SQuAD`'s nested JSON: `id`, `title`, `context`, `question`, `answers` and `answer_starts`.
    Squad,
    /// Parquet.
    Parquet,
}

impl ExampleFormat {
    /// What the name of a file says of its format, below an ending such as `.gz`.
    #[must_use]
    pub fn of(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_string_lossy().to_lowercase();
        match unpacked_name(&name).rsplit_once('.')?.1 {
            "jsonl" | "ndjson" => Some(Self::JsonLines),
            "json" => Some(Self::Json),
            "csv" => Some(Self::Csv),
            "tsv" => Some(Self::Tsv),
            "txt" => Some(Self::Lines),
            "parquet" => Some(Self::Parquet),
            _ => None,
        }
    }
}
