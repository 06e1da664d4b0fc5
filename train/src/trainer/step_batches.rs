//! Where the batch of a step comes from.
//!
//! ```text
//! data    -> a batch by its number alone                                        pretraining, tuning, classification ...
//! policy  -> what it writes now -> some batches by their numbers               reinforcement learning
//! ```
//!
//! A source of the first kind needs no memory. One of the second makes batches of what a model wrote that has changed since, and so hands out
//! what it holds for a checkpoint.

use crate::{
    data::{BatchSource, MicroBatches},
    error::Result,
    model::NamedTensor,
};

/// Batches for a model.
pub trait StepBatches<M> {
    /// What goes through the model together.
    type Batch: MicroBatches;

    /// The batch of a number. Numbers are asked for in rising order, or where a checkpoint begins.
    ///
    /// - `model`: as it is before the step of this batch
    ///
    /// # Errors
    /// When something cannot be read, or the model does what nothing can be learnt from.
    fn batch(&mut self, number: u64, model: &M) -> Result<Self::Batch>;

    /// What one should know of the batches that were made since it was asked before.
    fn notes(&mut self) -> Vec<String> {
        Vec::new()
    }

    /// What it could not make again from the number of the next batch and the model as it is now.
    fn memory(&self) -> Vec<NamedTensor> {
        Vec::new()
    }

    /// Takes back what it remembered at a checkpoint.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    fn remember(&mut self, memory: Vec<NamedTensor>) -> std::result::Result<(), String> {
        if memory.is_empty() {
            Ok(())
        } else {
            Err("it remembers something, which this training has no use for".into())
        }
    }
}

impl<M, S: BatchSource> StepBatches<M> for S {
    type Batch = S::Batch;

    fn batch(&mut self, number: u64, _: &M) -> Result<S::Batch> {
        BatchSource::batch(self, number)
    }
}
