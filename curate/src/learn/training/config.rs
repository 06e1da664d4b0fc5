//! How a classifier is trained.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::learn::kind::Kind;

/// How a classifier is trained.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Training {
    /// The classifier's name.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// Words in a chunk.
    pub chunk_words: usize,
    /// Most chunks of one document.
    pub max_chunks: usize,
    /// What decides which documents are held out, and which chunks are taken.
    pub seed: u64,
    /// Labelled files to try it on.
    pub labels: Vec<PathBuf>,
    /// The share of a text's words and n-grams that it has to know to score it.
    pub min_known: f64,
}
