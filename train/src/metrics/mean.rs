//! The mean of scores, and how far it may be off.

/// The mean; no number where there are none.
#[must_use]
pub fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// The mean and the deviation of a sample, the deviation with n - 1 in the denominator; no number where there are none.
#[must_use]
pub fn mean_and_deviation(values: &[f64]) -> [f64; 2] {
    let mean = mean(values);
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    [mean, (squares / (values.len() as f64 - 1.0).max(1.0)).sqrt()]
}

/// The standard error of the mean: the deviation of a sample, with n - 1 in the denominator, by the root of n. `None` for less than two values.
///
/// ```
/// # use train::metrics::stderr_of_mean;
/// assert_eq!(stderr_of_mean(&[0.0, 1.0, 1.0, 0.0]), Some((1.0f64 / 12.0).sqrt()));
/// ```
#[must_use]
pub fn stderr_of_mean(values: &[f64]) -> Option<f64> {
    if values.len() < 2 {
        return None;
    }
    let [_, deviation] = mean_and_deviation(values);
    Some(deviation / (values.len() as f64).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_value_has_no_standard_error() {
        assert_eq!(stderr_of_mean(&[1.0]), None);
        assert_eq!(stderr_of_mean(&[3.0; 5]), Some(0.0));
        assert!(mean(&[]).is_nan());
    }
}
