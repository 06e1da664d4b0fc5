//! The Arrow schemas of what one program writes and the other, or a stranger, reads.
//!
//! Column names are the field's own (`text`, `prompt`, `completion`), so that other trainers and readers take the files
//! as they are. Strings are plain Parquet strings; files carry no Arrow-specific metadata.

use std::sync::Arc;

use arrow_schema::{DataType, Field, FieldRef, Schema, SchemaRef};

use crate::task::Form;

/// A column that every row fills.
fn required(name: &str, data_type: DataType) -> Field {
    Field::new(name, data_type, false)
}

/// A column that may be empty.
fn optional(name: &str, data_type: DataType) -> Field {
    Field::new(name, data_type, true)
}

/// `documents/SOURCE/part-*.parquet`: one row for each document that could be read.
///
/// `date` is the day of capture; `published`, the day on which the page says it was published. `language` is what the page or row
/// says of itself, not what a model thinks. `truncated` says how it shows that a page is cut: `length`, `time`, `disconnect`, `unspecified`
/// (the crawler's words, from WARC-Truncated), `segment`, `chunks`, `content_encoding` or `content_length`; null for whole pages. `links` are those of the text, in full, null where there are none. `text` is never
/// empty.
#[must_use]
pub fn documents() -> SchemaRef {
    Arc::new(Schema::new(vec![
        required("id", DataType::Utf8View),
        optional("url", DataType::Utf8View),
        optional("date", DataType::Utf8View),
        optional("title", DataType::Utf8View),
        optional("published", DataType::Utf8View),
        optional("language", DataType::Utf8View),
        optional("truncated", DataType::Utf8View),
        optional("links", links()),
        required("text", DataType::Utf8View),
    ]))
}

/// The type of the column `links`.
#[must_use]
pub fn links() -> DataType {
    texts_list()
}

/// The columns that every `decisions/STAGE.parquet` begins with; a stage adds its own behind them.
///
/// `verdict` is `keep` or `drop`; `reason` is null for what is kept.
#[must_use]
pub fn decisions() -> SchemaRef {
    Arc::new(Schema::new(vec![
        required("id", DataType::Utf8View),
        required("source", DataType::Utf8View),
        required("verdict", DataType::Utf8View),
        optional("reason", DataType::Utf8View),
    ]))
}

/// A text mixture: one row for each copy of a document.
#[must_use]
pub fn text_mixture() -> SchemaRef {
    Arc::new(Schema::new(vec![
        required("id", DataType::Utf8View),
        required("source", DataType::Utf8View),
        required("text", DataType::Utf8View),
    ]))
}

/// A mixture of examples: one row for each example, copy and template.
#[must_use]
pub fn examples_mixture(form: Form) -> SchemaRef {
    let texts = |names: &[&str]| names.iter().map(|name| required(name, DataType::Utf8View)).collect::<Vec<_>>();
    let own = match form {
        Form::Completion => texts(&["prompt", "completion"]),
        Form::Preference => texts(&["prompt", "chosen", "rejected"]),
        Form::Retrieval => [texts(&["query", "positive"]), vec![required("negatives", texts_list())]].concat(),
        Form::Sequences => vec![required("sequences", texts_list()), required("label", DataType::Int64)],
    };
    Arc::new(Schema::new([texts(&["id", "source", "task", "template"]), own].concat()))
}

/// A list of texts, of which none is missing.
fn texts_list() -> DataType {
    DataType::List(list_item())
}

/// An item of a list of texts.
#[must_use]
pub fn list_item() -> FieldRef {
    Arc::new(Field::new("item", DataType::Utf8View, false))
}
