//! Teacher forcing: a decoder is given the target that it is to write, and each of its ids counts.

use burn::tensor::Tensor;

use super::{Loss, Objective, loss::shares};
use crate::{
    data::PairBatch,
    model::{EncoderDecoder, EncoderInput, Tokens},
    tensor::head_loss,
};

/// The objective of a model with an encoder: the mean cross-entropy of the ids of all targets of a batch, in nats, their ends among them.
#[derive(Debug, Clone, Copy, Default)]
pub struct TeacherForcing;

impl Objective for TeacherForcing {
    type Model = EncoderDecoder;
    type Batch = PairBatch;

    fn loss(&self, model: &EncoderDecoder, part: &PairBatch, whole: &PairBatch, key: u64) -> Loss {
        teacher_forcing_loss(model, part, &shares(&part.weights, whole.weight()), Some(key)).into()
    }
}

/// The cross-entropy of the targets, given their sources and what comes before: the sum over positions of weight times loss.
///
/// - `weights`: `[batch, target time]`, how much each counts, 0 on padding; weights that add up to 1 over a step make the mean of it
/// - `key`: a hash of (seed, step) while training, for what is dropped
///
/// Returns `[1]`, in nats times weight.
#[must_use]
pub fn teacher_forcing_loss(model: &EncoderDecoder, batch: &PairBatch, weights: &[f32], key: Option<u64>) -> Tensor<1> {
    let tokens = |ids| Tokens { ids, batch_size: batch.batch_size, starts: None };
    let source = EncoderInput { tokens: tokens(&batch.sources), lengths: &batch.source_lengths };
    let hidden = model.hidden(source, tokens(&batch.inputs), key); // [b, t, h]
    let [rows, time, hidden_size] = hidden.dims();
    head_loss(hidden.reshape([rows * time, hidden_size]), model.head(), &batch.targets, weights)
}
