//! Sampling by score, so that a few low-scoring pages stay.

use datafusion::{logical_expr::Expr, prelude::col};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    functions::Chance,
    verdict::{Rule, Unknown, first_reason},
};
use crate::files::Version;

/// How documents are drawn by score.
pub const VERSION: Version = Version::new("decide/pareto", 1);

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
