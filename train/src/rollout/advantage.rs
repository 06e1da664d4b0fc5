//! Generalized advantage estimation: how much better each token turned out than had been expected of its state.
//!
//! ```text
//! delta     = reward + gamma * value of the next state - value of the state        0 is the value of the state behind the last token
//! advantage = delta + gamma * lambda * advantage of the next token
//! return    = advantage + value: what the value network learns
//! ```
//!
//! Source: Schulman et al. 2016, equation 16.

/// What is made of an answer's rewards and values, one number for each of its tokens.
#[derive(Debug, Clone, PartialEq)]
pub struct Advantages {
    /// How much better a token turned out than its state's value said.
    pub advantages: Vec<f32>,
    /// What the value of the state should have been.
    pub returns: Vec<f32>,
}

/// The advantages and returns of an answer's tokens.
///
/// - `rewards`, `values`: `[tokens]`, of each token and of the state that it was written in
/// - `gamma`: what a reward is worth a token earlier, in `0.0..=1.0`; 1 for language models
/// - `lambda`: in `0.0..=1.0`: 1 trusts the rewards that came, 0 the value of the next state; 0.95 in Ziegler et al. 2019
///
/// Source: Schulman et al. 2016, equation 16; Ouyang et al. 2022, appendix C.4, for a `gamma` of 1.
#[must_use]
#[expect(clippy::cast_possible_truncation, reason = "what a loss is taken of is single precision")]
pub fn advantages(rewards: &[f32], values: &[f32], gamma: f64, lambda: f64) -> Advantages {
    assert_eq!(rewards.len(), values.len(), "each token has a reward and a value");
    let mut found = Advantages { advantages: vec![0.0; rewards.len()], returns: vec![0.0; rewards.len()] };
    let (mut next_value, mut advantage) = (0.0, 0.0);
    for token in (0..rewards.len()).rev() {
        let value = f64::from(values[token]);
        let delta = f64::from(rewards[token]) + gamma * next_value - value;
        advantage = delta + gamma * lambda * advantage;
        found.advantages[token] = advantage as f32;
        found.returns[token] = (advantage + value) as f32;
        next_value = value;
    }
    found
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    proptest! {
        /// With `lambda` 1 and no discount a return is the sum of the rewards that are left, and an advantage what it is over the value.
        #[test]
        fn without_discount_a_return_is_what_is_left(tokens in vec((-3.0f32..3.0, -3.0f32..3.0), 1..40)) {
            let (rewards, values): (Vec<f32>, Vec<f32>) = tokens.into_iter().unzip();
            let found = advantages(&rewards, &values, 1.0, 1.0);
            for (token, value) in values.iter().enumerate() {
                let left: f64 = rewards[token..].iter().copied().map(f64::from).sum();
                prop_assert!((f64::from(found.returns[token]) - left).abs() < 1e-5);
                prop_assert!((f64::from(found.advantages[token]) - (left - f64::from(*value))).abs() < 1e-5);
            }
        }

        /// With `lambda` 0 an advantage is the error of one step, whatever comes later.
        #[test]
        fn the_value_of_the_next_state_can_stand_for_the_rest(tokens in vec((-3.0f32..3.0, -3.0f32..3.0), 1..40)) {
            let (rewards, values): (Vec<f32>, Vec<f32>) = tokens.into_iter().unzip();
            let found = advantages(&rewards, &values, 0.9, 0.0);
            for (token, advantage) in found.advantages.iter().enumerate() {
                let next = values.get(token + 1).copied().unwrap_or(0.0);
                let expected = rewards[token] + 0.9 * next - values[token];
                prop_assert!((advantage - expected).abs() < 1e-5, "{} is not {}", advantage, expected);
            }
        }

        /// Values that foresee every reward leave nothing to learn.
        #[test]
        fn what_was_foreseen_is_no_advantage(rewards in vec(-3.0f32..3.0, 1..40), lambda in 0.0f64..=1.0) {
            let values: Vec<f32> = (0..rewards.len()).map(|token| rewards[token..].iter().sum()).collect();
            let found = advantages(&rewards, &values, 1.0, lambda);
            prop_assert!(found.advantages.iter().all(|advantage| advantage.abs() < 1e-3), "{:?}", found);
        }
    }
}
