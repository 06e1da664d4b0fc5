//! The columns of what one program writes and the other, or a stranger, reads.
//!
//! ```text
//! documents/     id, url, date, title, published, language, truncated, links, text
//! facts/         id, and what a family measures
//! decisions/     id, source, verdict, reason, and what a stage adds
//! mixtures/      id, source, text
//!                id, source, task, template, and prompt, completion
//!                                             or prompt, chosen, rejected
//!                                             or query, positive, negatives
//!                                             or sequences, label
//! ```
//!
//! Column names are the field's own, so that other trainers and readers take the files as they are. Strings are plain Parquet strings;
//! files carry no Arrow-specific metadata.

mod decisions;
mod documents;
mod mixtures;

use std::sync::Arc;

use arrow_schema::{DataType, Field, FieldRef};

pub use decisions::{REASON, VERDICT, decisions};
pub use documents::{DATE, LANGUAGE, LINKS, PUBLISHED, TITLE, TRUNCATED, URL, documents, links};
pub use mixtures::{
    ANSWERS, CHOSEN, COMPLETION, LABEL, MESSAGES, NEGATIVES, POSITIVE, PROMPT, QUERY, RANKS, REJECTED, SEQUENCES, TASK,
    TEMPLATE, examples_mixture, pairs_mixture, text_mixture,
};

/// The document's id, as [`crate::identity::DocumentId`] is written.
pub const ID: &str = "id";
/// The source's name in the recipe.
pub const SOURCE: &str = "source";
/// The text.
pub const TEXT: &str = "text";

/// A column that every row fills.
fn required(name: &str, data_type: DataType) -> Field {
    Field::new(name, data_type, false)
}

/// A column that may be empty.
fn optional(name: &str, data_type: DataType) -> Field {
    Field::new(name, data_type, true)
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
