//! What a model is judged by while it is trained.

use std::{collections::BTreeMap, f64::consts::LN_2};

use burn::module::Module;

use super::{metrics::Evaluated, step::tokens};
use crate::{data::JudgedRows, model::Gpt, objective::next_token_loss};

/// The data that a model is judged by, of which it has seen nothing.
pub struct Judges {
    /// The mixture's own validation data.
    pub validation: JudgedRows,
    /// Bytes of its texts for a token, where they are known.
    pub bytes_per_token: Option<f64>,
    /// The validation data of others, by name.
    pub held_out: Vec<(String, JudgedRows)>,
}

impl Judges {
    /// Evaluates a model after `step` steps on the rows that were drawn, `together` at a time.
    #[must_use]
    pub fn evaluate(&self, model: &Gpt, step: u64, together: usize) -> Evaluated {
        let model = model.valid();
        let held_out: BTreeMap<String, f64> =
            self.held_out.iter().map(|(name, data)| (name.clone(), mean_loss(&model, data, together))).collect();
        let validation_loss = mean_loss(&model, &self.validation, together);
        Evaluated {
            step,
            validation_loss,
            validation_perplexity: validation_loss.exp(),
            validation_bits_per_byte: self.bytes_per_token.map(|bytes| validation_loss / LN_2 / bytes),
            validation_rows: self.validation.rows(),
            validation_tokens: self.validation.tokens(),
            held_out,
        }
    }
}

/// The mean loss in nats a token that counts, wherever those stand: there is one in every row.
fn mean_loss(model: &Gpt, data: &JudgedRows, together: usize) -> f64 {
    let (mut sum, mut weight) = (0.0, 0.0);
    for (factor, batch) in data.batches(together) {
        let loss = next_token_loss(model, tokens(&batch), &batch.targets, &batch.weights, None);
        sum += factor * f64::from(loss.into_scalar::<f32>());
        weight += factor * batch.weight();
    }
    sum / weight
}
