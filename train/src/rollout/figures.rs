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
}
