//! Direct preference optimization: a language model becomes likelier to write the better answer, and no reward model stands between.
//!
//! ```text
//! reward of an answer = beta * (log P(answer | prompt) - log P by the reference)
//! loss                = mean over prompts of the mean over pairs of  -log sigmoid(reward of the better - reward of the worse)
//! ```
//!
//! What the reference gives was computed before the training began, and is part of a batch.
//!
//! Source: Rafailov et al. 2023, equation 7, and appendix B for rankings as pairs; Mitchell 2023 for a share of wrong labels; Azar et al. 2023
//! (IPO), equation 17.

use burn::tensor::{IndexingUpdateOp, Int, Tensor, TensorData};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Loss, Objective, pairs::Compared, ranking::tokens};
use crate::{
    data::{MicroBatches as _, NextTokens, PreferenceBatch},
    model::{Gpt, states_at},
    tensor::head_losses,
};

/// Which function of a pair's difference is minimised.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PreferenceLoss {
    /// `-log sigmoid(beta * difference)`.
    #[default]
    Sigmoid,
    /// `(difference - 1 / (2 beta))^2`, which does not ask for ever larger differences of answers that are easily told apart. The difference is
    /// one of mean log-probabilities a token.
    Ipo,
}

/// The objective of direct preference optimization.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DirectPreference {
    /// How strongly the model is held to the reference: the coefficient of the KL divergence that the loss stands for, above 0.
    pub beta: f64,
    /// The share of pairs that is taken to be the wrong way round, below a half.
    pub label_smoothing: f64,
    /// The loss.
    pub loss: PreferenceLoss,
}

impl Objective for DirectPreference {
    type Model = Gpt;
    type Batch = PreferenceBatch;

    fn loss(&self, model: &Gpt, part: &PreferenceBatch, whole: &PreferenceBatch, key: u64) -> Loss {
        let log_ratios = self.log_ratios(model, part, Some(key));
        let share = 1.0 / whole.batch_size() as f64;
        let of_best = best_answers(part, share);
        let of_best = Tensor::<2>::from_data(TensorData::new(of_best, [part.lengths.len(), 1]), &log_ratios.device());
        let best = (log_ratios.clone().without_autodiff() * of_best.without_autodiff()).sum() * self.beta;
        let compared = Compared::new(log_ratios, part.pairs(whole.batch_size()));
        let rewards = compared.scaled(self.beta);
        let total = match self.loss {
            PreferenceLoss::Sigmoid => rewards.smoothed_loss(self.label_smoothing),
            // differences are scaled by beta here, and so is what they should be
            PreferenceLoss::Ipo => rewards.squared_loss(0.5) * self.beta.powi(-2),
        };
        let parts = vec![("accuracy", rewards.accuracy()), ("margin", rewards.margin()), ("best_reward", best)];
        Loss { total, parts }
    }
}

impl DirectPreference {
    /// How much likelier each answer is than by the reference, `[answers, 1]`, in nats; with IPO, nats a token.
    pub(super) fn log_ratios(&self, model: &Gpt, batch: &PreferenceBatch, key: Option<u64>) -> Tensor<2> {
        let found = answer_log_probabilities(model, batch, key); // [a, 1]
        let (shape, device) = (found.dims(), found.device());
        let references = Tensor::from_data(TensorData::new(batch.references.clone(), shape), &device);
        let ratios = found - references;
        match self.loss {
            PreferenceLoss::Sigmoid => ratios,
            PreferenceLoss::Ipo => {
                let lengths = batch.lengths.iter().zip(&batch.prompts);
                #[expect(clippy::cast_precision_loss, reason = "an answer has fewer tokens")]
                let shares: Vec<f32> = lengths.map(|(length, prompt)| 1.0 / (length - prompt) as f32).collect();
                ratios * Tensor::from_data(TensorData::new(shares, shape), &device)
            }
        }
    }
}

/// For each answer, `share` over the best answers of its prompt if it is one of them, and else 0.
fn best_answers(batch: &PreferenceBatch, share: f64) -> Vec<f32> {
    let mut weights = Vec::with_capacity(batch.ranks.len());
    let mut ranks = &batch.ranks[..];
    for count in &batch.counts {
        let (own, rest) = ranks.split_at(*count);
        let best = own.iter().min().copied().unwrap_or(0);
        let several = own.iter().filter(|rank| **rank == best).count() as f64;
        #[expect(clippy::cast_possible_truncation, reason = "weights are single precision")]
        weights.extend(own.iter().map(|rank| if *rank == best { (share / several) as f32 } else { 0.0 }));
        ranks = rest;
    }
    weights
}

/// The log-probability of each answer of a batch, its end among it, `[answers, 1]`, in nats.
pub(super) fn answer_log_probabilities(model: &Gpt, batch: &PreferenceBatch, key: Option<u64>) -> Tensor<2> {
    let hidden = model.hidden(tokens(batch), key); // [a, t, h]
    let NextTokens { places, targets, sequences } = batch.next_tokens();
    let losses = head_losses(states_at(hidden, &places), model.head(), &targets); // [n]
    let answers = batch.lengths.len();
    let of: Vec<i32> =
        sequences.iter().map(|answer| i32::try_from(*answer).expect("a batch has fewer answers")).collect();
    let of = Tensor::<1, Int>::from_data(TensorData::new(of, [targets.len()]), &losses.device());
    let zeros = Tensor::<1>::zeros([answers], &losses.device());
    zeros.select_assign(0, of, losses.neg(), IndexingUpdateOp::Add).reshape([answers, 1])
}

/// The log-probability of each answer of a batch by a model without gradients, in nats.
#[must_use]
pub fn reference_log_probabilities(model: &Gpt, batch: &PreferenceBatch) -> Vec<f32> {
    answer_log_probabilities(model, batch, None).into_data().try_to_vec().expect("single precision")
}
