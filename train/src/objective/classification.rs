//! GPT-1's fine-tuning: the cross-entropy of a head's classes, with the language model's own as an auxiliary loss.
//!
//! ```text
//! loss = mean over examples of the class's cross-entropy + lambda * mean over sequences of their tokens' mean cross-entropy
//! ```
//!
//! The language model's loss is taken on all tokens of the labelled sequences but their first, marks among them. With a lambda of 0 it is not
//! computed.
//!
//! Source: Radford et al. 2018 (GPT-1), equations 4 and 5, and their code for the means.

use burn::tensor::{Int, Tensor, TensorData, activation::log_softmax};

use super::{Loss, Objective};
use crate::{
    data::{ExampleKind, MicroBatches as _, SequenceBatch},
    model::{Classifier, Tokens, last_states, states_at},
    tensor::head_loss,
};

/// What a classifier is trained towards.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Classification {
    /// What the sequences of an example are to each other.
    pub kind: ExampleKind,
    /// Lambda: how much the language model's loss counts, 0 or more.
    pub auxiliary_weight: f64,
}

impl Objective for Classification {
    type Model = Classifier;
    type Batch = SequenceBatch;

    fn loss(&self, model: &Classifier, part: &SequenceBatch, whole: &SequenceBatch, key: u64) -> Loss {
        let hidden = model.model().hidden(tokens(part), Some(key)); // [s, t, h]
        let share = 1.0 / whole.batch_size() as f64;
        let logits = logits(model, self.kind, part, hidden.clone(), Some(key));
        let [examples, _] = logits.dims();
        let labels: Vec<i32> = part.labels.iter().map(|label| i32::try_from(*label).expect("a class")).collect();
        let labels = Tensor::<2, Int>::from_data(TensorData::new(labels, [examples, 1]), &logits.device());
        let log_probabilities = log_softmax(logits, 1); // [e, c]
        let of_labels = log_probabilities.clone().gather(1, labels); // [e, 1]
        let right = of_labels.clone().greater_equal(log_probabilities.max_dim(1)).float();
        let classification = of_labels.sum().neg() * share;
        let mut parts = vec![("classification_loss", classification.clone()), ("accuracy", right.sum() * share)];
        if self.auxiliary_weight == 0.0 {
            return Loss { total: classification, parts };
        }
        let language = language_model_loss(model, part, hidden, 1.0 / whole.lengths.len() as f64);
        parts.push(("language_model_loss", language.clone()));
        Loss { total: classification + language * self.auxiliary_weight, parts }
    }
}

/// What goes through the model of a batch.
pub(super) fn tokens(batch: &SequenceBatch) -> Tokens<'_> {
    Tokens { ids: &batch.ids, batch_size: batch.lengths.len(), starts: None }
}

/// The logits of classes, or of alternatives, `[examples, classes]`.
///
/// - `hidden`: `[sequences, time, hidden_size]`
/// - `key`: a hash of (seed, step) while training, for what is dropped
pub(super) fn logits(
    model: &Classifier,
    kind: ExampleKind,
    batch: &SequenceBatch,
    hidden: Tensor<3>,
    key: Option<u64>,
) -> Tensor<2> {
    let states = last_states(hidden, &batch.lengths);
    match kind {
        ExampleKind::Classification => model.class_logits(states, &batch.counts, key),
        ExampleKind::MultipleChoice => model.choice_logits(states, &batch.counts, key),
    }
}

