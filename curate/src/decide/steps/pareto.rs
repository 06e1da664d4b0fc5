//! Sampling by score, so that a few low-scoring pages stay.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::{
    common::internal_err,
    error::Result,
    logical_expr::Expr,
    prelude::{DataFrame, col},
};
use schemars::JsonSchema;
use schemas::toml_file::{Spanned, TomlError};
use serde::{Deserialize, Serialize};

use super::{Facts, Found, Scope, Search, Stage, Step, Steps};
use crate::{
    decide::{
        functions::Chance,
        verdict::{Rule, Unknown, apply, first_reason},
    },
    files::Version,
};

/// How documents are drawn by score.
pub const VERSION: Version = Version::new("decide/pareto", 1);

/// Sampling by score.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ParetoRecipe {
    /// The classifier whose score is used.
    #[schemars(with = "String")]
    pub classifier: Spanned<String>,
    /// Shape of the Pareto distribution; GPT-3 took 9. `"fit"` chooses it so that what is kept has scores like the classifier's reference.
    #[serde(default = "gpt3_alpha")]
    #[schemars(with = "Alpha")]
    pub alpha: Spanned<Alpha>,
    /// What becomes of documents of which the classifier knows too little to score them: `drop`, as `out_of_vocabulary`, or `keep`.
    #[serde(default)]
    pub unknown: Unknown,
}

fn gpt3_alpha() -> Spanned<Alpha> {
    Spanned::new(0..0, Alpha::Fixed(9.0))
}

impl ParetoRecipe {
    /// The step.
    ///
    /// # Errors
    /// When there is no such classifier, the shape is none, or it is fitted to a reference that is not known.
    pub fn check(&self, scope: &dyn Scope) -> Result<Steps, TomlError> {
        let Self { classifier: name, alpha, unknown } = self;
        scope.classifier(name.get_ref(), name.span())?;
        match *alpha.get_ref() {
            Alpha::Fixed(shape) if !(shape > 0.0 && shape.is_finite()) => {
                return Err(scope.fault(alpha.span(), "`alpha` is above 0, or \"fit\""));
            }
            Alpha::Fitted(_) => {
                if let Some(why) = scope.without_reference(name.get_ref()) {
                    let message = format!("`alpha` cannot be fitted: the reference of `{}` {why}", name.get_ref());
                    return Err(scope.fault(alpha.span(), &message));
                }
            }
            Alpha::Fixed(_) => {}
        }
        let (classifier, alpha) = (name.get_ref().clone(), *alpha.get_ref());
        Ok(vec![Arc::new(Pareto { classifier, alpha, unknown: *unknown })])
    }
}

/// The shape of a Pareto draw.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Alpha {
    /// This one.
    Fixed(f64),
    /// The one with which the scores of what is kept come closest to those of the classifier's reference.
    Fitted(Fit),
}

/// The word for a shape that is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Fit {
    /// `"fit"`.
    Fit,
}

/// Keeps a document when a Pareto draw of shape `alpha` exceeds one minus its score: with probability (2 - score)^-alpha.
///
/// Source: Brown et al. 2020 (GPT-3), appendix A.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ParetoRule {
    /// The shape; GPT-3 took 9. The larger it is, the fewer low scores stay.
    pub alpha: f64,
    /// The recipe's seed.
    pub seed: u64,
    /// The stage, which the draw is for.
    pub stage: String,
    /// What becomes of documents without a score.
    pub unknown: Unknown,
}

impl Rule for ParetoRule {
    fn version(&self) -> Version {
        VERSION
    }

    fn reason(&self) -> Expr {
        let purpose = format!("pareto/{}", self.stage);
        let draw = Chance::Fraction { seed: self.seed, purpose }.of(vec![col("id")]);
        let keeps = Chance::ParetoKeeps { alpha: self.alpha }.of(vec![col("score")]);
        first_reason(self.unknown.reasons().into_iter().chain([(draw.gt_eq(keeps), "pareto")]))
    }

    fn shown(&self) -> Vec<&'static str> {
        vec!["score", "known"]
    }
}

/// The draw, by the scores of a classifier.
#[derive(Debug, Serialize)]
struct Pareto {
    classifier: String,
    alpha: Alpha,
    unknown: Unknown,
}

#[async_trait]
impl Step for Pareto {
    fn name(&self) -> &'static str {
        "pareto"
    }

    fn version(&self) -> Version {
        VERSION
    }

    fn facts(&self) -> Vec<Facts<'_>> {
        vec![Facts::Score(&self.classifier)]
    }

    fn description(&self) -> String {
        let Self { classifier, alpha, unknown } = self;
        let unknown = unknown.description();
        match alpha {
            Alpha::Fixed(alpha) => format!("sample by Pareto({alpha}) on the score `{classifier}`{unknown}"),
            Alpha::Fitted(_) => format!(
                "sample by Pareto on the score `{classifier}`, of a shape that is fitted to the reference's scores{unknown}"
            ),
        }
    }

    fn search(&self) -> Option<Search> {
        matches!(self.alpha, Alpha::Fitted(_)).then_some(Search::Alpha)
    }

    async fn verdicts(&self, stage: &Stage<'_>) -> Result<DataFrame> {
        let alpha = match (self.alpha, stage.found) {
            (Alpha::Fixed(alpha), _) => alpha,
            (Alpha::Fitted(_), Found::Alpha(alpha)) => *alpha,
            (Alpha::Fitted(_), _) => return internal_err!("the shape of `{}` was not fitted", stage.name),
        };
        let rule = ParetoRule { alpha, seed: stage.seed, stage: stage.name.to_owned(), unknown: self.unknown };
        apply(stage.tables, stage.before, stage.score()?, stage.sources, &rule).await
    }
}
