//! A language model's loss on texts that it has not seen.

use std::{collections::BTreeMap, f64::consts::LN_2};

use super::{
    next_token::{next_token_loss, tokens},
    scores::{Evaluator, Score, Scores},
};
use crate::{data::EvalSet, error::Result, model::Gpt};

/// The data that a language model is evaluated on, of which it has seen nothing. The best step is that of the least loss.
pub struct EvalSets {
    /// The mixture's own validation data.
    pub validation: EvalSet,
    /// Bytes of its texts for a token, where they are known.
    pub bytes_per_token: Option<f64>,
    /// The validation data of others, by name.
    pub held_out: Vec<(String, EvalSet)>,
    /// Sequences that go through the model together.
    pub batch_size: usize,
}

impl Evaluator<Gpt> for EvalSets {
    fn criterion(&self) -> &'static str {
        "validation_loss"
    }

    fn eval_set(&self) -> &str {
        self.validation.hash()
    }

    /// The loss and the perplexity in nats and per token; in bits for a byte of the texts, where their bytes are known, by which models of
    /// other tokenizers can be compared; on how much it is taken.
    fn evaluate(&self, model: &Gpt, _: u64) -> Result<Scores> {
        let mean_loss = |data| mean_loss(model, data, self.batch_size);
        let held_out: BTreeMap<String, f64> =
            self.held_out.iter().map(|(name, data)| (name.clone(), mean_loss(data))).collect();
        let loss = mean_loss(&self.validation);
        let bits = self.bytes_per_token.map(|bytes| loss / LN_2 / bytes);
        let mut scores = loss_scores(loss, true);
        scores.extend(bits.map(|bits| {
            Score::loss("validation_bits_per_byte", bits).shown(format!("{bits:.4} bits a byte"), "Bits a byte")
        }));
        scores.push(Score::count("validation_sequences", self.validation.sequences() as u64));
        scores.push(Score::count("validation_tokens", self.validation.loss_tokens()));
        Ok(Scores { scores, held_out, ..Scores::default() })
    }
}

/// A loss on validation data, and its perplexity where that says something.
pub(super) fn loss_scores(loss: f64, with_perplexity: bool) -> Vec<Score> {
    let perplexity = loss.exp();
    let mut scores = vec![Score::loss("validation_loss", loss).shown(format!("validation loss {loss:.4}"), "Loss")];
    if with_perplexity {
        scores.push(
            Score::loss("validation_perplexity", perplexity).shown(format!("perplexity {perplexity:.2}"), "Perplexity"),
        );
    }
    scores
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
