//! A classifier: a language model with a linear head for classes.
//!
//! ```text
//! <|start|> text <|extract|>                 -> state at the last token -> dropout -> classes    one sequence
//! <|start|> a <|delimiter|> b <|extract|>    -> state \
//! <|start|> b <|delimiter|> a <|extract|>    -> state  + -> dropout -> classes                   both orders
//! <|start|> c <|delimiter|> d1 <|extract|>   -> state -> dropout -> 1 number \
//! <|start|> c <|delimiter|> d2 <|extract|>   -> state -> dropout -> 1 number  softmax            alternatives
//! ```
//!
//! Its parameters are `model.tokens` and so on, `classes.weight` and `classes.bias`.
//!
//! Source: Radford et al. 2018 (GPT-1), sections 3.2 and 3.3, and their code.

use burn::{
    module::Module,
    tensor::{Device, Tensor, TensorData},
};

use super::{Architecture, Gpt, parameter_names::CLASSES, parameters::with_initial_head, parts::Linear, states::rows};
use crate::{
    random::Stream,
    tensor::{Dropout, Precision, dropout},
};

/// The standard deviation of the head's initial weights.
///
/// Source: Radford et al. 2018 (GPT-1), section 4.1.
const DEVIATION: f64 = 0.02;

/// What stands for the number of an alternative that an example does not have: no softmax sees it.
const NONE: f32 = -1e30;

/// A language model with a head for classes.
#[derive(Module, Debug)]
pub struct Classifier {
    model: Gpt,
    classes: Linear,
    #[module(skip)]
    dropout: f32,
}

impl Architecture {
    /// A classifier of zeros, to be filled with weights that are there.
    ///
    /// - `classes`: what the head gives for a state: the classes, or 1 where sequences are alternatives
    /// - `dropout`: of what the head is given, in `0.0..1.0`
    #[must_use]
    pub fn zeros_classifier(&self, vocab_size: usize, classes: usize, dropout: f32, device: &Device) -> Classifier {
        let model = self.zeros(vocab_size, device);
        Classifier { model, classes: Linear::new(self.hidden_size, classes, true, device), dropout }
    }

    /// A classifier with initial weights from `seed`, of which the language model has those that it would have alone.
    #[must_use]
    pub fn init_classifier(
        &self,
        vocab_size: usize,
        classes: usize,
        dropout: f32,
        seed: u64,
        device: &Device,
    ) -> Classifier {
        let classifier = self.zeros_classifier(vocab_size, classes, dropout, device).with_initial_head(seed);
        Classifier { model: self.init(vocab_size, seed, device), ..classifier }
    }
}

impl Classifier {
    /// The same with initial weights of the head from `seed`: normal with a standard deviation of 0.02, and biases of 0.
    #[must_use]
    pub fn with_initial_head(self, seed: u64) -> Self {
        with_initial_head(self, CLASSES, DEVIATION, seed)
    }

    /// The same, whose language model computes in a precision. The head is always f32.
    #[must_use]
    pub fn computing_in(self, precision: Precision) -> Self {
        Self { model: self.model.computing_in(precision), ..self }
    }

    /// The language model.
    #[must_use]
    pub fn model(&self) -> &Gpt {
        &self.model
    }

    /// The logits of classes. The states of an example with several sequences are added.
    ///
    /// - `key`: a hash of (seed, step) while training, and none otherwise
    ///
    /// # Shapes
    /// - `states`: `[sequences, hidden_size]`; `counts`: `[examples]`, sequences of each, 1 or more
    /// - returns: `[examples, classes]`
    #[must_use]
    pub fn class_logits(&self, states: Tensor<2>, counts: &[usize], key: Option<u64>) -> Tensor<2> {
        let sequences = states.dims()[0];
        let states = if counts.len() == sequences {
            states
        } else {
            let mut belongs = vec![0.0f32; counts.len() * sequences];
            for (sequence, example) in examples(counts).enumerate() {
                belongs[example * sequences + sequence] = 1.0;
            }
            let belongs = TensorData::new(belongs, [counts.len(), sequences]);
            Tensor::<2>::from_data(belongs, &states.device()).matmul(states) // [e, h]
        };
        let alone = vec![1; counts.len()];
        self.classes.forward(self.dropped(states, &alone, key))
    }

    /// The logits of alternatives, one for each sequence of an example. The alternatives of an example lose the same numbers to dropout.
    ///
    /// # Shapes
    /// - `states`: `[sequences, hidden_size]`; `counts`: `[examples]`, sequences of each, 1 or more
    /// - returns: `[examples, most]`, as many as the example with the most has; -1e30 where another has fewer
    #[must_use]
    pub fn choice_logits(&self, states: Tensor<2>, counts: &[usize], key: Option<u64>) -> Tensor<2> {
        let device = states.device();
        let most = counts.iter().copied().max().unwrap_or(0);
        let scores = self.classes.forward(self.dropped(states, counts, key)); // [s, 1]
        let (mut places, mut masked, mut first) = (Vec::new(), Vec::new(), 0);
        for count in counts {
            places.extend((0..most).map(|choice| if choice < *count { first + choice } else { first }));
            masked.extend((0..most).map(|choice| if choice < *count { 0.0 } else { NONE }));
            first += count;
        }
        let shape = [counts.len(), most];
        rows(scores, &places).reshape(shape) + Tensor::<2>::from_data(TensorData::new(masked, shape), &device)
    }

