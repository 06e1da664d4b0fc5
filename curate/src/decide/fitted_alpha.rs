//! Choosing the shape of a Pareto draw, so that what it keeps has the scores of the reference.
//!
//! Source: Brown et al. 2020 (GPT-3), appendix A, chose 9 so that the scores matched those of `WebText`; how close is not said there.

use datafusion::{
    error::Result,
    functions_aggregate::expr_fn::count,
    prelude::{DataFrame, JoinType, col, lit},
};
use serde::{Deserialize, Serialize};

use super::{Tables, verdict::is_of};
use crate::{files::Version, measure::Family, text::draw::pareto_keeps};

/// How the shape of a draw is chosen.
pub const VERSION: Version = Version::new("decide/alpha", 1);

/// The shape that was chosen, and how far apart the scores still are.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct FittedAlpha {
    /// The shape.
    pub alpha: f64,
    /// The largest difference between the shares of kept documents and of the reference below any score (Kolmogorov's distance).
    pub distance: f64,
    /// The same distance where all documents are kept.
    pub distance_of_all: f64,
    /// The share of documents that is kept.
    pub kept: f64,
}

/// Shapes that are tried: from one that keeps nearly all to one that keeps nearly nothing, each larger than the one before by this.
const STEP: f64 = 1.02;
/// The first of them.
const FIRST: f64 = 0.05;
/// The last.
const LAST: f64 = 200.0;

impl FittedAlpha {
    /// Chooses the shape for documents and a reference, each given as rising scores with how many documents have them. None where one of
    /// them is empty.
    #[must_use]
    pub fn fit(documents: &[(f64, u64)], reference: &[(f64, u64)]) -> Option<Self> {
        if documents.is_empty() || reference.is_empty() {
            return None;
        }
        let (distance_of_all, _) = distance(documents, reference, None);
        let steps = ((LAST / FIRST).ln() / STEP.ln()).ceil();
        let mut best: Option<Self> = None;
        let mut step = 0.0;
        while step <= steps {
            // a shape that can be written down
            let alpha = (FIRST * STEP.powf(step) * 1e3).round() / 1e3;
            let (distance, kept) = distance(documents, reference, Some(alpha));
            if best.is_none_or(|best| distance < best.distance) {
                best = Some(Self { alpha, distance, distance_of_all, kept });
            }
            step += 1.0;
        }
        best
    }
}

/// The largest difference of the two distributions, where documents are kept by a draw of a shape, or all of them; and the share that
/// is kept.
fn distance(documents: &[(f64, u64)], reference: &[(f64, u64)], alpha: Option<f64>) -> (f64, f64) {
    let weight = |score: f64| alpha.map_or(1.0, |alpha| pareto_keeps(score, alpha));
    let kept: f64 = documents.iter().map(|(score, count)| weight(*score) * *count as f64).sum();
    let all: u64 = documents.iter().map(|(_, count)| count).sum();
    let of_reference = reference.iter().map(|(_, count)| count).sum::<u64>() as f64;
    let (mut below, mut below_reference, mut largest) = (0.0, 0.0, 0.0f64);
    let mut others = reference.iter().peekable();
    let mut own = documents.iter().peekable();
    loop {
        let next = match (own.peek(), others.peek()) {
            (Some((one, _)), Some((other, _))) => one.min(*other),
            (Some((one, _)), None) => *one,
            (None, Some((other, _))) => *other,
            (None, None) => return (largest, kept / all as f64),
        };
        while let Some((score, count)) = own.next_if(|(score, _)| *score <= next) {
            below += weight(*score) * *count as f64;
        }
        while let Some((_, count)) = others.next_if(|(score, _)| *score <= next) {
            below_reference += *count as f64;
        }
        largest = largest.max((below / kept - below_reference / of_reference).abs());
    }
}

/// How many documents of `sources`, in a language or in any, that `before` kept have each score: `score` and `documents`, sorted.
///
/// # Errors
/// When the decisions or the facts cannot be read.
pub async fn score_counts(
    tables: Tables<'_>,
    before: &str,
    score: &Family,
    sources: &[String],
    language: Option<(&Family, &str)>,
) -> Result<DataFrame> {
    let facts = tables.family(score, sources).await?.filter(col("score").is_not_null())?;
    let mut kept = tables.kept(before).await?.filter(is_of(sources))?.select_columns(&["id"])?;
    if let Some((family, language)) = language {
        let named = tables.family(family, sources).await?.filter(col("language").eq(lit(language)))?;
        kept = kept.join(named, JoinType::LeftSemi, &["id"], &["fact_id"], None)?;
    }
    kept.join(facts, JoinType::Inner, &["id"], &["fact_id"], None)?
        .aggregate(vec![col("score")], vec![count(lit(1)).alias("documents")])?
        .sort(vec![col("score").sort(true, false)])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A reference that is what a known shape keeps gives that shape back.
    #[test]
    fn a_known_shape_is_found_again() {
        let documents: Vec<(f64, u64)> = (0..=1000).map(|step| (f64::from(step) / 1000.0, 1_000_000)).collect();
        for alpha in [1.0, 3.0, 9.0] {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of documents")]
            let kept =
                |(score, count): &(f64, u64)| (*score, (pareto_keeps(*score, alpha) * *count as f64).round() as u64);
            let reference: Vec<(f64, u64)> = documents.iter().map(kept).collect();
            let found = FittedAlpha::fit(&documents, &reference).expect("there are scores");
            assert!((found.alpha / alpha - 1.0).abs() < 0.011, "{found:?} for {alpha}");
            assert!(found.distance < 0.002 && found.distance_of_all > 10.0 * found.distance, "{found:?}");
        }
    }

    #[test]
    fn scores_that_cannot_be_matched_say_how_far_they_are_apart() {
        let found = FittedAlpha::fit(&[(0.1, 50), (0.2, 50)], &[(0.9, 10)]).expect("there are scores");
        assert!((found.distance - 1.0).abs() < 1e-9, "{found:?}");
        assert!(FittedAlpha::fit(&[], &[(0.5, 1)]).is_none());
    }
}
