//! How fastText is trained.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::line_form::LineForm;

/// How fastText is trained, by its own names. The defaults are DCLM's, which are the original's but for bigrams.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct FastTextConfig {
    /// Size of word vectors.
    pub dim: u16,
    /// Number of epochs.
    pub epochs: u16,
    /// Learning rate at the start.
    pub lr: f64,
    /// Longest word n-gram.
    pub word_ngrams: u16,
    /// Number of buckets that word n-grams are hashed into. The model has a vector for each: 4 bytes a number.
    pub bucket: u32,
    /// Fewest times that a word occurs.
    pub min_count: u16,
    /// Threads that train side by side. More than one is faster, and does not give the same model again: the manifest says so.
    pub threads: u16,
    /// How texts are written down for it.
    pub text: LineForm,
}

impl Default for FastTextConfig {
    /// Li et al. 2024 (DCLM), appendix; what is not said there is fastText's default, but that words are divided where a script does not.
    fn default() -> Self {
        Self {
            dim: 100,
            epochs: 5,
            lr: 0.1,
            word_ngrams: 2,
            bucket: 2_000_000,
            min_count: 1,
            threads: 1,
            text: LineForm::Divided,
        }
    }
}
