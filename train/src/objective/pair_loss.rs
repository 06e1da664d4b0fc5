//! The loss of a model with an encoder on pairs that it has not seen.

use std::collections::BTreeMap;

use super::{
    perplexity::loss_scores,
    scores::{Evaluator, Score, Scores},
    teacher_forcing::teacher_forcing_loss,
};
use crate::{data::PairEvalSet, error::Result, model::EncoderDecoder};

/// The pairs that a model with an encoder is evaluated on, of which it has seen nothing. The best step is that of the least loss.
pub struct PairEvalSets {
    /// The validation data of what it is trained on.
    pub validation: PairEvalSet,
    /// The validation data of others, by name.
    pub held_out: Vec<(String, PairEvalSet)>,
    /// Pairs that go through the model together.
    pub batch_size: usize,
    /// Whether targets are texts, of which a perplexity says something; spans of noise between sentinels are none.
    pub with_perplexity: bool,
}

impl Evaluator<EncoderDecoder> for PairEvalSets {
    fn criterion(&self) -> &'static str {
        "validation_loss"
    }

    fn eval_set(&self) -> &str {
        self.validation.hash()
    }

    /// The loss in nats per token of the targets, the perplexity where it says something, and on how much they are taken.
    fn evaluate(&self, model: &EncoderDecoder, _: u64) -> Result<Scores> {
        let mean_loss = |data| mean_loss(model, data, self.batch_size);
        let held_out: BTreeMap<String, f64> =
            self.held_out.iter().map(|(name, data)| (name.clone(), mean_loss(data))).collect();
        let mut scores = loss_scores(mean_loss(&self.validation), self.with_perplexity);
        scores.push(Score::count("validation_pairs", self.validation.pairs() as u64));
        scores.push(Score::count("validation_tokens", self.validation.target_tokens()));
        Ok(Scores { scores, held_out, ..Scores::default() })
    }
}

/// The mean loss in nats a token of the targets.
fn mean_loss(model: &EncoderDecoder, data: &PairEvalSet, batch_size: usize) -> f64 {
    let (mut sum, mut weight) = (0.0, 0.0);
    for (factor, batch) in data.batches(batch_size) {
        let loss = teacher_forcing_loss(model, &batch, &batch.weights, None);
        sum += factor * f64::from(loss.into_scalar::<f32>());
        weight += factor * batch.weight();
    }
    sum / weight
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;
    use crate::{
        data::{MicroBatches as _, Pair, PairBatch},
        model::{Family, ModelConfig},
        objective::{Objective as _, TeacherForcing},
    };

    /// Whatever goes through the model together, the loss is the mean over all tokens of targets: what is padded, and how a batch is cut,
    /// changes nothing. A step's loss is the same mean.
    #[test]
    fn a_mean_is_over_the_tokens_of_all_targets() {
        let config = ModelConfig {
            family: Some(Family::T5),
            num_layers: Some(1),
            num_heads: Some(2),
            hidden_size: Some(8),
            context_length: Some(8),
            ..ModelConfig::default()
        };
        let architecture = config.architecture().expect("the numbers fit together");
        let model = architecture.init_encoder_decoder(20, 3, &Device::flex());
        let pair = |source: &[u32], target: &[u32]| Pair { source: source.to_vec(), target: target.to_vec() };
        let pairs = [
            pair(&[5, 6, 7, 1], &[8, 1]),
            pair(&[9, 1], &[10, 11, 12, 1]),
            pair(&[13, 1], &[1]),
            pair(&[2, 1], &[3, 1]),
        ];
        let sum = |pair: &Pair| {
            let batch = PairBatch::new(std::slice::from_ref(pair), 0, 0);
            f64::from(teacher_forcing_loss(&model, &batch, &batch.weights, None).into_scalar::<f32>())
        };
        let expected = pairs.iter().map(sum).sum::<f64>() / 9.0;
        for batch_size in [1, 3, 4] {
            let validation = PairEvalSet::new(vec![(1.0, pairs.to_vec())], 4, 0);
            let sets = PairEvalSets { validation, held_out: Vec::new(), batch_size, with_perplexity: true };
            let scores = sets.evaluate(&model, 0).expect("nothing is read");
            let of = |key: &str| scores.get(key).expect("it is scored").number();
            let loss = of("validation_loss");
            assert!((loss - expected).abs() < 1e-5, "{batch_size} together: {loss} is not {expected}");
            assert!((of("validation_perplexity") - loss.exp()).abs() < 1e-9);
            assert!((of("validation_tokens") - 9.0).abs() < 1e-9);
        }
        let batch = PairBatch::new(&pairs, 0, 0);
        let parts = batch.micro_batches(2).map(|part| TeacherForcing.loss(&model, &part, &batch, 1).total);
        let loss: f64 = parts.map(|loss| f64::from(loss.into_scalar::<f32>())).sum();
        assert!((loss - expected).abs() < 1e-5, "{loss} is not {expected}");
    }
}
