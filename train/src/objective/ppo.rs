//! Proximal policy optimization: a policy becomes likelier to write what turned out better than its value network had said, and gains nothing
//! by going further in one update than a clip range allows.
//!
//! ```text
//! ratio       = P(token) / P(token) by the policy that wrote it
//! policy loss = mean over the tokens of answers of       max(-advantage * ratio, -advantage * clamp(ratio, 1 - clip, 1 + clip))
//! value loss  = mean over the tokens of answers of 1/2 * max((value - return)^2, (clamp(value, old -+ value_clip) - return)^2)
//! loss        = policy loss + value_weight * value loss + pretraining_weight * cross-entropy of pretraining sequences
//! ```
//!
//! Rewards, advantages and returns were computed before, from what the policy wrote ([`crate::rollout`]), and are part of a batch.
//!
//! No network drops anything, neither here nor where the old numbers come from: what one pass drops and another does not would move the
//! ratio of a policy that has learnt nothing. So the ratios of a first update are exactly 1.
//!
//! Source: Schulman et al. 2017, equation 7; Ziegler et al. 2019, their code, for the clipped values and the temperature; Ouyang et al. 2022
//! (`InstructGPT`), equation 2, for the pretraining sequences; Huang et al. 2024 (The N+ implementation details of RLHF with PPO) for dropout.

use burn::tensor::{Tensor, TensorData};

use super::{Loss, Objective, loss::shares, next_token, next_token_loss};
use crate::{
    data::{EpisodeBatch, MicroBatches as _, NextTokens},
    model::{ActorCritic, Gpt, RewardModel, Tokens, states_at},
    tensor::head_losses,
};

/// The objective of proximal policy optimization.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ppo {
    /// How far off 1 a ratio still gains, above 0; 0.2 in Schulman et al. 2017 and since.
    pub clip: f64,
    /// How far off what it was before the update a value still gains, above 0; 0.2 in Ziegler et al. 2019.
    pub value_clip: f64,
    /// What the loss of values counts beside that of the policy, 0 or more; 0.1 in Ziegler et al. 2019.
    pub value_weight: f64,
    /// What answers are drawn from: that of the rollout, or ratios do not begin at 1.
    pub drawn: Drawn,
    /// What the cross-entropy of pretraining sequences counts, 0 or more; 27.8 in Ouyang et al. 2022.
    pub pretraining_weight: f64,
}

/// What answers are drawn from, and what their log-probabilities are of: all tokens, and nothing beside them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Drawn {
    /// What logits are divided by, above 0.
    pub temperature: f64,
    /// Tokens that there are. A table may have more rows, which are never drawn: to count them would make the measured divergence none.
    pub tokens: usize,
}

impl Objective for Ppo {
    type Model = ActorCritic;
    type Batch = EpisodeBatch;

    /// Further numbers: both losses, and the cross-entropy where there is one, before they are weighted; the shares of tokens whose policy or
    /// value is clipped, so that it learns nothing of them; the KL divergence from the policy that wrote, nearly: half the mean square of log
    /// ratios, in nats; and what the batch says of its rollout.
    fn loss(&self, model: &ActorCritic, part: &EpisodeBatch, whole: &EpisodeBatch, _: u64) -> Loss {
        let answers = part.next_tokens();
        let share = 1.0 / whole.answer_tokens() as f64;
        let new = log_probabilities(model.policy(), part, &answers, self.drawn); // [n]
        let old = beside(&new, &part.log_probabilities);
        let log_ratios = new - old;
        let squares = log_ratios.clone().without_autodiff().square().sum() * (0.5 * share);
        let policy = self.policy_loss(log_ratios, &part.advantages).times(share);
        let values = model.value().values(tokens(part), &answers.places, None); // [n]
        let value = self.value_loss(values, part).times(share);

        let mut total = policy.loss.clone() + value.loss.clone() * self.value_weight;
        let mut parts = vec![
            ("policy_loss", policy.loss),
            ("value_loss", value.loss),
            ("clip_share", policy.clipped),
            ("value_clip_share", value.clipped),
            ("approximate_kl", squares),
        ];
        if let Some((own, all)) = part.pretraining.as_ref().zip(whole.pretraining.as_ref()) {
            let weights = shares(&own.weights, all.weight());
            let loss = next_token_loss(model.policy(), next_token::tokens(own), &own.targets, &weights, None);
            total = total + loss.clone() * self.pretraining_weight;
            parts.push(("pretraining_loss", loss));
        }
        // a part has as much of them as it has of the tokens, so that all of it add up to what they are
        let own = part.answer_tokens() as f64 * share;
        let device = total.device();
        parts.extend(part.figures.iter().map(|(name, figure)| {
            #[expect(clippy::cast_possible_truncation, reason = "figures are single precision")]
            let figure = vec![(f64::from(*figure) * own) as f32];
            (*name, Tensor::<1>::from_data(TensorData::new(figure, [1]), &device))
        }));
        Loss { total, parts }
    }
}

