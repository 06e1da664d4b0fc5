//! Documents of a length.

use std::sync::Arc;

use datafusion::{
    logical_expr::Expr,
    prelude::{col, lit},
};
use schemars::JsonSchema;
use schemas::toml_file::{Spanned, TomlError};
use serde::{Deserialize, Serialize};

use super::{Facts, Keyed, RuleStep, Scope, Steps};
use crate::{
    decide::verdict::{Rule, first_reason},
    files::Version,
};

/// How lengths judge.
pub const VERSION: Version = Version::new("decide/length", 1);

/// Keeps documents of a length. At least one limit is set, and a document of exactly that length stays.
///
/// Source: Gopher (Rae et al. 2021, table A1) and NeMo Curator's `WordCountFilter` keep 50 to 100,000 words; the others are for what is not
/// counted in words, and have no numbers of their own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LengthRule {
    /// Fewest words; 50 in Gopher and NeMo Curator.
    pub min_words: Option<u64>,
    /// Most words; 100,000 in Gopher and NeMo Curator.
    pub max_words: Option<u64>,
    /// Fewest characters, white space included.
    pub min_characters: Option<u64>,
    /// Most characters, white space included.
    pub max_characters: Option<u64>,
    /// Fewest lines that are not blank.
    pub min_lines: Option<u64>,
    /// Most lines that are not blank.
    pub max_lines: Option<u64>,
}

/// What is counted, the limits, and the reasons of what lies below and above them.
struct Limits {
    counted: &'static str,
    min: Option<u64>,
    max: Option<u64>,
    reasons: [&'static str; 2],
}

impl LengthRule {
    /// The step.
    ///
    /// # Errors
    /// When no limit is set, or no document could meet them.
    pub fn check(written: &Spanned<Self>, scope: &dyn Scope) -> Result<Steps, TomlError> {
        let rule = *written.get_ref();
        if rule == Self::default() {
            let message = "a length has a limit: set `min_words`, `max_words`, `min_characters`, `max_characters`, `min_lines` or `max_lines`";
            return Err(scope.fault(written.span(), message));
        }
        for Limits { counted, min, max, .. } in rule.limits() {
            if let (Some(min), Some(max)) = (min, max)
                && min > max
            {
                let message = format!("no document has at least {min} and at most {max} {counted}");
                return Err(scope.fault(written.span(), &message));
            }
        }
        Ok(vec![Arc::new(rule)])
    }

    fn limits(&self) -> [Limits; 3] {
        let Self { min_words, max_words, min_characters, max_characters, min_lines, max_lines } = *self;
        let limits = |counted, min, max, reasons| Limits { counted, min, max, reasons };
        [
            limits("words", min_words, max_words, ["too_few_words", "too_many_words"]),
            limits("characters", min_characters, max_characters, ["too_few_characters", "too_many_characters"]),
            limits("lines", min_lines, max_lines, ["too_few_lines", "too_many_lines"]),
        ]
    }
}

impl Keyed for LengthRule {
    const KEY: &'static str = "length";
}

impl Rule for LengthRule {
    fn version(&self) -> Version {
        VERSION
    }

    fn reason(&self) -> Expr {
        first_reason(self.limits().into_iter().flat_map(|Limits { counted, min, max, reasons: [few, many] }| {
            let few = min.map(|min| (col(counted).lt(lit(min)), few));
            let many = max.map(|max| (col(counted).gt(lit(max)), many));
            few.into_iter().chain(many)
        }))
    }
}

impl RuleStep for LengthRule {
    fn facts(&self) -> Facts<'_> {
        Facts::WORDS
    }

    fn description(&self) -> String {
        let limits = self.limits().into_iter().filter_map(|Limits { counted, min, max, .. }| match (min, max) {
            (Some(min), Some(max)) => Some(format!("{min} to {max} {counted}")),
            (Some(min), None) => Some(format!("{min} {counted} or more")),
            (None, Some(max)) => Some(format!("{max} {counted} or fewer")),
            (None, None) => None,
        });
        format!("keep documents of {}", limits.collect::<Vec<_>>().join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Limits that are not set are not said, and not looked at.
    #[test]
    fn a_length_says_its_limits() {
        let rule =
            LengthRule { min_words: Some(50), max_words: Some(1000), min_lines: Some(3), ..LengthRule::default() };
        assert_eq!(RuleStep::description(&rule), "keep documents of 50 to 1000 words, 3 lines or more");
        let reason = rule.reason().to_string();
        assert!(reason.contains("too_many_words") && reason.contains("too_few_lines"), "{reason}");
        assert!(!reason.contains("characters") && !reason.contains("too_many_lines"), "{reason}");
    }
}
