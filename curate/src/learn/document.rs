//! Documents that a classifier learns from, each on one of two sides.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which side a document stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Label {
    /// The reference.
    Positive,
    /// What is to be told from it.
    Negative,
}

/// A labelled document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// The document's id.
    pub id: String,
    /// Its source.
    pub source: String,
    /// Its language, where that is known.
    pub language: Option<String>,
    /// Its side.
    pub label: Label,
    /// The text.
    pub text: String,
}
