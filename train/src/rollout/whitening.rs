//! Whitening: numbers of mean 0 and deviation 1, so that a step is as large whatever the scale of rewards is.
//!
//! Useful for: the advantages of a batch; rewards, whose mean is kept. Not useful for: rewards where answers are to end by themselves, as it
//! makes them shorter.
//!
//! Source: Ziegler et al. 2019, their code (`whiten`); Huang et al. 2024 on rewards.

/// What is added to the variance, so that equal numbers become 0 and not infinite.
const EPSILON: f64 = 1e-8;

/// Whitens numbers of all tokens of a batch together: less their mean, over their deviation. The variance is that of the numbers (`n`), not
/// of what they are a sample of (`n - 1`).
///
/// - `values`: all tokens of all answers
/// - `shift_mean`: whether the mean becomes 0, as of advantages; else it stays what it is, as of rewards
///
/// Source: Ziegler et al. 2019, their code (`whiten`).
#[expect(clippy::cast_possible_truncation, reason = "what a loss is taken of is single precision")]
pub fn whiten(values: &mut [f32], shift_mean: bool) {
    let count = values.len() as f64;
    let mean = values.iter().copied().map(f64::from).sum::<f64>() / count;
    let variance = values.iter().map(|value| (f64::from(*value) - mean).powi(2)).sum::<f64>() / count;
    let scale = 1.0 / (variance + EPSILON).sqrt();
    let kept = if shift_mean { 0.0 } else { mean };
    for value in values {
        *value = ((f64::from(*value) - mean) * scale + kept) as f32;
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    fn moments(values: &[f32]) -> [f64; 2] {
        let count = values.len() as f64;
        let mean = values.iter().copied().map(f64::from).sum::<f64>() / count;
        [mean, (values.iter().map(|value| (f64::from(*value) - mean).powi(2)).sum::<f64>() / count).sqrt()]
    }

    proptest! {
        #[test]
        fn white_numbers_have_mean_0_and_deviation_1(values in vec(-50.0f32..50.0, 2..60)) {
            let [mean, deviation] = moments(&values);
            prop_assume!(deviation > 0.1);
            let (mut shifted, mut kept) = (values.clone(), values);
            whiten(&mut shifted, true);
            whiten(&mut kept, false);
            let [[of_shifted, one], [of_kept, other]] = [moments(&shifted), moments(&kept)];
            prop_assert!(of_shifted.abs() < 1e-5 && (of_kept - mean).abs() < 1e-4, "{} {}", of_shifted, of_kept);
            prop_assert!((one - 1.0).abs() < 1e-4 && (other - 1.0).abs() < 1e-4, "{} {}", one, other);
        }
    }

    #[test]
    fn equal_numbers_have_no_deviation() {
        let mut values = [2.5; 4];
        whiten(&mut values, true);
        assert!(values.iter().all(|value| value.abs() < f32::EPSILON), "{values:?}");
    }
}
