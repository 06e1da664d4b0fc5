//! How well a law ranks runs that it has not seen.

use super::{
    curves::smoothed,
    law::LawKind,
    objective_law::ObjectiveLaw,
    runs::{Objective, Runs},
};
use crate::{
    metrics::{mean, spearman},
    random::Stream,
};

/// Parts that runs are divided into, of which each is left out once.
const FOLDS: usize = 5;

/// What a law said of runs that it was not fitted to.
#[derive(Debug, Clone, PartialEq)]
pub struct Validated {
    /// The rank correlation of what was expected and what was reached, over all runs.
    pub rank_correlation: f64,
    /// The root of the mean squared difference, in the unit of the objective.
    pub error: f64,
    /// What was expected of each run.
    pub expected: Vec<f64>,
}

/// Fits a law to four fifths of the runs, and asks it for the others, five times.
///
/// - `points`: of the curves that it is fitted to, the end included; what it is asked for is the end alone
/// - `seed`: of the order in which runs are divided
#[must_use]
pub fn cross_validate(kind: LawKind, runs: &Runs, points: usize, objective: &Objective, seed: u64) -> Validated {
    let stream = Stream::new(seed, "folds");
    let mut order: Vec<usize> = (0..runs.count()).collect();
    order.sort_by_key(|run| (stream.bits(*run as u64), *run));
    let mut expected = vec![0.0; runs.count()];
    for fold in 0..FOLDS {
        let of = |left_out: bool| -> Vec<usize> {
            let places = (0..order.len()).filter(|place| (place % FOLDS == fold) == left_out);
            places.map(|place| order[place]).collect()
        };
        let law = ObjectiveLaw::fit(kind, &smoothed(runs.some(&of(false)), points), objective);
        of(true).into_iter().for_each(|run| expected[run] = law.predict(&runs.weights[run]));
    }
    let reached: Vec<f64> = runs.losses.iter().map(|losses| objective.of(losses)).collect();
    let squares: Vec<f64> = expected.iter().zip(&reached).map(|(one, other)| (one - other).powi(2)).collect();
    let error = mean(&squares).sqrt();
    Validated { rank_correlation: spearman(&expected, &reached), error, expected }
}
