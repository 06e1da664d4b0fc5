//! The Gopher repetition rules.

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

/// How Gopher's rules on repetition judge.
pub const VERSION: Version = Version::new("decide/gopher_repetition", 1);

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
        VERSION
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

impl RuleStep for GopherRepetition {
    fn facts(&self) -> Facts<'_> {
        Facts::WORDS
    }

    fn description(&self) -> String {
        "drop what repeats itself, by the Gopher rules".into()
    }
}
