//! How well a law ranks runs that it has not seen.

use super::{
    law::LawKind,
    objective_law::ObjectiveLaw,
    runs::{Objective, Runs},
};
use crate::{metrics::spearman, random::Stream};

/// Parts that runs are divided into, of which each is left out once.
const FOLDS: usize = 5;

/// What a law said of runs that it was not fitted to.
#[derive(Debug, Clone, PartialEq)]
pub struct Validated {
    /// The rank correlation of what was expected and what was reached, over all runs.
    pub rank_correlation: f64,
    /// The root of the mean squared difference, in the unit of the objective.
    pub error: f64,
    /// What was expected of each run, and what it reached.
    pub pairs: Vec<[f64; 2]>,
}

/// Fits a law to four fifths of the runs, and asks it for the others, five times.
///
/// - `seed`: of the order in which runs are divided
#[must_use]
pub fn cross_validate(kind: LawKind, runs: &Runs, objective: &Objective, seed: u64) -> Validated {
    let stream = Stream::new(seed, "folds");
    let mut order: Vec<usize> = (0..runs.count()).collect();
    order.sort_by_key(|run| (stream.bits(*run as u64), *run));
    let mut pairs = vec![[0.0; 2]; runs.count()];
    for fold in 0..FOLDS {
        let is_left_out = |place: usize| place % FOLDS == fold;
        let of = |wanted: bool| -> Vec<usize> {
            (0..order.len()).filter(|place| is_left_out(*place) == wanted).map(|place| order[place]).collect()
        };
        let law = ObjectiveLaw::fit(kind, &runs.some(&of(false)), objective);
        for run in of(true) {
            pairs[run] = [law.predict(&runs.weights[run]), objective.of(&runs.losses[run])];
        }
    }
    let [expected, reached]: [Vec<f64>; 2] =
        [0, 1].map(|side| pairs.iter().map(|pair: &[f64; 2]| pair[side]).collect());
    let squares = pairs.iter().map(|[expected, reached]| (expected - reached).powi(2)).sum::<f64>();
    let error = (squares / pairs.len() as f64).sqrt();
    Validated { rank_correlation: spearman(&expected, &reached), error, pairs }
}
