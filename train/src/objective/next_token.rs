//! The cross-entropy of the next token.

use burn::tensor::Tensor;

use super::{Loss, Objective, loss::shares};
use crate::{
    data::Batch,
    model::{Gpt, Tokens},
    tensor::head_loss,
};

/// A language model's objective: the mean cross-entropy of the next token, in nats, over the tokens of a batch that it is taken on.
///
/// Without such a token the loss is no number: a spike, which moves no weight.
#[derive(Debug, Clone, Copy, Default)]
pub struct NextToken;

impl Objective for NextToken {
    type Model = Gpt;
    type Batch = Batch;

    fn loss(&self, model: &Gpt, part: &Batch, whole: &Batch, key: u64) -> Loss {
        let weights = shares(&part.weights, whole.weight());
        next_token_loss(model, tokens(part), &part.targets, &weights, Some(key)).into()
    }
}

/// What goes through the model of a batch.
pub(super) fn tokens(batch: &Batch) -> Tokens<'_> {
    let apart = batch.starts.iter().any(|start| *start > 0);
    Tokens { ids: &batch.inputs, batch_size: batch.batch_size, starts: apart.then_some(&batch.starts) }
}

/// The cross-entropy of the next token: the sum over positions of weight times loss.
///
/// # Shapes
/// - `targets`: `[batch, time]`, the tokens that come
/// - `weights`: `[batch, time]`, how much each counts; weights that add up to 1 over a step make the mean of it
///
/// `key` is a hash of (seed, step) while training, for what is dropped.
///
/// Returns `[1]`, in nats times weight.
#[must_use]
pub fn next_token_loss(
    model: &Gpt,
    tokens: Tokens<'_>,
    targets: &[i32],
    weights: &[f32],
    key: Option<u64>,
) -> Tensor<1> {
    let hidden = model.hidden(tokens, key); // [b, t, h]
    let [rows, time, hidden_size] = hidden.dims();
    head_loss(hidden.reshape([rows * time, hidden_size]), model.head(), targets, weights)
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;
    use crate::model::ModelConfig;

    #[test]
    fn the_loss_is_that_of_the_definition() {
        let config = ModelConfig {
            num_layers: Some(1),
            num_heads: Some(2),
            hidden_size: Some(8),
            context_length: Some(4),
            ..ModelConfig::default()
        };
        let model = config.architecture().expect("the numbers fit together").init(5, 1, &Device::flex());
        let (ids, targets, weights) = ([1, 2, 0, 4], [2, 0, 4, 3], [0.5, 0.0, 0.25, 0.25]);
        let tokens = Tokens { ids: &ids, batch_size: 2, starts: None };
        let logits: Vec<f32> = model.logits(tokens).into_data().try_to_vec().expect("logits are single precision");
        let of_row = |(logits, target): (&[f32], &i32)| {
            let sum: f64 = logits.iter().map(|x| f64::from(*x).exp()).sum();
            sum.ln() - f64::from(logits[usize::try_from(*target).expect("an id")])
        };
        let losses = logits.chunks(5).zip(&targets).map(of_row);
        let expected: f64 = losses.zip(weights).map(|(loss, weight)| loss * f64::from(weight)).sum();
        let loss = f64::from(next_token_loss(&model, tokens, &targets, &weights, None).into_scalar::<f32>());
        assert!((loss - expected).abs() < 1e-6, "{loss} is not {expected}");
    }
}
