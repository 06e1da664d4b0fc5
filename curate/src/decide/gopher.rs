//! The Gopher rules: quality, and repetition.

use datafusion::{
    logical_expr::Expr,
    prelude::{col, lit},
};
use schemars::JsonSchema;
use schemas::share::Share;
use serde::{Deserialize, Serialize};

use super::verdict::{Rule, first_reason, share};
use crate::files::Version;

/// How Gopher's rules on repetition judge.
pub const REPETITION: Version = Version::new("decide/gopher_repetition", 1);

/// How Gopher's rules on quality judge.
pub const QUALITY: Version = Version::new("decide/gopher_quality", 1);

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
        QUALITY
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

/// The Gopher repetition rules. Defaults are Rae et al. 2021, table A1; each is the largest share that is kept.
///
/// Shares of characters are of all characters of the text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct GopherRepetition {
    /// Paragraphs that stood further up already.
    pub max_repeated_paragraphs: Share,
    /// Characters in them.
    pub max_repeated_paragraph_characters: Share,
    /// Lines that stood further up already.
    pub max_repeated_lines: Share,
    /// Characters in them.
    pub max_repeated_line_characters: Share,
    /// Characters of the most frequent 2-, 3- and 4-gram.
    pub max_top_ngrams: [Share; 3],
    /// Characters in repeated 5- to 10-grams.
    pub max_repeated_ngrams: [Share; 6],
}

impl Default for GopherRepetition {
    fn default() -> Self {
        Self {
            max_repeated_paragraphs: Share::of(0.3),
            max_repeated_paragraph_characters: Share::of(0.2),
            max_repeated_lines: Share::of(0.3),
            max_repeated_line_characters: Share::of(0.2),
            max_top_ngrams: [0.2, 0.18, 0.16].map(Share::of),
            max_repeated_ngrams: [0.15, 0.14, 0.13, 0.12, 0.11, 0.10].map(Share::of),
        }
    }
}

impl Rule for GopherRepetition {
    fn version(&self) -> Version {
        REPETITION
    }

    fn reason(&self) -> Expr {
        const TOP: [(&str, &str); 3] = [
            ("top_2_characters", "gopher_top_2_run"),
            ("top_3_characters", "gopher_top_3_run"),
            ("top_4_characters", "gopher_top_4_run"),
        ];
        const REPEATED: [(&str, &str); 6] = [
            ("repeated_5_characters", "gopher_repeated_5_runs"),
            ("repeated_6_characters", "gopher_repeated_6_runs"),
            ("repeated_7_characters", "gopher_repeated_7_runs"),
            ("repeated_8_characters", "gopher_repeated_8_runs"),
            ("repeated_9_characters", "gopher_repeated_9_runs"),
            ("repeated_10_characters", "gopher_repeated_10_runs"),
        ];
        let over = |part: &str, whole: &str, most: Share| share(part, col(whole)).gt(lit(most.get()));
        let units = [
            ("repeated_paragraphs", "paragraphs", self.max_repeated_paragraphs, "gopher_repeated_paragraphs"),
            (
                "repeated_paragraph_characters",
                "characters",
                self.max_repeated_paragraph_characters,
                "gopher_repeated_paragraph_characters",
            ),
            ("repeated_lines", "lines", self.max_repeated_lines, "gopher_repeated_lines"),
            (
                "repeated_line_characters",
                "characters",
                self.max_repeated_line_characters,
                "gopher_repeated_line_characters",
            ),
        ];
        let units = units.map(|(part, whole, most, reason)| (over(part, whole, most), reason));
        let ngrams = TOP.iter().zip(self.max_top_ngrams).chain(REPEATED.iter().zip(self.max_repeated_ngrams));
        let ngrams = ngrams.map(|((part, reason), most)| (over(part, "characters", most), *reason));
        first_reason(units.into_iter().chain(ngrams))
    }
}
