//! Rewards of tokens: an answer's score at its end, less what each token costs that the policy finds likelier than its reference does.
//!
//! ```text
//! reward of a token = -kl_coefficient * (log P(token) - log P(token) by the reference)        + score, at the last token
//! ```
//!
//! What the costs of an answer add up to is, in the mean over answers, the coefficient times the KL divergence of the policy from the
//! reference; that holds of answers drawn from the policy's whole distribution, at the temperature that log-probabilities are taken at. Not
//! useful for: answers drawn by top-k, top-p or a penalty on repetition, for which the "divergence" becomes negative and a reward.
//!
//! Source: Ziegler et al. 2019, section 2; Ouyang et al. 2022 (`InstructGPT`), equation 2.

/// The reward of each token of an answer.
///
/// - `log_probabilities`, `references`: `[tokens]`, by the policy that wrote the answer and by the reference, in nats, at one temperature
/// - `kl_coefficient`: 0 or more; 0.02 in Ouyang et al. 2022
/// - `score`: of the whole answer; its last token has it
#[must_use]
#[expect(clippy::cast_possible_truncation, reason = "what a loss is taken of is single precision")]
pub fn token_rewards(log_probabilities: &[f32], references: &[f32], kl_coefficient: f64, score: f64) -> Vec<f32> {
    let mut rewards: Vec<f64> =
        log_ratios(log_probabilities, references).map(|log_ratio| -kl_coefficient * log_ratio).collect();
    if let Some(last) = rewards.last_mut() {
        *last += score;
    }
    rewards.into_iter().map(|reward| reward as f32).collect()
}

/// An estimate of the KL divergence of the policy from the reference over a whole answer, in nats: the sum over its tokens of the difference of
/// log-probabilities (k1). Its mean over answers is unbiased; that of one answer may be negative.
///
/// - `log_probabilities`, `references`: `[tokens]`, in nats
///
/// Source: Ziegler et al. 2019, section 2; Schulman 2020 (Approximating KL divergence), k1.
#[must_use]
pub fn kl(log_probabilities: &[f32], references: &[f32]) -> f64 {
    log_ratios(log_probabilities, references).sum()
}

/// An estimate of the KL divergence a token, in nats: the mean over the tokens of an answer of `exp(-x) - 1 + x`, with `x` the difference of
/// log-probabilities (k3). It is never negative, and varies less than that of [`kl`]; no number of no tokens.
///
/// - `log_probabilities`, `references`: `[tokens]`, in nats
///
/// Source: Schulman 2020 (Approximating KL divergence), k3.
#[must_use]
pub fn kl_k3(log_probabilities: &[f32], references: &[f32]) -> f64 {
    let sum: f64 = log_ratios(log_probabilities, references).map(|log_ratio| (-log_ratio).exp_m1() + log_ratio).sum();
    sum / log_probabilities.len() as f64
}

/// By how much likelier each token is to the policy than to the reference, in nats.
fn log_ratios(log_probabilities: &[f32], references: &[f32]) -> impl Iterator<Item = f64> {
    assert_eq!(log_probabilities.len(), references.len(), "each token has two log-probabilities");
    log_probabilities.iter().zip(references).map(|(own, reference)| f64::from(*own) - f64::from(*reference))
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;
    use crate::random::Stream;

    proptest! {
        /// What an answer has in all is its score, less the coefficient times its divergence; and no token but the last has any of the score.
        #[test]
        fn rewards_add_up_to_the_score_less_the_divergence(
            tokens in vec((-9.0f32..0.0, -9.0f32..0.0), 1..40),
            coefficient in 0.0f64..2.0,
            score in -5.0f64..5.0,
        ) {
            let (own, references): (Vec<f32>, Vec<f32>) = tokens.into_iter().unzip();
            let rewards = token_rewards(&own, &references, coefficient, score);
            let sum: f64 = rewards.iter().copied().map(f64::from).sum();
            prop_assert!((sum - (score - coefficient * kl(&own, &references))).abs() < 1e-4);
            let costs = token_rewards(&own, &references, coefficient, 0.0);
            prop_assert_eq!(&rewards[..own.len() - 1], &costs[..own.len() - 1]);
            prop_assert!(kl_k3(&own, &references) > -1e-12);
        }
    }

    /// Both estimators tend to the divergence of two distributions, by tokens that are drawn from the first.
    #[test]
    fn estimates_tend_to_the_divergence() {
        const DRAWS: u32 = 100_000;
        let (policy, reference) = ([0.5f64, 0.3, 0.2], [0.2f64, 0.3, 0.5]);
        let exact: f64 = policy.iter().zip(reference).map(|(own, other)| own * (own / other).ln()).sum();
        let stream = Stream::new(1, "test");
        #[expect(clippy::cast_possible_truncation, reason = "log-probabilities are single precision")]
        let draw = |draw: u32| {
            let token = match stream.fraction(u64::from(draw)) {
                ..0.5 => 0,
                0.5..0.8 => 1,
                _ => 2,
            };
            (policy[token].ln() as f32, reference[token].ln() as f32)
        };
        let (own, references): (Vec<f32>, Vec<f32>) = (0..DRAWS).map(draw).unzip();
        let (k1, k3) = (kl(&own, &references) / f64::from(DRAWS), kl_k3(&own, &references));
        assert!((k1 - exact).abs() < 0.01 && (k3 - exact).abs() < 0.01, "{k1} and {k3} are not {exact}");
    }
}
