//! What the course of a run says of its end: where a run stands among the others changes little over its last evaluations, and noise does.
//!
//! ```text
//! evaluation  -> where each run stands among all runs at that time, in deviations from their mean
//! the last few -> the mean of these, as a loss at the end
//! ```
//!
//! How many are of use is for cross-validation to say: where sources are repeated often, a run that was ahead falls behind.
//!
//! Source: the idea of fitting whole loss curves is `RegMix-D`'s (2026).

use super::Runs;
use crate::metrics::mean_and_deviation;

/// Shares of a curve that are tried.
const SHARES: [usize; 3] = [8, 4, 2];

/// How many points of its curves runs may be judged by, the end included: rising, from the end alone.
#[must_use]
pub fn curve_points(runs: &Runs) -> Vec<usize> {
    let evaluations = runs.curves.first().and_then(|domains| domains.first()).map_or(0, Vec::len);
    let mut points = vec![1];
    points.extend(SHARES.map(|share| (evaluations + 1) / share).into_iter().filter(|points| *points > 1));
    points.dedup();
    points
}

/// Runs whose losses are the means of what their last evaluations say of them.
///
/// - `points`: evaluations, the end included
#[must_use]
pub fn smoothed(runs: Runs, points: usize) -> Runs {
    if points <= 1 || runs.curves.is_empty() {
        return runs;
    }
    let mut losses = runs.losses.clone();
    for domain in 0..runs.domains.len() {
        let ends = runs.of_domain(domain);
        let [mean_at_end, spread_at_end] = mean_and_deviation(&ends);
        let mut sums = standard(&ends);
        let mut count = 1.0;
        let evaluations = runs.curves[0][domain].len();
        for place in (evaluations + 1).saturating_sub(points)..evaluations {
            let at: Vec<f64> = runs.curves.iter().map(|curves| curves[domain][place]).collect();
            sums.iter_mut().zip(standard(&at)).for_each(|(sum, own)| *sum += own);
            count += 1.0;
        }
        for (losses, sum) in losses.iter_mut().zip(sums) {
            losses[domain] = mean_at_end + spread_at_end * sum / count;
        }
    }
    Runs { losses, ..runs }
}

/// Values in deviations from their mean.
fn standard(values: &[f64]) -> Vec<f64> {
    let [mean, deviation] = mean_and_deviation(values);
    values.iter().map(|value| if deviation > 0.0 { (value - mean) / deviation } else { 0.0 }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{metrics::spearman, random::Stream};

    /// Runs whose losses fall as they go on, with noise at each evaluation.
    fn runs(count: usize, evaluations: usize) -> (Runs, Vec<f64>) {
        let noise = Stream::new(1, "noise");
        let truth: Vec<f64> = (0..count).map(|run| 3.0 + run as f64 / count as f64).collect();
        let at = |run: usize, place: usize| {
            let index = (run * (evaluations + 1) + place) as u64;
            truth[run] + 2.0 * (-(place as f64) / 4.0).exp() + 0.2 * noise.normal(index)
        };
        let runs = Runs {
            sources: vec!["one".into()],
            domains: vec!["all".into()],
            weights: vec![vec![1.0]; count],
            losses: (0..count).map(|run| vec![at(run, evaluations)]).collect(),
            curves: (0..count).map(|run| vec![(0..evaluations).map(|place| at(run, place)).collect()]).collect(),
        };
        (runs, truth)
    }

    #[test]
    fn noise_falls_with_the_points_of_a_curve() {
        let (runs, truth) = runs(40, 15);
        assert_eq!(curve_points(&runs), [1, 2, 4, 8]);
        let rank = |points: usize| spearman(&smoothed(runs.clone(), points).of_domain(0), &truth);
        assert!(rank(8) > rank(1) + 0.02, "{} {}", rank(8), rank(1));
        assert_eq!(smoothed(runs.clone(), 1), runs);
        // losses stay those of the end
        let [before, after] = [runs.clone(), smoothed(runs, 8)].map(|runs| mean_and_deviation(&runs.of_domain(0))[0]);
        assert!((before - after).abs() < 1e-9);
    }

    #[test]
    fn runs_without_curves_are_judged_by_their_end() {
        let (whole, _) = runs(4, 3);
        let runs = Runs { curves: Vec::new(), ..whole };
        assert_eq!(curve_points(&runs), [1]);
        assert_eq!(smoothed(runs.clone(), 4), runs);
    }
}
