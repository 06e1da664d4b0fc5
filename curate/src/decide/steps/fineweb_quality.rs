//! FineWeb's own quality rules.

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

/// How FineWeb's rules judge.
pub const VERSION: Version = Version::new("decide/fineweb_quality", 1);

/// FineWeb's rules on lines. Defaults are Penedo et al. 2024, section 3.6.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct FinewebQuality {
    /// Smallest share of lines that end as sentences do.
    pub min_closed_lines: Share,
    /// Largest share of lines of 30 characters or fewer.
    pub max_short_lines: Share,
    /// Largest share of characters, line feeds aside, in lines that stood further up already.
    pub max_repeated_line_characters: Share,
    /// Most line feeds a token.
    pub max_line_feeds_per_token: f64,
}

impl Default for FinewebQuality {
    fn default() -> Self {
        Self {
            min_closed_lines: Share::of(0.12),
            max_short_lines: Share::of(0.67),
            max_repeated_line_characters: Share::of(0.01),
            max_line_feeds_per_token: 0.3,
        }
    }
}

impl Rule for FinewebQuality {
    fn version(&self) -> Version {
        VERSION
    }

    fn reason(&self) -> Expr {
        let characters = col("characters") - col("line_feeds");
        let repeated = share("repeated_line_characters", characters);
        first_reason([
            (share("closed_lines", col("lines")).lt(lit(self.min_closed_lines.get())), "fineweb_open_lines"),
            (share("short_lines", col("lines")).gt(lit(self.max_short_lines.get())), "fineweb_short_lines"),
            (repeated.gt(lit(self.max_repeated_line_characters.get())), "fineweb_repeated_lines"),
            (share("line_feeds", col("tokens")).gt(lit(self.max_line_feeds_per_token)), "fineweb_list"),
        ])
    }
}

impl RuleStep for FinewebQuality {
    fn facts(&self) -> Facts<'_> {
        Facts::WORDS
    }

    fn description(&self) -> String {
        "keep what passes FineWeb's rules".into()
    }
}
