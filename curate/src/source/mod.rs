//! Where documents come from.
//!
//! ```text
//! file -> raw records, one after the other -> rows, on all cores -> batches in the order of the file
//! ```
//!
//! Whatever stands in a file becomes a row: a document, a record that is none, with the reason, or a fault.
//!
//! Useful for: web archives, JSON lines, Parquet, pages, plain text, examples of tasks. Not useful for: facts about the text; see [`crate::measure`].

mod benchmark;
mod clean;
mod columns;
mod copy;
mod csv;
mod examples;
mod exec;
mod json_lines;
mod lists;
mod parquet;
mod plain_text;
mod posts;
mod raw;
mod row;
mod table;
mod texts;
mod warc;
mod windows;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::files::Version;

pub use benchmark::{Benchmark, Example, ExampleFile, ExampleKind};
pub use clean::{Cleaning, UnicodeForm};
pub use columns::Columns;
pub use copy::{Kept, VERSION as COPY_VERSION, copy_records};
pub use examples::{TaskExample, Unread, each_task_example, own_examples};
pub use exec::{ReadExec, Reading};
pub use lists::{each_line, read_list, unpacked};
pub use posts::each_post;
pub use row::{Reason, VERSION as ROWS_VERSION, records, rows_schema};
pub use table::read_table;
pub use texts::{Others, each_text, format_of};
pub use warc::WarcOptions;
pub use windows::Windows;

/// How a source's files are read.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// Web archives: WARC, WET or ARC, packed or not.
    Warc(WarcOptions),
    /// Pages, packed or not: one HTML document a file.
    Html(WarcOptions),
    /// JSON lines, packed or not: one object a line.
    JsonLines(Columns),
    /// Parquet: one row a document. An offset is the number of a row.
    Parquet(Columns),
    /// CSV, packed or not: a row a document, below one that names the columns.
    Csv {
        /// Which columns hold what.
        columns: Columns,
        /// What divides the fields: a comma, or a tab.
        delimiter: u8,
    },
    /// Plain text, packed or not: one document a file, or one for each line that matches a pattern.
    Text {
        /// A regular expression; a line that it matches begins a document.
        begins: Option<String>,
    },
    /// Examples of a task: the text of one is its object, as JSON.
    Examples(Box<schemas::examples::ExampleRules>),
}

impl Format {
    /// The versions of the code that reads it.
    #[must_use]
    pub fn versions(&self) -> Vec<Version> {
        match self {
            Self::Warc(options) => vec![warc::VERSION, options.extract.version()],
            Self::Html(options) => vec![plain_text::VERSION, options.extract.version()],
            Self::JsonLines(_) => vec![json_lines::VERSION],
            Self::Parquet(_) => vec![parquet::VERSION],
            Self::Csv { .. } => vec![csv::VERSION],
            Self::Text { .. } => vec![plain_text::VERSION],
            Self::Examples(_) => vec![examples::VERSION],
        }
    }
}

/// A source: its name, which is a part of every id, its files and how to read them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Source {
    /// The name.
    pub name: String,
    /// The files, sorted; a file's place is the number of its part.
    pub files: Vec<PathBuf>,
    /// How they are read.
    pub format: Format,
    /// What is done to its texts, in this order.
    pub clean: Vec<Cleaning>,
    /// Largest share of records that may be broken, over the whole source.
    pub max_error_rate: f64,
    /// Largest share of the files' bytes on disk that may be lost; 0 for none.
    pub max_lost_rate: f64,
}
