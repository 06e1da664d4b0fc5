//! From a batch to gradients, in one or more micro-batches.

use std::collections::BTreeMap;

use burn::tensor::Tensor;

use crate::{
    data::MicroBatches as _,
    objective::{Loss, Objective},
    optimize::Gradients,
    random::Stream,
};

/// The gradients of a step, before the optimizer takes it.
#[derive(Debug)]
pub struct StepGradients {
    /// What was minimised.
    pub loss: f64,
    /// The further numbers of the loss, by name.
    pub parts: BTreeMap<&'static str, f64>,
    /// The norm of the gradients before clipping.
    pub gradient_norm: f64,
    /// The gradients, clipped.
    pub gradients: Gradients,
}

/// The loss and the gradients of a batch, which goes through the model in `micro_batches` equal parts; they divide the batch size.
///
/// The loss is that of the whole batch, however it is cut; so are the gradients. What is dropped is a function of `stream`, and no
/// batch's is another's.
pub fn forward_backward<O: Objective>(
    objective: &O,
    model: &O::Model,
    batch: &O::Batch,
    micro_batches: usize,
    max_grad_norm: f64,
    stream: Stream,
) -> StepGradients {
    let mut gradients: Option<Gradients> = None;
    let mut sum: Option<Tensor<1>> = None;
    let mut sums: BTreeMap<&'static str, Tensor<1>> = BTreeMap::new();
    let keys: Vec<u64> = (0..micro_batches).map(|number| stream.bits(number as u64)).collect();
    let parts = objective.prepared(model, batch, batch.micro_batches(micro_batches).collect(), &keys);
    for (part, key) in parts.into_iter().zip(keys) {
        let Loss { total, parts } = objective.loss(model, &part, batch, key);
        let mut graph = total.backward();
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
        sum = Some(added(sum, total));
        for (name, value) in parts {
            let before = sums.remove(name);
            sums.insert(name, added(before, value));
        }
    }
    let mut gradients = gradients.expect("a batch has a part");
    let gradient_norm = gradients.clip(max_grad_norm);
    let number = |sum: Tensor<1>| f64::from(sum.into_scalar::<f32>());
    let loss = sum.map_or(f64::NAN, number);
    let parts = sums.into_iter().map(|(name, sum)| (name, number(sum))).collect();
    StepGradients { loss, parts, gradient_norm, gradients }
}

/// A sum with one number more, without their graphs.
fn added(sum: Option<Tensor<1>>, number: Tensor<1>) -> Tensor<1> {
    let number = number.without_autodiff();
    match sum {
        Some(sum) => sum + number,
        None => number,
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;
    use crate::{
        data::{Batch, PaddedSequences, RetrievalBatch},
        model::{Encoders, ModelConfig, Pooling, Similarity},
        objective::{Contrastive, NextToken},
    };

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
        let whole = forward_backward(&NextToken, &model, &batch, 1, 1e9, stream);
        for micro_batches in [2, 8] {
            let other = forward_backward(&NextToken, &model, &batch, micro_batches, 1e9, stream);
            assert!((other.loss - whole.loss).abs() < 1e-6, "{} is not {}", other.loss, whole.loss);
            for ((name, one), (_, other)) in whole.gradients.by_name().zip(other.gradients.by_name()) {
                let difference = (one.clone() - other.clone()).abs().max().into_scalar::<f32>();
                assert!(difference < 1e-6, "{micro_batches}: {name} differs by {difference}");
            }
        }
    }

    /// Every question is told from the passages of all parts: their vectors are found first, and dropped with the same numbers the second time.
    #[test]
    fn parts_that_know_each_others_vectors_have_the_gradients_of_the_batch() {
        let config = ModelConfig {
            num_layers: Some(1),
            num_heads: Some(2),
            hidden_size: Some(8),
            context_length: Some(5),
            ..ModelConfig::default()
        };
        let architecture = config.architecture().expect("the numbers fit together");
        let ids: Vec<Vec<u32>> =
            (0..20u32).map(|text| (0..2 + text % 4).map(|at| (text * 5 + at * 3) % 11).collect()).collect();
        let (queries, passages) = ids.split_at(8);
        let sequences = |texts: &[Vec<u32>]| PaddedSequences::new(texts.iter().map(Vec::as_slice), 0);
        let batch = |passages: &[Vec<u32>], positives: [usize; 8], excluded: Vec<(usize, usize)>| RetrievalBatch {
            queries: sequences(queries),
            passages: sequences(passages),
            positives: positives.to_vec(),
            excluded,
            found: None,
        };
        // the second has fewer passages than parts
        let many = batch(passages, [3, 0, 11, 3, 7, 8, 1, 5], vec![(0, 4), (6, 11)]);
        let few = batch(&passages[..3], [0, 1, 2, 2, 1, 0, 0, 1], Vec::new());
        for (batch, shared, similarity, temperature) in [
            (&many, true, Similarity::Dot, 1.0),
            (&many, false, Similarity::Cosine, 0.05),
            (&few, true, Similarity::Dot, 1.0),
        ] {
            let encoders = Encoders { shared, pooling: Pooling::Last, similarity };
            let model = architecture.init_dual_encoder(11, encoders, 3, &Device::flex().autodiff());
            let (objective, stream) = (Contrastive { temperature }, Stream::new(1, "test"));
            let whole = forward_backward(&objective, &model, batch, 1, 1e9, stream);
            assert!(whole.gradients.by_name().count() > 10 && whole.loss > 0.1, "{}", whole.loss);
            for micro_batches in [2, 8] {
                let other = forward_backward(&objective, &model, batch, micro_batches, 1e9, stream);
                assert!(
                    (other.loss - whole.loss).abs() < 1e-6 * whole.loss.max(1.0),
                    "{} is not {}",
                    other.loss,
                    whole.loss
                );
                assert!((other.parts["accuracy"] - whole.parts["accuracy"]).abs() < 1e-6);
                for ((name, one), (_, other)) in whole.gradients.by_name().zip(other.gradients.by_name()) {
                    let largest = one.clone().abs().max().into_scalar::<f32>().max(1.0);
                    let difference = (one.clone() - other.clone()).abs().max().into_scalar::<f32>();
                    assert!(difference < 1e-6 * largest, "{micro_batches}: {name} differs by {difference}");
                }
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
        let step = forward_backward(&NextToken, &model, &batch, 2, 1.0, Stream::new(1, "test"));
        assert!(step.loss.is_nan(), "{}", step.loss);
    }
}
