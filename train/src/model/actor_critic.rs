//! A policy and its critic: a language model that writes, and a network that says what is to be expected of what it has written so far.
//!
//! ```text
//! prompt answer -> policy -> log-probabilities of the answer's tokens
//!               -> value  -> a value of each state that a token was written in
//! ```
//!
//! They share no weights. Parameters are `model.tokens` and so on of the policy, so that whatever reads a language model out of a training's
//! folder finds it, and `value.model.tokens`, `value.score.weight` and so on of the critic.
//!
//! Source: Stiennon et al. 2020, section 3.4; Ouyang et al. 2022 (`InstructGPT`), appendix C.4.

use burn::module::Module;

use super::{Gpt, RewardModel};
use crate::tensor::Precision;

/// A policy with a value network.
#[derive(Module, Debug)]
pub struct ActorCritic {
    model: Gpt,
    value: RewardModel,
}

impl ActorCritic {
    /// - `value`: a network of any size over the same tokens
    #[must_use]
    pub fn new(policy: Gpt, value: RewardModel) -> Self {
        Self { model: policy, value }
    }

    /// The language model that writes.
    #[must_use]
    pub fn policy(&self) -> &Gpt {
        &self.model
    }

    /// The network that gives states values.
    #[must_use]
    pub fn value(&self) -> &RewardModel {
        &self.value
    }

    /// The same, both of which compute in a precision.
    #[must_use]
    pub fn computing_in(self, precision: Precision) -> Self {
        let Self { model, value } = self;
        Self { model: model.computing_in(precision), value: value.computing_in(precision) }
    }
}
