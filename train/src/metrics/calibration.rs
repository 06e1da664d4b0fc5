//! Whether a model is as often right as it is sure.
//!
//! Answers are put into bins by the probability that the model gives them. In each the mean probability stands beside the share that is right; the
//! mean distance between the two, each bin counting by its answers, is the expected calibration error.
//!
//! Source: Naeini et al. 2015 and Guo et al. 2017 (15 bins of equal width); Nguyen and O'Connor 2015 for bins of equal counts; Brier 1950.

use serde::{Deserialize, Serialize};

use super::bootstrap::percentile;

/// An answer, and how sure the model is of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Confidence {
    /// The probability that the model gives its answer, from 0 to 1.
    pub probability: f64,
    /// Whether the answer is right.
    pub is_right: bool,
}

/// Where bins end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Binning {
    /// All bins are equally wide.
    #[default]
    EqualWidth,
    /// All bins hold about equally many answers: where probabilities lie close together.
    EqualCount,
}

/// The answers of a bin, of which there is one at least.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CalibrationBin {
    /// Probabilities above the first and up to the second, from 0 to 1.
    pub range: [f64; 2],
    /// Answers.
    pub count: u64,
    /// Their mean probability.
    pub confidence: f64,
    /// The share that is right.
    pub accuracy: f64,
}

/// The bins that have answers, from the lowest probability on.
///
/// - `bins`: how many there are, empty ones among them; 1 or more
#[must_use]
pub fn calibration_bins(answers: &[Confidence], binning: Binning, bins: usize) -> Vec<CalibrationBin> {
    let mut sorted: Vec<f64> = Vec::new();
    if binning == Binning::EqualCount {
        sorted.extend(answers.iter().map(|answer| answer.probability));
        sorted.sort_by(f64::total_cmp);
    }
    let edge = |place: usize| match binning {
        _ if place == bins => 1.0,
        Binning::EqualWidth => place as f64 * (1.0 / bins as f64),
        Binning::EqualCount if place == 0 => 0.0,
        Binning::EqualCount => percentile(&sorted, place as f64 / bins as f64),
    };
    let edges: Vec<f64> = (0..=bins).map(edge).collect();
    let mut sums = vec![(0u64, 0.0, 0.0); bins];
    for answer in answers {
        // the first bin whose end is not below
        let bin = edges[1..bins].partition_point(|end| *end < answer.probability);
        sums[bin].0 += 1;
        sums[bin].1 += answer.probability;
        sums[bin].2 += f64::from(u8::from(answer.is_right));
    }
    let bin = |(bin, (count, probabilities, right)): (usize, &(u64, f64, f64))| CalibrationBin {
        range: [edges[bin], edges[bin + 1]],
        count: *count,
        confidence: probabilities / *count as f64,
        accuracy: right / *count as f64,
    };
    sums.iter().enumerate().filter(|(_, (count, ..))| *count > 0).map(bin).collect()
}

/// The expected calibration error: the mean distance of confidence and accuracy, from 0 to 1; no number where there is no answer.
#[must_use]
pub fn calibration_error(bins: &[CalibrationBin]) -> f64 {
    let count: u64 = bins.iter().map(|bin| bin.count).sum();
    let distance = |bin: &CalibrationBin| bin.count as f64 * (bin.accuracy - bin.confidence).abs();
    bins.iter().map(distance).sum::<f64>() / count as f64
}

/// The largest distance of confidence and accuracy in any bin, from 0 to 1.
#[must_use]
pub fn max_calibration_error(bins: &[CalibrationBin]) -> f64 {
    bins.iter().map(|bin| (bin.accuracy - bin.confidence).abs()).fold(0.0, f64::max)
}

/// The sum of the squares of what the probability of each class is off, from 0 to 2; less is better. Of two classes it is twice the square that
/// others give of one of them.
///
/// ```
/// # use train::metrics::brier_score;
/// assert_eq!(brier_score(&[0.25, 0.75], 1), 0.125);
/// ```
#[must_use]
pub fn brier_score(probabilities: &[f64], right: usize) -> f64 {
    let square = |(class, probability): (usize, &f64)| (probability - f64::from(u8::from(class == right))).powi(2);
    probabilities.iter().enumerate().map(square).sum()
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    fn answers(pairs: &[(f64, bool)]) -> Vec<Confidence> {
        pairs
            .iter()
            .map(|(probability, is_right)| Confidence { probability: *probability, is_right: *is_right })
            .collect()
    }

    #[test]
    fn a_bin_holds_its_upper_end() {
        let answers = answers(&[(0.5, true), (0.5, false), (0.51, true), (1.0, true), (0.0, false)]);
        let bins = calibration_bins(&answers, Binning::EqualWidth, 2);
        assert_eq!(bins.iter().map(|bin| bin.count).collect::<Vec<_>>(), [3, 2]);
        assert!((bins[0].range[1] - 0.5).abs() < 1e-12, "{bins:?}");
        let error = (3.0 * (1.0f64 / 3.0 - 1.0 / 3.0).abs() + 2.0 * (1.0 - 0.755)) / 5.0;
        assert!((calibration_error(&bins) - error).abs() < 1e-12);
        assert!((max_calibration_error(&bins) - 0.245).abs() < 1e-12);
    }

    proptest! {
        /// No answer is lost, each bin's mean lies within it, and one bin is the distance of the means.
        #[test]
        fn bins_hold_all_answers(pairs in vec((0.0f64..=1.0, any::<bool>()), 1..60), bins in 1usize..20) {
            let answers = answers(&pairs);
            for binning in [Binning::EqualWidth, Binning::EqualCount] {
                let found = calibration_bins(&answers, binning, bins);
                prop_assert_eq!(found.iter().map(|bin| bin.count).sum::<u64>(), pairs.len() as u64);
                let error = calibration_error(&found);
                prop_assert!((0.0..=1.0).contains(&error) && error <= max_calibration_error(&found) + 1e-12);
                for CalibrationBin { range: [low, high], confidence, .. } in found {
                    prop_assert!((low - 1e-12..=high + 1e-12).contains(&confidence), "{} {} {}", low, confidence, high);
                }
            }
        }
    }
}
