//! Documents in the languages that are wanted.

use datafusion::{
    logical_expr::Expr,
    prelude::{col, lit},
};
use schemars::JsonSchema;
use schemas::share::Share;
use serde::{Deserialize, Serialize};

use super::{Facts, RuleStep};
use crate::{
    decide::verdict::{Rule, first_reason},
    files::Version,
};

/// How languages are kept.
pub const VERSION: Version = Version::new("decide/language", 1);

/// Keeps documents whose language is one of those given, and sure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LanguageRule {
    /// The languages to keep, by the model's labels, such as `en`.
    pub keep: Vec<String>,
    /// The least probability. FineWeb and DCLM take 0.65.
    #[serde(default = "fineweb_probability")]
    pub min_probability: Share,
}

fn fineweb_probability() -> Share {
    Share::of(0.65)
}

impl Rule for LanguageRule {
    fn version(&self) -> Version {
        VERSION
    }

    fn reason(&self) -> Expr {
        let wanted = col("language").in_list(self.keep.iter().map(lit).collect(), false);
        first_reason([
            (col("language").is_null(), "unknown_language"),
            (!wanted, "other_language"),
            (col("probability").lt(lit(self.min_probability.get())), "uncertain_language"),
        ])
    }

    fn shown(&self) -> Vec<&'static str> {
        vec!["language", "probability"]
    }
}

impl RuleStep for LanguageRule {
    fn facts(&self) -> Facts<'_> {
        Facts::Named("language")
    }

    fn description(&self) -> String {
        format!("keep {} from probability {}", self.keep.join(", "), self.min_probability)
    }
}
