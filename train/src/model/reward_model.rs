//! A reward model: a language model with a head that gives a number for a state.
//!
//! ```text
//! prompt answer <|endoftext|>   -> state at the last token -> the reward of the answer
//!                               -> state at each token     -> a value of each: what a value network gives
//! ```
//!
//! Its parameters are `model.tokens` and so on, `score.weight` and `score.bias`. A ranking says nothing of the bias, whose gradient is 0; it is
//! there to move rewards to where one wants their mean.
//!
//! Source: Stiennon et al. 2020, section 3.4; Ouyang et al. 2022 (`InstructGPT`), section 3.5; Ziegler et al. 2019, section 2, and their code for
//! the initial weights.

use burn::{
    module::{Module, Param},
    tensor::{Device, Tensor},
};

use super::{
    Architecture, Gpt, Tokens,
    parameter_names::SCORE,
    parameters::{replace_some, with_initial_head},
    parts::Linear,
    states::{last_states, states_at},
};
use crate::tensor::Precision;

/// A language model with a head for one number.
#[derive(Module, Debug)]
pub struct RewardModel {
    model: Gpt,
    score: Linear,
}

impl Architecture {
    /// A reward model of zeros, to be filled with weights that are there.
    #[must_use]
    pub fn zeros_reward_model(&self, vocab_size: usize, device: &Device) -> RewardModel {
        RewardModel { model: self.zeros(vocab_size, device), score: Linear::new(self.hidden_size, 1, true, device) }
    }

    /// A reward model with initial weights from `seed`, of which the language model has those that it would have alone.
    #[must_use]
    pub fn init_reward_model(&self, vocab_size: usize, seed: u64, device: &Device) -> RewardModel {
        let reward_model = self.zeros_reward_model(vocab_size, device).with_initial_head(seed);
        RewardModel { model: self.init(vocab_size, seed, device), ..reward_model }
    }
}

impl RewardModel {
    /// The same with initial weights of the head from `seed`: normal with a standard deviation of `1 / sqrt(hidden_size + 1)`, and a bias of 0.
    #[must_use]
    pub fn with_initial_head(self, seed: u64) -> Self {
        let deviation = 1.0 / (self.model.architecture().hidden_size as f64 + 1.0).sqrt();
        with_initial_head(self, SCORE, deviation, seed)
    }

    /// The same with a head of zeros.
    #[must_use]
    pub fn with_zero_head(self) -> Self {
        replace_some(self, |name, shape| name.starts_with(SCORE).then(|| vec![0.0; shape.iter().product()]))
    }

    /// The same, whose language model computes in a precision. The head is always f32.
    #[must_use]
    pub fn computing_in(self, precision: Precision) -> Self {
        Self { model: self.model.computing_in(precision), ..self }
    }

    /// The same, whose rewards are `shift` more.
    #[must_use]
    pub fn shifted(self, shift: f32) -> Self {
        let Self { model, score } = self;
        let bias = score.bias.map(|bias| Param::from_tensor(bias.val() + shift));
        Self { model, score: Linear { bias, ..score } }
    }

    /// The language model.
    #[must_use]
    pub fn model(&self) -> &Gpt {
        &self.model
    }

    /// The reward of each sequence, read at its last token.
    ///
    /// - `lengths`: `[sequences]`, tokens that are not padding, 1 or more
    /// - `key`: a hash of (seed, step) while training, for what is dropped
    /// - returns: `[sequences]`
    #[must_use]
    pub fn rewards(&self, tokens: Tokens<'_>, lengths: &[usize], key: Option<u64>) -> Tensor<1> {
        let states = last_states(self.model.hidden(tokens, key), lengths); // [s, h]
        self.score.forward(states).reshape([lengths.len()])
    }

    /// The values of some states: what a value network gives.
    ///
    /// - `places`: sequence * time + token
    /// - returns: `[places]`
    #[must_use]
    pub fn values(&self, tokens: Tokens<'_>, places: &[usize], key: Option<u64>) -> Tensor<1> {
        let states = states_at(Precision::F32.of(self.model.hidden(tokens, key)), places); // [p, h]
        self.score.forward(states).reshape([places.len()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ModelConfig, is_of_head, named_parameters};

    fn reward_model() -> RewardModel {
        let config = ModelConfig {
            num_layers: Some(1),
            num_heads: Some(2),
            hidden_size: Some(8),
            context_length: Some(6),
            ..ModelConfig::default()
        };
        let architecture = config.architecture().expect("the numbers fit together");
        architecture.init_reward_model(16, 3, &Device::flex())
    }

    fn rewards(model: &RewardModel, ids: &[i32], lengths: &[usize]) -> Vec<f32> {
        let tokens = Tokens { ids, batch_size: lengths.len(), starts: None };
        model.rewards(tokens, lengths, None).into_data().try_to_vec().expect("single precision")
    }

    /// The language model is the one that the seed gives alone; the head is drawn, and its bias moves all rewards alike.
    #[test]
    fn the_head_is_beside_the_language_model() {
        let model = reward_model();
        let alone = model.model().architecture().init(16, 3, &Device::flex());
        let (head, body): (Vec<_>, Vec<_>) =
            named_parameters(&model).into_iter().partition(|named| is_of_head(&named.name));
        assert_eq!(crate::model::language_model(body), named_parameters(&alone));
        let names: Vec<&str> = head.iter().map(|named| named.name.as_str()).collect();
        assert_eq!(names, ["score.weight", "score.bias"]);
        assert!(head[0].values.iter().all(|value| *value != 0.0 && value.abs() < 2.0), "{head:?}");
        let ids = [1, 2, 3, 4, 5, 6];
        let before = rewards(&model, &ids, &[3, 3]);
        let after = rewards(&model.shifted(2.5), &ids, &[3, 3]);
        assert!(before.iter().zip(&after).all(|(before, after)| (after - before - 2.5).abs() < 1e-6));
        assert!((before[0] - before[1]).abs() > 1e-4, "answers differ in their rewards: {before:?}");
    }

    /// A reward is read at the last token, whatever stands behind it as padding, and whatever goes through the model beside it.
    #[test]
    fn padding_changes_nothing() {
        let model = reward_model();
        let padded = rewards(&model, &[1, 2, 3, 9, 4, 5, 6, 7], &[3, 4]);
        let alone = [rewards(&model, &[1, 2, 3], &[3]), rewards(&model, &[4, 5, 6, 7], &[4])].concat();
        assert!(padded.iter().zip(&alone).all(|(one, other)| (one - other).abs() < 1e-5), "{padded:?} {alone:?}");
    }
}
