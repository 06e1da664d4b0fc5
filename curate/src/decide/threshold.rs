//! Documents from a score on.

use datafusion::{
    logical_expr::Expr,
    prelude::{col, lit},
};
use serde::{Deserialize, Serialize};

use super::verdict::{Rule, Unknown, first_reason};
use crate::files::Version;

/// How a score keeps.
pub const VERSION: Version = Version::new("decide/threshold", 1);

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
