//! C4's rules on pages.

use datafusion::{
    logical_expr::Expr,
    prelude::{col, lit},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Facts, RuleStep};
use crate::{
    decide::verdict::{Rule, first_reason},
    files::Version,
    measure::{Family, FamilyConfig},
    text::c4::LineRules,
};

/// How C4's rules judge.
pub const VERSION: Version = Version::new("decide/c4_quality", 1);

/// C4's rules on pages. Defaults are Raffel et al. 2020, section 2.2.
///
/// They look at the lines alone that C4's rules on lines would keep, whether or not the source is cleaned by those.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct C4Quality {
    /// Fewest sentences.
    pub min_sentences: u64,
    /// Whether pages that say `lorem ipsum` go.
    pub lorem_ipsum: bool,
    /// Whether pages with a curly bracket go.
    pub curly_bracket: bool,
    /// Which lines are looked at.
    pub lines: LineRules,
}

impl Default for C4Quality {
    fn default() -> Self {
        Self { min_sentences: 5, lorem_ipsum: true, curly_bracket: true, lines: LineRules::default() }
    }
}

impl Rule for C4Quality {
    fn version(&self) -> Version {
        VERSION
    }

    fn reason(&self) -> Expr {
        first_reason([
            (col("lorem_ipsum").and(lit(self.lorem_ipsum)), "c4_lorem_ipsum"),
            (col("curly_bracket").and(lit(self.curly_bracket)), "c4_curly_bracket"),
            (col("sentences").lt(lit(self.min_sentences)), "c4_few_sentences"),
        ])
    }
}

impl RuleStep for C4Quality {
    fn facts(&self) -> Facts<'_> {
        let family = Family { name: "c4_lines".into(), config: FamilyConfig::C4Lines(self.lines) };
        Facts::Shaped { family, by: "lines" }
    }

    fn description(&self) -> String {
        "keep what passes C4's rules".into()
    }
}
