//! Figures that say whether a training goes as it should.

/// The share of the variance of returns that values explain: 1 where they are equal, 0 where a constant would do as well, and less where it
/// would do better. No number where all returns are the same.
///
/// - `values`, `returns`: `[tokens]`, all tokens of all answers
///
/// Useful for: whether a value network has learnt anything. Not useful for: whether a constant is off, which is no part of a variance.
///
/// Source: Dhariwal et al. 2017 (OpenAI Baselines), `explained_variance`.
#[must_use]
pub fn explained_variance(values: &[f32], returns: &[f32]) -> f64 {
    assert_eq!(values.len(), returns.len(), "each value has a return");
    let all = variance(returns.iter().copied().map(f64::from));
    let unexplained = variance(returns.iter().zip(values).map(|(found, value)| f64::from(*found) - f64::from(*value)));
    if all > 0.0 { 1.0 - unexplained / all } else { f64::NAN }
}

/// The variance of some numbers; no number where there are none.
fn variance(numbers: impl ExactSizeIterator<Item = f64> + Clone) -> f64 {
    let count = numbers.len() as f64;
    let mean = numbers.clone().sum::<f64>() / count;
    numbers.map(|number| (number - mean).powi(2)).sum::<f64>() / count
}

/// The KL divergence from a policy of taking the best of `n` of its answers, in nats: exactly, where no two answers are equally good, and
/// without a training.
///
/// - `n`: 1 or more
///
/// ```
/// # use train::rollout::best_of_n_kl;
/// assert!(best_of_n_kl(1).abs() < 1e-12);
/// assert!((best_of_n_kl(16) - 1.835).abs() < 1e-3);
/// ```
///
/// Source: Stiennon et al. 2020, appendix G.3; Gao et al. 2022, section 2.
#[must_use]
pub fn best_of_n_kl(n: u32) -> f64 {
    let n = f64::from(n);
    n.ln() - (n - 1.0) / n
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-12, "{found} is not {expected}");
    }

    #[test]
    fn values_explain_what_they_follow() {
        let returns = [1.0f32, -2.0, 4.0, 0.5];
        near(explained_variance(&returns, &returns), 1.0);
        near(explained_variance(&[7.0; 4], &returns), 0.0);
        near(explained_variance(&returns.map(|found| found + 3.0), &returns), 1.0);
        near(explained_variance(&returns.map(|found| -found), &returns), -3.0);
        assert!(explained_variance(&returns, &[1.0; 4]).is_nan());
    }

    /// With two answers by hand: the better one of the densities `2 x` on `0..1` has a divergence of `ln 2 - 1/2`.
    #[test]
    fn the_best_of_one_is_the_policy() {
        near(best_of_n_kl(1), 0.0);
        near(best_of_n_kl(2), std::f64::consts::LN_2 - 0.5);
        assert!((1..100).all(|n| best_of_n_kl(n) < best_of_n_kl(n + 1)));
    }
}
