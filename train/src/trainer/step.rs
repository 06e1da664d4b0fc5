//! From a batch to gradients, in one or more micro-batches.

use burn::tensor::Tensor;

use crate::{
    data::Batch,
    model::{Gpt, Tokens},
    objective::next_token_loss,
    optimize::Gradients,
    random::Stream,
};

/// The gradients of a step, before the optimizer takes it.
#[derive(Debug)]
pub struct StepGradients {
    /// Nats a token.
    pub loss: f64,
    /// The norm of the gradients before clipping.
    pub gradient_norm: f64,
    /// The gradients, clipped.
    pub gradients: Gradients,
}

/// The loss and the gradients of a batch, which goes through the model in `micro_batches` equal parts; they divide the batch size.
///
/// The loss is the mean over all tokens of the batch that it is taken on, however the batch is cut and wherever they stand; so are the
/// gradients. What is dropped is a function of `stream`, and no batch's is another's. Without
/// such a token the loss is no number: a spike, which moves no weight.
pub fn forward_backward(
    model: &Gpt,
    batch: &Batch,
    micro_batches: usize,
    max_grad_norm: f64,
    stream: Stream,
) -> StepGradients {
    let share = 1.0 / batch.weight();
    let mut gradients: Option<Gradients> = None;
    let mut sum: Option<Tensor<1>> = None;
    for (number, part) in batch.micro_batches(micro_batches).enumerate() {
        #[expect(clippy::cast_possible_truncation, reason = "weights are single precision")]
        let weights: Vec<f32> = part.weights.iter().map(|weight| (f64::from(*weight) * share) as f32).collect();
        let key = stream.bits(number as u64);
        let loss = next_token_loss(model, tokens(&part), &part.targets, &weights, Some(key));
        let mut graph = loss.backward();
        let of_part = Gradients::of(model, &mut graph);
        drop(graph);
        gradients = Some(match gradients {
            Some(mut gradients) => {
                gradients.add(of_part);
                gradients
            }
            None => of_part,
        });
        // the sum is no part of what gradients are taken of, and lets go of each part's intermediate values
        let loss = loss.without_autodiff();
        sum = Some(match sum {
            Some(sum) => sum + loss,
            None => loss,
        });
    }
    let mut gradients = gradients.expect("a batch has a part");
    let gradient_norm = gradients.clip(max_grad_norm);
    let loss = sum.map_or(f64::NAN, |sum| f64::from(sum.into_scalar::<f32>()));
    StepGradients { loss, gradient_norm, gradients }
}

/// What goes through the model of a batch.
pub fn tokens(batch: &Batch) -> Tokens<'_> {
    let apart = batch.starts.iter().any(|start| *start > 0);
    Tokens { ids: &batch.inputs, batch_size: batch.batch_size, starts: apart.then_some(&batch.starts) }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;
    use crate::model::ModelConfig;

    /// Micro-batches change how much is in memory at a time, and nothing else but the order of sums; wherever the tokens
    /// with loss stand.
    #[test]
    fn micro_batches_have_the_gradients_of_the_batch() {
        let config = ModelConfig {
            num_layers: Some(1),
            num_heads: Some(2),
            hidden_size: Some(8),
            context_length: Some(5),
            ..ModelConfig::default()
        };
        let model = config.architecture().expect("the numbers fit together").init(11, 3, &Device::flex().autodiff());
        let ids = |from: i32| (0..40).map(|place| (place * 7 + from) % 11).collect();
        let weights = (0..40u8).map(|place| if place < 12 || place % 3 == 0 { 1.0 } else { 0.0 }).collect();
        let batch =
            Batch { inputs: ids(0), targets: ids(7), weights, starts: vec![0; 40], batch_size: 8, sequence_length: 5 };
        let stream = Stream::new(1, "test");
        let whole = forward_backward(&model, &batch, 1, 1e9, stream);
        for micro_batches in [2, 8] {
            let other = forward_backward(&model, &batch, micro_batches, 1e9, stream);
            assert!((other.loss - whole.loss).abs() < 1e-6, "{} is not {}", other.loss, whole.loss);
            for ((name, one), (_, other)) in whole.gradients.by_name().zip(other.gradients.by_name()) {
                let difference = (one.clone() - other.clone()).abs().max().into_scalar::<f32>();
                assert!(difference < 1e-6, "{micro_batches}: {name} differs by {difference}");
            }
        }
    }

    /// A mean of nothing is no loss; 0 would be one, and the best of all.
    #[test]
    fn a_batch_without_weight_has_no_loss() {
        let config = ModelConfig {
            num_layers: Some(1),
            num_heads: Some(2),
            hidden_size: Some(8),
            context_length: Some(5),
            ..ModelConfig::default()
        };
        let model = config.architecture().expect("the numbers fit together").init(11, 3, &Device::flex().autodiff());
        let [inputs, targets, starts] = [vec![1; 10], vec![2; 10], vec![0; 10]];
        let batch = Batch { inputs, targets, weights: vec![0.0; 10], starts, batch_size: 2, sequence_length: 5 };
        let step = forward_backward(&model, &batch, 2, 1.0, Stream::new(1, "test"));
        assert!(step.loss.is_nan(), "{}", step.loss);
    }
}
