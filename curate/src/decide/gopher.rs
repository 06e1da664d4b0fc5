//! The Gopher quality rules.

use datafusion::{
    logical_expr::Expr,
    prelude::{col, lit},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::verdict::{Rule, first_reason};

/// The Gopher quality rules. Defaults are Rae et al. 2021, table A1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct GopherQuality {
    /// Fewest words in a document.
    pub min_words: u64,
    /// Most words in a document.
    pub max_words: u64,
    /// Shortest mean length of a word, in characters.
    pub min_mean_word_length: f64,
    /// Longest mean length of a word, in characters.
    pub max_mean_word_length: f64,
    /// Most hash marks a word.
    pub max_hashes_per_word: f64,
    /// Most ellipses a word.
    pub max_ellipses_per_word: f64,
    /// Largest share of lines that begin with a bullet.
    pub max_bullet_lines: f64,
    /// Largest share of lines that end in an ellipsis.
    pub max_ellipsis_lines: f64,
    /// Smallest share of words that have a letter.
    pub min_letter_words: f64,
    /// Fewest different stop words, of eight.
    pub min_stop_words: u64,
}

impl Default for GopherQuality {
    fn default() -> Self {
        Self {
            min_words: 50,
            max_words: 100_000,
            min_mean_word_length: 3.0,
            max_mean_word_length: 10.0,
            max_hashes_per_word: 0.1,
            max_ellipses_per_word: 0.1,
            max_bullet_lines: 0.9,
            max_ellipsis_lines: 0.3,
            min_letter_words: 0.8,
            min_stop_words: 2,
        }
    }
}

impl Rule for GopherQuality {
    fn reason(&self) -> Expr {
        first_reason([
            (col("words").lt(lit(self.min_words)), "gopher_too_short"),
            (col("words").gt(lit(self.max_words)), "gopher_too_long"),
            (col("mean_word_length").lt(lit(self.min_mean_word_length)), "gopher_short_words"),
            (col("mean_word_length").gt(lit(self.max_mean_word_length)), "gopher_long_words"),
            (col("hashes_per_word").gt(lit(self.max_hashes_per_word)), "gopher_hashes"),
            (col("ellipses_per_word").gt(lit(self.max_ellipses_per_word)), "gopher_ellipses"),
            (col("bullet_line_share").gt(lit(self.max_bullet_lines)), "gopher_bullets"),
            (col("ellipsis_line_share").gt(lit(self.max_ellipsis_lines)), "gopher_ellipsis_lines"),
            (col("letter_word_share").lt(lit(self.min_letter_words)), "gopher_letters"),
            (col("stop_words").lt(lit(self.min_stop_words)), "gopher_stop_words"),
        ])
    }
}
