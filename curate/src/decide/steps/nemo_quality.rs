//! NeMo Curator's rules on characters.

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

/// How NeMo Curator's rules judge.
pub const VERSION: Version = Version::new("decide/nemo_quality", 1);

/// NeMo Curator's rules on characters. Defaults are those of its filters and of its `config/heuristic_filter_en.yaml`.
///
/// Shares are of all characters, white space included. Its other filters are Gopher's and C4's, or look into URLs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct NemoQuality {
    /// Largest share of digits: `NumbersFilter`, `max_number_to_text_ratio`.
    pub max_digits: Share,
    /// Largest share of white space: `WhiteSpaceFilter`, `max_white_space_ratio`.
    pub max_white_space: Share,
    /// Largest share of round, square, curly and angle brackets: `ParenthesesFilter`, `max_parentheses_ratio`.
    pub max_brackets: Share,
    /// Largest share of what is neither letter nor digit, but for line feeds and `?`, `!`, `,` and `.`:
    /// `NonAlphaNumericFilter`, `max_non_alpha_numeric_to_text_ratio`. Spaces are among them, which are a sixth of English.
    pub max_non_alphanumeric: Share,
}

impl Default for NemoQuality {
    fn default() -> Self {
        Self {
            max_digits: Share::of(0.15),
            max_white_space: Share::of(0.25),
            max_brackets: Share::of(0.1),
            max_non_alphanumeric: Share::of(0.25),
        }
    }
}

impl Rule for NemoQuality {
    fn version(&self) -> Version {
        VERSION
    }

    fn reason(&self) -> Expr {
        let above = |part: &str, most: Share| share(part, col("characters")).gt(lit(most.get()));
        first_reason([
            (above("digit_characters", self.max_digits), "nemo_digits"),
            (above("white_space_characters", self.max_white_space), "nemo_white_space"),
            (above("bracket_characters", self.max_brackets), "nemo_brackets"),
            (above("non_alphanumeric_characters", self.max_non_alphanumeric), "nemo_non_alphanumeric"),
        ])
    }
}

impl RuleStep for NemoQuality {
    fn facts(&self) -> Facts<'_> {
        Facts::WORDS
    }

    fn description(&self) -> String {
        "keep what passes NeMo Curator's rules on characters".into()
    }
}
