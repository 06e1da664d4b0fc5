//! Where a training stands, beside its weights.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::exact::Exact;

/// Everything that decides how a training goes on, but for the weights and the optimizer's states.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// Steps that were taken, and those that were skipped.
    pub step: u64,
    /// The number of the next batch. It runs ahead of the steps once a training was rolled back and went on past some batches.
    pub batch: u64,
    /// How often the optimizer changed the weights.
    pub updates: u64,
    /// Tokens that the weights learned from, a repeated one each time.
    pub tokens: u64,
    /// The evaluation that none was better than.
    pub best: Option<Best>,
    /// Evaluations since then, where they are counted to end the training.
    #[serde(default, skip_serializing_if = "is_none")]
    pub evaluations_since_best: u64,
    /// The window that spikes are measured against.
    pub spikes: SpikeMemory,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_none(count: &u64) -> bool {
    *count == 0
}

/// The best evaluation of a training.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Best {
    /// Steps that were taken by then.
    pub step: u64,
    /// The score that none was better than.
    #[serde(flatten)]
    pub score: BestScore,
    /// The hash of the data that the score was taken on: scores on other data do not compare. Empty in checkpoints of versions that did not
    /// write it.
    #[serde(default)]
    pub eval_set: String,
}

/// A score under its key: `"validation_loss": "2.5"`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "BTreeMap<String, Exact>", into = "BTreeMap<String, Exact>")]
pub struct BestScore {
    /// The key that it has in the log.
    pub key: String,
    /// The score.
    pub value: Exact,
}

impl TryFrom<BTreeMap<String, Exact>> for BestScore {
    type Error = &'static str;

    fn try_from(keys: BTreeMap<String, Exact>) -> Result<Self, &'static str> {
        let (key, value) = keys.into_iter().next().ok_or("the best step has no score")?;
        Ok(Self { key, value })
    }
}

impl From<BestScore> for BTreeMap<String, Exact> {
    fn from(BestScore { key, value }: BestScore) -> Self {
        Self::from([(key, value)])
    }
}

/// The last steps that were no spikes, and the spikes since.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SpikeMemory {
    /// Their losses, oldest first.
    pub losses: Vec<Exact>,
    /// The norms of their gradients.
    pub gradient_norms: Vec<Exact>,
    /// Spikes in a row: since a step was taken that lies beyond all of them.
    pub in_a_row: u64,
    /// The step that the last of them would have been.
    pub last: u64,
}
