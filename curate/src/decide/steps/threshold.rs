//! Documents from a score on.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::{
    error::Result,
    logical_expr::Expr,
    prelude::{DataFrame, col, lit},
};
use schemars::JsonSchema;
use schemas::toml_file::{Spanned, TomlError};
use serde::{Deserialize, Serialize};

use super::{Facts, Scope, Stage, Step, Steps};
use crate::{
    decide::verdict::{Rule, Unknown, apply, first_reason},
    files::Version,
};

/// How a score keeps.
pub const VERSION: Version = Version::new("decide/threshold", 1);

/// A minimum score.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ThresholdRecipe {
    /// The classifier whose score is used.
    #[schemars(with = "String")]
    pub classifier: Spanned<String>,
    /// Minimum score, from 0 to 1.
    #[schemars(with = "f64")]
    pub min: Spanned<f64>,
    /// What becomes of documents of which the classifier knows too little to score them: `drop`, as `out_of_vocabulary`, or `keep`.
    #[serde(default)]
    pub unknown: Unknown,
}

impl ThresholdRecipe {
    /// The step.
    ///
    /// # Errors
    /// When there is no such classifier, or the minimum is no score.
    pub fn check(&self, scope: &dyn Scope) -> Result<Steps, TomlError> {
        let Self { classifier, min, unknown } = self;
        scope.classifier(classifier.get_ref(), classifier.span())?;
        if !(0.0..=1.0).contains(min.get_ref()) {
            return Err(scope.fault(min.span(), "`min` is a score, from 0 to 1"));
        }
        let rule = ThresholdRule { min: *min.get_ref(), unknown: *unknown };
        Ok(vec![Arc::new(Threshold { classifier: classifier.get_ref().clone(), rule })])
    }
}

/// Keeps a document whose score is `min` or more.
///
/// Source: DCLM (Li et al. 2024) kept what its classifier gave 0.018112 or more; a threshold belongs to one model.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ThresholdRule {
    /// The least score.
    pub min: f64,
    /// What becomes of documents without one.
    pub unknown: Unknown,
}

impl Rule for ThresholdRule {
    fn version(&self) -> Version {
        VERSION
    }

    fn reason(&self) -> Expr {
        let low = (col("score").lt(lit(self.min)), "low_score");
        first_reason(self.unknown.reasons().into_iter().chain([low]))
    }

    fn shown(&self) -> Vec<&'static str> {
        vec!["score", "known"]
    }
}

/// The rule, on the scores of a classifier.
#[derive(Debug, Serialize)]
struct Threshold {
    classifier: String,
    rule: ThresholdRule,
}

#[async_trait]
impl Step for Threshold {
    fn name(&self) -> &'static str {
        "threshold"
    }

    fn version(&self) -> Version {
        self.rule.version()
    }

    fn facts(&self) -> Vec<Facts<'_>> {
        vec![Facts::Score(&self.classifier)]
    }

    fn description(&self) -> String {
        let Self { classifier, rule: ThresholdRule { min, unknown } } = self;
        format!("keep scores `{classifier}` from {min} on{}", unknown.description())
    }

    async fn verdicts(&self, stage: &Stage<'_>) -> Result<DataFrame> {
        apply(stage.tables, stage.before, stage.score()?, stage.sources, &self.rule).await
    }
}
