//! A model and a batch in, a loss out.

use burn::{module::Module, tensor::Tensor};

use crate::data::MicroBatches;

/// What a model is trained towards.
///
/// It may hold whatever it compares the model with; what changes with every step belongs to the model, so that it is saved.
pub trait Objective {
    /// What is trained.
    type Model: Module;
    /// What it is trained on.
    type Batch: MicroBatches;

    /// The parts of a batch with what they have to know of each other before any of them has its loss taken: nothing, for most objectives.
    ///
    /// - `keys`: of the parts, as [`Self::loss`] is given them
    fn prepared(
        &self,
        _model: &Self::Model,
        _whole: &Self::Batch,
        parts: Vec<Self::Batch>,
        _keys: &[u64],
    ) -> Vec<Self::Batch> {
        parts
    }

    /// What a part of a batch adds to the batch's loss: the losses of all parts add up to that of the whole, however it is cut. A mean over
    /// the batch is thus a sum over the part, divided by what the `whole` has. A mean of nothing is no number: a spike, which moves no
    /// weight.
    ///
    /// - `key`: a hash of (seed, batch, part), for what is random, such as dropout
    fn loss(&self, model: &Self::Model, part: &Self::Batch, whole: &Self::Batch, key: u64) -> Loss;
}

/// A loss, and what it is made of.
#[derive(Debug)]
pub struct Loss {
    /// What is minimised, `[1]`; it is watched for spikes.
    pub total: Tensor<1>,
    /// Further numbers for the log by name, `[1]` each: they add up over the parts of a batch, as the total does. Losses before they are
    /// weighted and added, or the share of answers that are right.
    pub parts: Vec<(&'static str, Tensor<1>)>,
}

impl From<Tensor<1>> for Loss {
    /// A loss of one part.
    fn from(total: Tensor<1>) -> Self {
        Self { total, parts: Vec::new() }
    }
}

/// Weights of a part of a batch as shares of the `whole` batch's: so the sums of all parts add up to the mean of the batch.
#[expect(clippy::cast_possible_truncation, reason = "weights are single precision")]
pub(super) fn shares(weights: &[f32], whole: f64) -> Vec<f32> {
    let share = 1.0 / whole;
    weights.iter().map(|weight| (f64::from(*weight) * share) as f32).collect()
}
