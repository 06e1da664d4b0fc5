//! A reward model's objective: of two answers to a prompt, that which people found better has the larger reward.
//!
//! ```text
//! loss = mean over prompts of the mean over the pairs of their answers of  -log sigmoid(reward of the better - reward of the worse)
//! ```
//!
//! All pairs of a prompt are in one batch, and each of its answers goes through the model once.
//!
//! Source: Ouyang et al. 2022 (`InstructGPT`), equation 1.

use burn::tensor::Tensor;

use super::{Loss, Objective, pairs::Compared};
use crate::{
    data::{MicroBatches as _, PreferenceBatch},
    model::{RewardModel, Tokens},
};

/// The objective of a reward model.
#[derive(Debug, Clone, Copy, Default)]
pub struct Ranking;

impl Objective for Ranking {
    type Model = RewardModel;
    type Batch = PreferenceBatch;

    fn loss(&self, model: &RewardModel, part: &PreferenceBatch, whole: &PreferenceBatch, key: u64) -> Loss {
        let compared = Compared::new(rewards(model, part, Some(key)), part.pairs(whole.batch_size()));
        let parts = vec![("accuracy", compared.accuracy()), ("margin", compared.margin())];
        Loss { total: compared.logistic_loss(), parts }
    }
}

/// The rewards of the answers of a batch, `[answers, 1]`.
pub(super) fn rewards(model: &RewardModel, batch: &PreferenceBatch, key: Option<u64>) -> Tensor<2> {
    let answers = batch.lengths.len();
    model.rewards(tokens(batch), &batch.lengths, key).reshape([answers, 1])
}

/// What goes through the model of a batch.
pub(super) fn tokens(batch: &PreferenceBatch) -> Tokens<'_> {
    Tokens { ids: &batch.ids, batch_size: batch.lengths.len(), starts: None }
}
