//! Two models on the same examples.

use serde::Serialize;

use super::samples_file::{SampleKey, ScoresById};
use crate::metrics::{PairedTest, mean, paired_test};

/// A run that two evaluations have.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ComparedRun {
    /// The task.
    pub task: String,
    /// The template.
    pub template: String,
    /// Demonstrations that were asked for.
    pub shots: String,
    /// The mean score of the other model on examples that both have.
    pub other: f64,
    /// The mean score of this one on them.
    pub own: f64,
    /// How sure the difference is: this one's score less the other's.
    pub test: PairedTest,
}

/// The runs that two evaluations have, on the examples that both have a score of.
#[must_use]
pub fn compare(other: &ScoresById, own: &ScoresById, seed: u64) -> Vec<ComparedRun> {
    let mut runs = Vec::new();
    for (key, own) in own {
        let Some(other) = other.get(key) else { continue };
        let both: Vec<(f64, f64)> = own.iter().filter_map(|(id, score)| Some((*other.get(id)?, *score))).collect();
        if both.is_empty() {
            continue;
        }
        let (other, own): (Vec<f64>, Vec<f64>) = both.into_iter().unzip();
        let SampleKey { task, template, shots } = key.clone();
        let test = paired_test(&other, &own, seed);
        runs.push(ComparedRun { task, template, shots, other: mean(&other), own: mean(&own), test });
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_both_have_is_compared() {
        let key = |task: &str| SampleKey { task: task.into(), template: "p".into(), shots: "0".into() };
        let scores = |scores: &[(&str, f64)]| scores.iter().map(|(id, score)| ((*id).to_owned(), *score)).collect();
        let other: ScoresById =
            [(key("a"), scores(&[("1", 0.0), ("2", 1.0), ("3", 1.0)])), (key("b"), scores(&[]))].into();
        let own: ScoresById =
            [(key("a"), scores(&[("1", 1.0), ("2", 1.0), ("4", 0.0)])), (key("c"), scores(&[]))].into();
        let found = compare(&other, &own, 1);
        let [run] = &found[..] else { panic!("they have one in common: {found:?}") };
        assert_eq!((run.own, run.other, run.test.count), (1.0, 0.5, 2));
        assert!((run.test.difference - 0.5).abs() < 1e-12);
    }
}
