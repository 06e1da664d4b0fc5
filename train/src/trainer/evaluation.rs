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
    /// Evaluates a model after `step` steps on the first rows of all validation data, at most `limit`, and `together` at a time.
    #[must_use]
    pub fn evaluate(&self, model: &Gpt, step: u64, limit: usize, together: usize) -> Evaluated {
        let model = model.valid();
        let loss = |data: &JudgedRows| mean_loss(&model, data, data.rows().min(limit), together);
        let held_out: BTreeMap<String, f64> =
            self.held_out.iter().map(|(name, data)| (name.clone(), loss(data))).collect();
        let validation_loss = loss(&self.validation);
        Evaluated {
            step,
            validation_loss,
            validation_perplexity: validation_loss.exp(),
            validation_bits_per_byte: self.bytes_per_token.map(|bytes| validation_loss / LN_2 / bytes),
            held_out,
        }
    }
}

/// The mean loss over the first `rows` rows, in nats a token that counts.
fn mean_loss(model: &Gpt, data: &JudgedRows, rows: usize, together: usize) -> f64 {
    let (mut sum, mut weight) = (0.0, 0.0);
    for first in (0..rows).step_by(together) {
        let batch = data.in_order(first, together.min(rows - first));
        let loss = next_token_loss(model, tokens(&batch), &batch.targets, &batch.weights, None);
        sum += f64::from(loss.into_scalar::<f32>());
        weight += batch.weight();
    }
    sum / weight
}