/// The sum over sequences of `share` times the mean cross-entropy of their tokens but the first, `[1]`, in nats.
fn language_model_loss(model: &Classifier, batch: &SequenceBatch, hidden: Tensor<3>, share: f64) -> Tensor<1> {
    let time = hidden.dims()[1];
    // what stands before padding, or before nothing, is not asked for the next token
    let (mut places, mut targets, mut weights) = (Vec::new(), Vec::new(), Vec::new());
    for (sequence, length) in batch.lengths.iter().enumerate() {
        let first = sequence * time;
        let asked = length - 1;
        places.extend(first..first + asked);
        targets.extend_from_slice(&batch.ids[first + 1..first + length]);
        #[expect(clippy::cast_possible_truncation, reason = "weights are single precision")]
        weights.resize(targets.len(), (share / asked as f64) as f32);
    }
    if places.is_empty() {
        return Tensor::zeros([1], &hidden.device());
    }
    head_loss(states_at(hidden, &places), model.model().head(), &targets, &weights)
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;
    use crate::{
        data::Example,
        model::{Family, ModelConfig},
        optimize::Gradients,
    };

    const VOCABULARY: usize = 12;

    fn classifier(classes: usize, dropout: f32, device: &Device) -> Classifier {
        let config = ModelConfig {
            family: Some(Family::Gpt1),
            num_layers: Some(1),
            num_heads: Some(2),
            hidden_size: Some(8),
            context_length: Some(6),
            dropout: Some(dropout),
            ..ModelConfig::default()
        };
        let architecture = config.architecture().expect("the numbers fit together");
        architecture.init_classifier(VOCABULARY, classes, dropout, 5, device)
    }

    fn batch(examples: &[(&[&'static [u32]], u32)]) -> SequenceBatch {
        let example = |(sequences, label): &(&[&'static [u32]], u32)| Example {
            sequences: sequences.to_vec(),
            label: Some(*label),
        };
        SequenceBatch::new(&examples.iter().map(example).collect::<Vec<_>>(), 0)
    }

    fn values<const D: usize>(x: Tensor<D>) -> Vec<f64> {
        let values: Vec<f32> = x.into_data().try_to_vec().expect("single precision");
        values.into_iter().map(f64::from).collect()
    }

    fn number(x: Tensor<1>) -> f64 {
        values(x)[0]
    }

    /// The cross-entropy of a target under some logits.
    fn loss_of(logits: &[f64], target: usize) -> f64 {
        logits.iter().map(|logit| logit.exp()).sum::<f64>().ln() - logits[target]
    }

    /// The logits of every position of a sequence alone, and of the head at its last.
    fn alone(model: &Classifier, ids: &[u32]) -> (Vec<f64>, Tensor<2>) {
        let ids: Vec<i32> = ids.iter().map(|id| i32::try_from(*id).expect("small")).collect();
        let tokens = Tokens { ids: &ids, batch_size: 1, starts: None };
        let states = last_states(model.model().hidden(tokens, None), &[ids.len()]);
        (values(model.model().logits(tokens)), states)
    }

    /// The mean loss of a sequence's tokens but the first.
    fn language_loss(model: &Classifier, ids: &[u32]) -> f64 {
        let logits = alone(model, ids).0;
        let of = |(logits, target): (&[f64], &u32)| loss_of(logits, *target as usize);
        let losses: Vec<f64> = logits.chunks(VOCABULARY).zip(&ids[1..]).map(of).collect();
        losses.iter().sum::<f64>() / losses.len() as f64
    }

    fn check(found: &Loss, total: f64, parts: &[(&str, f64)]) {
        assert!((number(found.total.clone()) - total).abs() < 1e-5, "{:?} is not {total}", found.total);
        let names: Vec<&str> = found.parts.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, parts.iter().map(|(name, _)| *name).collect::<Vec<_>>());
        for ((name, value), (_, expected)) in found.parts.iter().zip(parts) {
            let value = number(value.clone());
            assert!((value - expected).abs() < 1e-5, "{name}: {value} is not {expected}");
        }
    }

    /// One sequence, and both orders beside it, without a batch: each sequence goes through the model alone.
    #[test]
    fn the_loss_is_that_of_the_definition() {
        let model = classifier(3, 0.0, &Device::flex());
        let sequences: [&'static [u32]; 3] = [&[1, 4, 5, 2], &[1, 6, 3, 7, 8, 2], &[1, 7, 8, 3, 6, 2]];
        let batch = batch(&[(&sequences[..1], 2), (&sequences[1..], 0)]);
        let states: Vec<Tensor<2>> = sequences.iter().map(|ids| alone(&model, ids).1).collect();
        let of_class = |state: Tensor<2>, label| {
            let logits = values(model.class_logits(state, &[1], None));
            let best = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            #[expect(clippy::float_cmp, reason = "it is the largest or it is not")]
            let right = f64::from(u8::from(logits[label] == best));
            (loss_of(&logits, label), right)
        };
        let one = of_class(states[0].clone(), 2);
        let other = of_class(states[1].clone() + states[2].clone(), 0);
        let classification = f64::midpoint(one.0, other.0);
        let right = f64::midpoint(one.1, other.1);
        let language = sequences.iter().map(|ids| language_loss(&model, ids)).sum::<f64>() / 3.0;
        let objective = |auxiliary_weight| Classification { kind: ExampleKind::Classification, auxiliary_weight };
        let parts = [("classification_loss", classification), ("accuracy", right), ("language_model_loss", language)];
        check(&objective(0.5).loss(&model, &batch, &batch, 1), classification + 0.5 * language, &parts);
        check(&objective(0.0).loss(&model, &batch, &batch, 1), classification, &parts[..2]);
    }

    /// Alternatives stand under one softmax, of as many as an example has.
    #[test]
    fn alternatives_are_chosen_among() {
        let model = classifier(1, 0.0, &Device::flex());
        let sequences: [&'static [u32]; 5] = [&[1, 4, 2], &[1, 5, 5, 2], &[1, 6, 2], &[1, 7, 8, 2], &[1, 9, 2]];
        let batch = batch(&[(&sequences[..2], 1), (&sequences[2..], 2)]);
        let score = |ids: &&[u32]| values(model.class_logits(alone(&model, ids).1, &[1], None))[0];
        let scores: Vec<f64> = sequences.iter().map(score).collect();
        let expected = f64::midpoint(loss_of(&scores[..2], 1), loss_of(&scores[2..], 2));
        let objective = Classification { kind: ExampleKind::MultipleChoice, auxiliary_weight: 0.0 };
        let found = objective.loss(&model, &batch, &batch, 1);
        assert!((number(found.total) - expected).abs() < 1e-5);
    }

    /// Micro-batches add up to the batch, whatever its examples' sizes: loss, parts and gradients.
    #[test]
    fn micro_batches_have_the_gradients_of_the_batch() {
        let sequences: [&'static [u32]; 6] =
            [&[1, 4, 2], &[1, 5, 5, 7, 6, 2], &[1, 6, 2], &[1, 7, 8, 2], &[1, 9, 2], &[1, 3, 3, 9, 2]];
        for (kind, classes, labels) in
            [(ExampleKind::Classification, 3, [2, 0, 1, 1]), (ExampleKind::MultipleChoice, 1, [1, 0, 0, 0])]
        {
            let model = classifier(classes, 0.0, &Device::flex().autodiff());
            let examples = [
                (&sequences[..2], labels[0]),
                (&sequences[2..3], labels[1]),
                (&sequences[3..5], labels[2]),
                (&sequences[5..], labels[3]),
            ];
            let batch = batch(&examples);
            let objective = Classification { kind, auxiliary_weight: 0.5 };
            let gradients = |loss: &Loss| Gradients::of(&model, &mut loss.total.backward());
            let whole = objective.loss(&model, &batch, &batch, 1);
            let (mut sum, mut of_parts) = (0.0, None::<Gradients>);
            for part in batch.micro_batches(2) {
                let loss = objective.loss(&model, &part, &batch, 1);
                let of_part = gradients(&loss);
                sum += number(loss.total);
                match &mut of_parts {
                    Some(all) => all.add(of_part),
                    None => of_parts = Some(of_part),
                }
            }
            assert!((sum - number(whole.total.clone())).abs() < 1e-5, "{kind:?}: {sum}");
            let (one, other) = (gradients(&whole), of_parts.expect("there are parts"));
            let mut moved = 0;
            for ((name, one), (_, other)) in one.by_name().zip(other.by_name()) {
                let difference = (one.clone() - other.clone()).abs().max().into_scalar::<f32>();
                assert!(difference < 1e-5, "{kind:?}: {name} differs by {difference}");
                moved += usize::from(one.clone().abs().max().into_scalar::<f32>() > 0.0);
            }
            assert!(moved > 8, "{kind:?}: {moved} parameters have a gradient");
        }
    }

    /// What is dropped depends on the key alone.
    #[test]
    fn dropout_is_a_function_of_the_key() {
        let model = classifier(2, 0.4, &Device::flex());
        let batch = batch(&[(&[&[1, 4, 5, 2]], 0), (&[&[1, 6, 2]], 1)]);
        let objective = Classification { kind: ExampleKind::Classification, auxiliary_weight: 0.5 };
        let of = |key| number(objective.loss(&model, &batch, &batch, key).total).to_bits();
        assert_eq!(of(1), of(1));
        assert_ne!(of(1), of(2));
    }
}
