//! The Gopher quality rules.

use datafusion::{
    logical_expr::Expr,
    prelude::{col, lit},
};
use schemars::JsonSchema;
use schemas::share::Share;
use serde::{Deserialize, Serialize};

use super::{Facts, RuleStep};
use crate::{
    decide::verdict::{Rule, first_reason, share},
    files::Version,
};

/// How Gopher's rules on quality judge.
pub const VERSION: Version = Version::new("decide/gopher_quality", 1);

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
    /// Which mean it is.
    pub word_length: WordLength,
    /// Most hash marks a word.
    pub max_hashes_per_word: f64,
    /// Most ellipses a word.
    pub max_ellipses_per_word: f64,
    /// Largest share of lines that begin with a bullet.
    pub max_bullet_lines: Share,
    /// Largest share of lines that end in an ellipsis.
    pub max_ellipsis_lines: Share,
    /// Smallest share of words that have a letter.
    pub min_letter_words: Share,
    /// Fewest different stop words, of eight.
    pub min_stop_words: u64,
    /// What shares are of.
    pub shares_of: SharesOf,
}

/// What the shares of the quality rules are of. Peers differ, and it matters: one token in seven of good prose is punctuation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SharesOf {
    /// Of words with a letter or digit, and of lines that are not blank: as the paper has it.
    #[default]
    Words,
    /// Of words and punctuation together, and of all lines: as datatrove counts, and so FineWeb.
    Tokens,
}

/// What the typical length of a word is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WordLength {
    /// The arithmetic mean, as the paper has it.
    #[default]
    Mean,
    /// The median, as Dolma has it.
    Median,
}

impl Default for GopherQuality {
    fn default() -> Self {
        Self {
            min_words: 50,
            max_words: 100_000,
            min_mean_word_length: 3.0,
            max_mean_word_length: 10.0,
            word_length: WordLength::Mean,
            max_hashes_per_word: 0.1,
            max_ellipses_per_word: 0.1,
            max_bullet_lines: Share::of(0.9),
            max_ellipsis_lines: Share::of(0.3),
            min_letter_words: Share::of(0.8),
            min_stop_words: 2,
            shares_of: SharesOf::Words,
        }
    }
}

impl Rule for GopherQuality {
    fn version(&self) -> Version {
        VERSION
    }

    fn reason(&self) -> Expr {
        let (words, lines) = match self.shares_of {
            SharesOf::Words => (col("words"), col("lines")),
            SharesOf::Tokens => (col("tokens"), col("line_feeds") + lit(1u64)),
        };
        let mean_word_length = match self.word_length {
            WordLength::Mean => share("word_characters", col("words")),
            WordLength::Median => share("twice_median_word_characters", lit(2u64)),
        };
        first_reason([
            (col("words").lt(lit(self.min_words)), "gopher_too_short"),
            (col("words").gt(lit(self.max_words)), "gopher_too_long"),
            (mean_word_length.clone().lt(lit(self.min_mean_word_length)), "gopher_short_words"),
            (mean_word_length.gt(lit(self.max_mean_word_length)), "gopher_long_words"),
            (share("hashes", words.clone()).gt(lit(self.max_hashes_per_word)), "gopher_hashes"),
            (share("ellipses", words.clone()).gt(lit(self.max_ellipses_per_word)), "gopher_ellipses"),
            (share("bullet_lines", lines.clone()).gt(lit(self.max_bullet_lines.get())), "gopher_bullets"),
            (share("ellipsis_lines", lines).gt(lit(self.max_ellipsis_lines.get())), "gopher_ellipsis_lines"),
            (share("letter_tokens", words).lt(lit(self.min_letter_words.get())), "gopher_letters"),
            (col("stop_words").lt(lit(self.min_stop_words)), "gopher_stop_words"),
        ])
    }
}

impl RuleStep for GopherQuality {
    fn facts(&self) -> Facts<'_> {
        Facts::WORDS
    }

    fn description(&self) -> String {
        "keep what passes the Gopher quality rules".into()
    }
}