impl Ppo {
    /// - `log_ratios`: `[tokens]`
    fn policy_loss(&self, log_ratios: Tensor<1>, advantages: &[f32]) -> Clipped {
        let costs = beside(&log_ratios, advantages).neg();
        let ratios = log_ratios.exp();
        let near = ratios.clone().clamp(1.0 - self.clip, 1.0 + self.clip);
        Clipped::new(costs.clone() * ratios, costs * near)
    }

    /// - `values`: `[tokens]`
    fn value_loss(&self, values: Tensor<1>, batch: &EpisodeBatch) -> Clipped {
        let [old, returns] = [&batch.values, &batch.returns].map(|numbers| beside(&values, numbers));
        let (least, most) = (old.clone() - self.value_clip, old + self.value_clip);
        // by bounds and not by differences: a value within them is then the same number, and no rounding makes it a clipped one
        let near = values.clone().max_pair(least).min_pair(most);
        Clipped::new((values - returns.clone()).square() * 0.5, (near - returns).square() * 0.5)
    }
}

/// The larger of two losses of each token, of which one stays the same outside of a range.
struct Clipped {
    /// The sum over the tokens, `[1]`.
    loss: Tensor<1>,
    /// How many tokens are clipped, `[1]`: whose loss is the one that stays.
    clipped: Tensor<1>,
}

impl Clipped {
    /// - `free`, `near`: `[tokens]`, equal within the range
    fn new(free: Tensor<1>, near: Tensor<1>) -> Self {
        let clipped = near.clone().without_autodiff().greater(free.clone().without_autodiff());
        // of equal numbers burn takes the first, with all of its gradient: within the range, where every first update is, that of both
        Self { loss: free.max_pair(near).sum(), clipped: clipped.float().sum() }
    }

    /// Both times what a token counts: means, or what a part of a batch adds to them.
    fn times(self, share: f64) -> Self {
        Self { loss: self.loss * share, clipped: self.clipped * share }
    }
}

/// Numbers that came with a batch, one for each element of a tensor, where the tensor is.
fn beside(x: &Tensor<1>, numbers: &[f32]) -> Tensor<1> {
    assert_eq!(x.dims(), [numbers.len()], "an answer that is learnt from has a number for each token");
    Tensor::from_data(TensorData::new(numbers.to_vec(), [numbers.len()]), &x.device())
}

/// What goes through both networks of a batch.
fn tokens(batch: &EpisodeBatch) -> Tokens<'_> {
    Tokens { ids: &batch.ids, batch_size: batch.batch_size(), starts: None }
}

/// The log-probability of each token of the answers, `[tokens]`, in nats.
fn log_probabilities(model: &Gpt, batch: &EpisodeBatch, answers: &NextTokens, drawn: Drawn) -> Tensor<1> {
    let states = states_at(model.hidden(tokens(batch), None), &answers.places); // [n, h]
    let head = model.head();
    let [rows, hidden_size] = head.dims();
    let head = if rows > drawn.tokens { head.slice([0..drawn.tokens, 0..hidden_size]) } else { head };
    // logits are linear in the states, which are far fewer numbers
    head_losses(states * (1.0 / drawn.temperature), head, &answers.targets).neg()
}

/// The value of the state that each token of the answers was written in, by a value network without gradients. `[tokens]`.
#[must_use]
pub fn answer_values(value: &RewardModel, batch: &EpisodeBatch) -> Vec<f32> {
    numbers(value.values(tokens(batch), &batch.next_tokens().places, None))
}

/// The log-probability of each token of the answers by a language model without gradients, in nats: a policy's, or its reference's.
/// `[tokens]`.
#[must_use]
pub fn policy_log_probabilities(model: &Gpt, batch: &EpisodeBatch, drawn: Drawn) -> Vec<f32> {
    numbers(log_probabilities(model, batch, &batch.next_tokens(), drawn))
}

fn numbers(x: Tensor<1>) -> Vec<f32> {
    x.into_data().try_to_vec().expect("single precision")
}