    /// States after dropout while training, whose mask the sequences of an example share.
    fn dropped(&self, states: Tensor<2>, counts: &[usize], key: Option<u64>) -> Tensor<2> {
        let Some(key) = key.filter(|_| self.dropout > 0.0) else { return states };
        let dropped = Dropout { rate: self.dropout, key: Stream::new(key, "classes").bits(0) };
        if counts.len() == states.dims()[0] {
            return dropout(states, dropped);
        }
        let mask = dropout(Tensor::<2>::ones([counts.len(), states.dims()[1]], &states.device()), dropped);
        states * rows(mask, &examples(counts).collect::<Vec<_>>())
    }
}

/// The example of each sequence.
fn examples(counts: &[usize]) -> impl Iterator<Item = usize> {
    counts.iter().enumerate().flat_map(|(example, count)| std::iter::repeat_n(example, *count))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Family, ModelConfig, Tokens, is_of_head, last_states, named_parameters};

    fn classifier(classes: usize, dropout: f32) -> Classifier {
        let config = ModelConfig {
            family: Some(Family::Gpt1),
            num_layers: Some(1),
            num_heads: Some(2),
            hidden_size: Some(8),
            context_length: Some(6),
            ..ModelConfig::default()
        };
        let architecture = config.architecture().expect("the numbers fit together");
        architecture.init_classifier(16, classes, dropout, 3, &Device::flex())
    }

    fn values<const D: usize>(x: Tensor<D>) -> Vec<f32> {
        x.into_data().try_to_vec().expect("single precision")
    }

    fn states(model: &Classifier, ids: &[i32], lengths: &[usize]) -> Tensor<2> {
        let tokens = Tokens { ids, batch_size: lengths.len(), starts: None };
        last_states(model.model().hidden(tokens, None), lengths)
    }

    fn near(one: &[f32], other: &[f32]) {
        let close = one.iter().zip(other).all(|(x, y)| (x - y).abs() < 1e-5);
        assert!(close && one.len() == other.len(), "{one:?} is not {other:?}");
    }

    /// The language model is the one that the seed gives alone, and the head is drawn.
    #[test]
    fn parts_have_their_names() {
        let model = classifier(3, 0.0);
        let alone = model.model().architecture().init(16, 3, &Device::flex());
        let found = named_parameters(&model);
        let (head, body): (Vec<_>, Vec<_>) = found.into_iter().partition(|named| is_of_head(&named.name));
        assert_eq!(super::super::language_model(body), named_parameters(&alone));
        let [weight, bias] = &head[..] else { panic!("{head:?}") };
        assert_eq!((weight.name.as_str(), &weight.shape), ("classes.weight", &vec![8, 3]));
        assert!(weight.values.iter().all(|value| *value != 0.0 && value.abs() < 0.1));
        assert_eq!((bias.name.as_str(), &bias.values), ("classes.bias", &vec![0.0; 3]));
    }

    /// A sequence is read at its last token, whatever stands behind it as padding.
    #[test]
    fn padding_is_not_read() {
        let model = classifier(3, 0.0);
        let padded = values(states(&model, &[1, 2, 3, 9, 4, 5, 6, 7], &[3, 4]));
        near(&padded[..8], &values(states(&model, &[1, 2, 3], &[3])));
        near(&padded[8..], &values(states(&model, &[4, 5, 6, 7], &[4])));
    }

    /// Both orders are added in front of the head, and an example of one sequence beside them is as if alone.
    #[test]
    fn states_of_an_example_are_added() {
        let model = classifier(3, 0.0);
        let read = states(&model, &[1, 2, 2, 1, 3, 4], &[2, 2, 2]);
        let logits = values(model.class_logits(read.clone(), &[2, 1], None));
        let sum = read.clone().slice([0..1, 0..8]) + read.clone().slice([1..2, 0..8]);
        near(&logits[..3], &values(model.class_logits(sum, &[1], None)));
        near(&logits[3..], &values(model.class_logits(read.slice([2..3, 0..8]), &[1], None)));
    }

    /// Alternatives have a number each, and an example with fewer has no others.
    #[test]
    fn alternatives_have_a_logit_each() {
        let model = classifier(1, 0.0);
        let read = states(&model, &[1, 2, 2, 1, 3, 4, 4, 5, 5, 6], &[2; 5]);
        let each = values(model.class_logits(read.clone(), &[1; 5], None));
        let logits = values(model.choice_logits(read, &[2, 3], None));
        near(&logits[..2], &each[..2]);
        assert!(logits[2] < -1e29);
        near(&logits[3..], &each[2..]);
    }

    /// What one alternative loses, all lose: equal states stay equal.
    #[test]
    fn alternatives_share_their_dropout() {
        let model = classifier(1, 0.5);
        let read = Tensor::<2>::ones([6, 8], &Device::flex());
        let logits = values(model.choice_logits(read.clone(), &[3, 3], Some(7)));
        let of = |example: usize| logits[3 * example..][..3].to_vec();
        assert_eq!([of(0), of(1)], [vec![logits[0]; 3], vec![logits[3]; 3]]);
        assert_ne!(of(0), of(1), "examples differ");
        assert_ne!(values(model.choice_logits(read.clone(), &[3, 3], Some(8))), logits);
        assert_ne!(values(model.choice_logits(read, &[3, 3], None)), logits);
    }
}
