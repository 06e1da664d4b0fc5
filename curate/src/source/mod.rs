//! Where documents come from.
//!
//! ```text
//! file -> raw records, one after the other -> rows, on all cores -> batches in the order of the file
//! ```
//!
//! Whatever stands in a file becomes a row: a document, a record that is none, with the reason, or a fault. The formats are listed here; each
//! stands in a file of its own, as `format.rs` says.
//!
//! Useful for: web archives, JSON lines, Parquet, Arrow, pages, plain text, examples of tasks. Not useful for: facts about the text; see [`crate::measure`].

mod arrow;
mod batch_rows;
mod benchmark;
mod benchmark_recipe;
mod clean;
mod columns;
mod copy;
mod csv;
mod examples;
mod exec;
mod files;
mod format;
mod html;
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

use std::io;

use schemars::JsonSchema;
use schemas::{examples::ExampleRules, share::Share};
use serde::{Deserialize, Serialize};

use self::{
    copy::Copying,
    format::{Listed, ListedFormat, SourceFile, SourceFormat, formats},
    raw::RawReader,
};
use crate::{
    extract::Extractor,
    files::{Text, Version},
};

pub use benchmark::{Benchmark, Example, ExampleFile, ExampleKind};
pub use benchmark_recipe::BenchmarkRecipe;
pub use clean::{Cleaning, UnicodeForm};
pub use columns::{Columns, ColumnsRecipe};
pub use copy::{Kept, VERSION as COPY_VERSION, copy_records};
pub use csv::CsvOptions;
pub use examples::{TaskExample, Unread, each_task_example, own_examples};
pub use exec::{ReadExec, Reading};
pub use files::Source;
pub use lists::{each_line, read_list, unpacked};
pub use plain_text::TextOptions;
pub use posts::each_post;
pub use row::{Reason, VERSION as ROWS_VERSION, records, rows_schema};
pub use table::read_table;
pub use texts::{Others, each_text, format_of};
pub use warc::WarcOptions;
pub use windows::Windows;

formats! {
    /// Web archives: WARC, WET or ARC, packed or not.
    Warc(WarcOptions) => warc::WarcRecords, by [warc];
    /// Pages, packed or not: one HTML document a file.
    Html(WarcOptions) => html::Pages, by [html];
    /// JSON lines, packed or not: one object a line.
    JsonLines(Columns) => json_lines::Lines, by [jsonl];
    /// Parquet: one row a document. An offset is the number of a row.
    Parquet(Columns) => parquet::Rows, by [parquet];
    /// Files and streams of Arrow: one row a document. An offset is the number of a row.
    Arrow(Columns) => arrow::ArrowRows, by [arrow];
    /// CSV, packed or not: a row a document, below one that names the columns.
    Csv(CsvOptions) => csv::CsvRows, by [csv, tsv];
    /// Plain text, packed or not: one document a file, or one for each line that matches a pattern.
    Text(TextOptions) => plain_text::Pieces, by [text];
    /// Examples of a task: the text of one is its object, as JSON.
    Examples(Box<ExampleRules>) => examples::Examples, by [];
}

/// A source of documents. One of `warc`, `html`, `jsonl`, `parquet`, `arrow`, `csv`, `tsv` and `text` lists its files.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SourceRecipe {
    /// Web archives: WARC, WET or ARC, packed or not; `*` stands for any name.
    #[schemars(with = "Option<Vec<String>>")]
    pub warc: Option<Vec<Text>>,
    /// Pages, packed or not: one HTML document a file.
    #[schemars(with = "Option<Vec<String>>")]
    pub html: Option<Vec<Text>>,
    /// JSON lines, plain or packed as gzip, bzip2, xz, zstd or LZ4, as all files of text may be.
    #[schemars(with = "Option<Vec<String>>")]
    pub jsonl: Option<Vec<Text>>,
    /// Parquet.
    #[schemars(with = "Option<Vec<String>>")]
    pub parquet: Option<Vec<Text>>,
    /// Files and streams of Arrow, such as those of `datasets`, and Feather of version 2.
    #[schemars(with = "Option<Vec<String>>")]
    pub arrow: Option<Vec<Text>>,
    /// CSV, packed or not; the first row names the columns.
    #[schemars(with = "Option<Vec<String>>")]
    pub csv: Option<Vec<Text>>,
    /// The same, with tabs between fields.
    #[schemars(with = "Option<Vec<String>>")]
    pub tsv: Option<Vec<Text>>,
    /// Plain text, packed or not.
    #[schemars(with = "Option<Vec<String>>")]
    pub text: Option<Vec<Text>>,
    /// For archives and pages: what turns a page into text.
    #[serde(default)]
    pub extract: Extractor,
    /// For archives and pages: the largest page, in bytes.
    #[serde(default = "warc::ten_mebibytes")]
    pub max_page_bytes: usize,
    /// For archives and pages, with `extract = "tamis"`: the most nodes of a page's tree.
    #[serde(default = "warc::most_nodes")]
    pub max_page_nodes: u32,
    /// For archives and pages, with `extract = "tamis"`: the most elements within each other.
    #[serde(default = "warc::most_levels")]
    pub max_page_depth: u16,
    /// For archives and pages, with `extract = "trafilatura"`: the most seconds for a page. A run that this limit stops cannot
    /// promise the same bytes again.
    #[serde(default = "warc::most_seconds")]
    pub max_page_seconds: u32,
    /// What is done to texts before they are documents, in this order.
    #[serde(default)]
    pub clean: Vec<Cleaning>,
    /// For JSON lines, Parquet, Arrow, CSV and TSV: which keys or columns hold what.
    #[serde(default)]
    pub columns: ColumnsRecipe,
    /// For plain text: a line that matches this regular expression begins a document. Without it, a file is one.
    #[schemars(with = "Option<String>")]
    pub begins: Option<Text>,
    /// Largest share of records that may be broken.
    #[serde(default = "one_percent")]
    pub max_error_rate: Share,
    /// Largest share of the files' bytes on disk that may be lost: where a file breaks off or cannot be unpacked, and where a member of an
    /// archive is corrupt. All bytes of a file whose end is missing count, for nobody knows how much is missing.
    #[serde(default)]
    pub max_lost_rate: Share,
    /// The licence of its texts, for the cards of mixtures.
    pub licence: Option<String>,
}

/// The share of records that may be broken, unless a recipe says it.
pub(crate) fn one_percent() -> Share {
    Share::of(0.01)
}
