//! Evaluation while a model is trained.

use std::{collections::BTreeMap, f64::consts::LN_2};

use burn::module::Module;

use super::{metrics::Evaluation, step::tokens};
use crate::{data::EvalSet, model::Gpt, objective::next_token_loss};

/// The data that a model is evaluated on, of which it has seen nothing.
pub struct EvalSets {
    /// The mixture's own validation data.
    pub validation: EvalSet,
    /// Bytes of its texts for a token, where they are known.
    pub bytes_per_token: Option<f64>,
    /// The validation data of others, by name.
    pub held_out: Vec<(String, EvalSet)>,
}

impl EvalSets {
    /// Evaluates a model after `step` steps, with `batch_size` sequences at a time.
    #[must_use]
    pub fn evaluate(&self, model: &Gpt, step: u64, batch_size: usize) -> Evaluation {
        let model = model.valid();
        let held_out: BTreeMap<String, f64> =
            self.held_out.iter().map(|(name, data)| (name.clone(), mean_loss(&model, data, batch_size))).collect();
        let validation_loss = mean_loss(&model, &self.validation, batch_size);
        Evaluation {
            step,
            validation_loss,
            validation_perplexity: validation_loss.exp(),
            validation_bits_per_byte: self.bytes_per_token.map(|bytes| validation_loss / LN_2 / bytes),
            validation_sequences: self.validation.sequences(),
            validation_tokens: self.validation.loss_tokens(),
            held_out,
        }
    }
}

/// The mean loss in nats a token, over the tokens that it is taken on: there is one in every sequence.
fn mean_loss(model: &Gpt, data: &EvalSet, batch_size: usize) -> f64 {
    let (mut sum, mut weight) = (0.0, 0.0);
    for (factor, batch) in data.batches(batch_size) {
        let loss = next_token_loss(model, tokens(&batch), &batch.targets, &batch.weights, None);
        sum += factor * f64::from(loss.into_scalar::<f32>());
        weight += factor * batch.weight();
    }
    sum / weight
}
