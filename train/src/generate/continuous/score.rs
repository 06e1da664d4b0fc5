//! What a model makes of a token.

use crate::tensor::{likeliest, log_sum_exp};

/// A token with its log-probability, and the likeliest tokens in its place.
#[derive(Debug, Clone, PartialEq)]
pub struct TokenScore {
    /// The token.
    pub id: u32,
    /// Its log-probability, in nats: that of the model, whatever the temperature.
    pub logprob: f32,
    /// The likeliest tokens in its place, with their log-probabilities, the likeliest first; of equals the one with the smaller id.
    pub top: Vec<(u32, f32)>,
}

impl TokenScore {
    /// - `logits`: `[vocab_size]`
    /// - `count`: how many of the likeliest are listed
    /// - `suppressed`: ids that are not, in ascending order
    pub(super) fn new(id: u32, logits: &[f32], count: usize, suppressed: &[u32]) -> Self {
        let log_sum_exp = log_sum_exp(logits);
        #[expect(clippy::cast_possible_truncation, reason = "logits are single precision")]
        let logprob = |logit: f32| (f64::from(logit) - log_sum_exp) as f32;
        let top = likeliest(logits, count, suppressed);
        Self {
            id,
            logprob: logprob(logits[id as usize]),
            top: top.into_iter().map(|(id, logit)| (id, logprob(logit))).collect(),
        }
    }

    /// Whether it lists as many tokens as are asked for.
    pub(super) fn has(&self, count: usize) -> bool {
        self.top.len() >= count
    }

    /// The same with no more tokens than are asked for.
    pub(super) fn with(&self, count: usize) -> Self {
        Self { top: self.top[..count.min(self.top.len())].to_vec(), ..*self }
    }
}
