//! Where a training stands, beside its weights.

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
    /// The window that spikes are measured against.
    pub spikes: SpikeMemory,
}

/// The best evaluation of a training.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Best {
    /// Steps that were taken by then.
    pub step: u64,
    /// Nats a token on the validation data.
    pub validation_loss: Exact,
    /// The hash of the sequences that the loss was taken on: losses on others do not compare. Empty in checkpoints of versions that did not
    /// write it.
    #[serde(default)]
    pub eval_set: String,
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
