//! Rules on who linked to a page.

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
    text::url_form::{host_of, url_form},
};

/// How pages are kept that were linked to.
pub const VERSION: Version = Version::new("decide/linked", 1);

/// Keeps pages that people have linked to, and liked.
///
/// Source: Radford et al. 2019 (GPT-2), section 2.1: outbound links of Reddit posts with 3 karma or more, without Wikipedia.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LinkedRule {
    /// The least score of the best post that links to a page.
    pub min_karma: i64,
    /// Domains whose pages are dropped whoever links to them; what lies below one counts as well.
    pub exclude_domains: Vec<String>,
}

impl Default for LinkedRule {
    fn default() -> Self {
        Self { min_karma: 3, exclude_domains: vec![] }
    }
}

impl LinkedRule {
    /// Whether a page, of which the facts `links` are known, is kept.
    #[must_use]
    pub fn keeps(&self) -> Expr {
        self.reason().is_null()
    }
}

impl Rule for LinkedRule {
    fn version(&self) -> Version {
        VERSION
    }

    fn reason(&self) -> Expr {
        let form =
            |domain: &String| url_form(&format!("http://{}", domain.trim())).map(|form| host_of(&form).to_owned());
        let excluded = self.exclude_domains.iter().filter_map(form);
        let excluded = excluded
            .map(|domain| {
                let pattern = domain.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
                col("host").eq(lit(domain)).or(col("host").like(lit(format!("%.{pattern}"))))
            })
            .reduce(Expr::or)
            .unwrap_or_else(|| lit(false));
        first_reason([
            (excluded, "excluded_domain"),
            (col("karma").is_null(), "not_linked"),
            (col("karma").lt(lit(self.min_karma)), "low_karma"),
        ])
    }

    fn shown(&self) -> Vec<&'static str> {
        vec!["karma"]
    }
}

impl RuleStep for LinkedRule {
    fn facts(&self) -> Facts<'_> {
        Facts::Named("links")
    }

    fn description(&self) -> String {
        format!("keep pages that posts with {} karma or more link to", self.min_karma)
    }
}
