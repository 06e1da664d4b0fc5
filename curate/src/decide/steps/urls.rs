//! Rules on where a page lies.

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
};

/// How lists drop pages.
pub const VERSION: Version = Version::new("decide/urls", 1);

/// Drops pages by what lists find in their URLs. Documents without a URL are kept.
///
/// Source: Penedo et al. 2023 (RefinedWeb), appendix G.1, for the kinds of lists and the number of soft words.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct UrlRule {
    /// Most soft words in the URL of a page that is kept.
    pub max_soft_words: u32,
}

impl Default for UrlRule {
    fn default() -> Self {
        Self { max_soft_words: 1 }
    }
}

impl Rule for UrlRule {
    fn version(&self) -> Version {
        VERSION
    }

    fn reason(&self) -> Expr {
        first_reason([
            (col("domain").is_not_null(), "url_domain"),
            (col("parts").gt(lit(0u32)), "url_part"),
            (col("words").gt(lit(0u32)), "url_word"),
            (col("soft_words").gt(lit(self.max_soft_words)), "url_soft_words"),
        ])
    }

    fn shown(&self) -> Vec<&'static str> {
        vec!["domain"]
    }
}

impl RuleStep for UrlRule {
    fn facts(&self) -> Facts<'_> {
        Facts::Named("urls")
    }

    fn description(&self) -> String {
        format!("drop what lists name, and more than {} soft words in a URL", self.max_soft_words)
    }
}
