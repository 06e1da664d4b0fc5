//! What is known of a trained classifier: what it saw, and how well it does on what it did not see.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{features::HashedWords, training::Label};

/// `models/NAME/card.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Card {
    /// The classifier's name in the recipe.
    pub name: String,
    /// The kind of model: `hashed`.
    pub kind: String,
    /// How texts become features.
    pub features: HashedWords,
    /// The L2 penalty.
    pub penalty: f64,
    /// What it was trained on, source by source.
    pub trained_on: Vec<TrainedOn>,
    /// Iterations of the search.
    pub iterations: usize,
    /// How well it does on the tenth that was held out.
    pub held_out: Evaluation,
}

/// The part of one source in the training.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TrainedOn {
    /// The source.
    pub source: String,
    /// Whether it stands for the reference.
    pub label: Label,
    /// Documents that were sampled.
    pub documents: u64,
    /// Passages that were cut from them.
    pub passages: u64,
}

/// How well scores tell the reference from the rest.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Evaluation {
    /// Passages of the reference.
    pub positives: u64,
    /// Passages of the rest.
    pub negatives: u64,
    /// Of what scores above 0.5, the share that is of the reference.
    pub precision: f64,
    /// Of the reference, the share that scores above 0.5.
    pub recall: f64,
    /// The harmonic mean of the two.
    pub f1: f64,
    /// The probability that a passage of the reference scores above one of the rest; ties count half.
    pub roc_auc: f64,
}

impl Evaluation {
    /// Evaluates scores with their true labels.
    #[must_use]
    pub fn of(scores: &[(f64, bool)]) -> Self {
        let positives = scores.iter().filter(|(_, label)| *label).count();
        let negatives = scores.len() - positives;
        let above = scores.iter().filter(|(score, _)| *score > 0.5).count();
        let hits = scores.iter().filter(|(score, label)| *label && *score > 0.5).count();
        let share = |part: f64, whole: f64| if whole == 0.0 { 0.0 } else { (part / whole * 1e6).round() / 1e6 };
        let (precision, recall) = (share(hits as f64, above as f64), share(hits as f64, positives as f64));
        Self {
            positives: positives as u64,
            negatives: negatives as u64,
            precision,
            recall,
            f1: share(2.0 * precision * recall, precision + recall),
            roc_auc: share(wins(scores), positives as f64 * negatives as f64),
        }
    }
}

/// Over all pairs of a positive and a negative: those where the positive scores higher, and half of the ties.
fn wins(scores: &[(f64, bool)]) -> f64 {
    let mut sorted = scores.to_vec();
    sorted.sort_by(|one, other| one.0.total_cmp(&other.0));
    let (mut wins, mut negatives_below) = (0.0, 0.0);
    for tied in sorted.chunk_by(|one, next| one.0.total_cmp(&next.0).is_eq()) {
        let positives = tied.iter().filter(|(_, label)| *label).count() as f64;
        let negatives = tied.len() as f64 - positives;
        wins += positives * (negatives_below + 0.5 * negatives);
        negatives_below += negatives;
    }
    wins
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_area_counts_pairs() {
        let evaluation = Evaluation::of(&[(0.9, true), (0.8, false), (0.6, true), (0.6, false), (0.1, false)]);
        // of six pairs: 0.9 wins three; 0.6 wins one, ties one, loses one
        assert!((evaluation.roc_auc - 4.5 / 6.0).abs() < 1e-6, "{evaluation:?}");
        assert!((evaluation.precision - 0.5).abs() < 1e-6 && (evaluation.recall - 1.0).abs() < 1e-6, "{evaluation:?}");
    }

    #[test]
    fn nothing_gives_zeros_and_no_nan() {
        assert_eq!(Evaluation::of(&[]), Evaluation::default());
    }
}
