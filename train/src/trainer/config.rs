//! What the loop is given, and how a training ended.

use super::{Sampler, SpikesConfig, StepBatches};
use crate::{
    objective::{Evaluator, Objective},
    optimize::{OptimizerConfig, Schedule},
};

/// How the loop goes.
#[derive(Debug, Clone, PartialEq)]
pub struct LoopConfig {
    /// Steps in all.
    pub steps: u64,
    /// Stop after this many of them, with a checkpoint.
    pub until: u64,
    /// Stop after this many evaluations in a row of which none was the best.
    pub patience: Option<u64>,
    /// The seed of what is random in a step, such as dropout.
    pub seed: u64,
    /// Micro-batches of a step; they divide the batch size.
    pub micro_batches: usize,
    /// Gradients are clipped to this global norm.
    pub max_grad_norm: f64,
    /// The learning rate.
    pub schedule: Schedule,
    /// The optimizer.
    pub optimizer: OptimizerConfig,
    /// What stays at a step of an average of the weights, which is judged and used in their place.
    pub ema_decay: Option<f64>,
    /// What counts as a spike, and what to do about one.
    pub spikes: SpikesConfig,
    /// Steps between lines of the log.
    pub log_every: u64,
    /// Steps between evaluations.
    pub evaluate_every: u64,
    /// Steps between checkpoints.
    pub save_every: u64,
    /// Checkpoints to keep, beside the best.
    pub keep: usize,
}

impl LoopConfig {
    /// Sets the steps: all of them, and those after which it is to stop where that is earlier.
    pub fn ends_after(&mut self, steps: u64, until: Option<u64>) {
        self.steps = steps;
        self.until = until.unwrap_or(steps).min(steps);
    }
}

/// What a kind of training brings: everything that the loop does not know.
pub struct TrainingInputs<'s, O: Objective> {
    /// What the model is trained towards.
    pub objective: O,
    /// What it is trained on.
    pub batches: &'s mut dyn StepBatches<O::Model, Batch = O::Batch>,
    /// What it is judged by.
    pub evaluator: &'s dyn Evaluator<O::Model>,
    /// Generates samples.
    pub sampler: Option<Sampler<'s, O::Model>>,
}

/// How a training ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrainOutcome {
    /// Steps that were taken in all.
    pub step: u64,
    /// Whether it was interrupted before it was done.
    pub interrupted: bool,
}
