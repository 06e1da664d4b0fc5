//! How far a score may be off that is no mean: what it is on samples of the examples, drawn with replacement.
//!
//! Draws are a hash of (seed, sample, place): the same on every machine, and on any number of threads.
//!
//! Source: Efron and Tibshirani 1993, chapters 6 and 13.

use crate::random::Stream;

/// Bootstrap samples of an interval.
const SAMPLES: u64 = 1000;
/// The shares of samples that lie below an interval's ends.
const ENDS: [f64; 2] = [0.025, 0.975];

/// A score on bootstrap samples.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bootstrap {
    /// The 95 % interval: percentiles, between which is interpolated.
    pub interval: [f64; 2],
    /// The deviation of the samples' scores.
    pub standard_error: f64,
}

/// A score on 1,000 samples of as many examples as there are.
///
/// - `count`: examples, 1 or more
/// - `score`: the score of the examples with these numbers, some of which are there more than once
pub fn bootstrap(count: usize, seed: u64, mut score: impl FnMut(&[usize]) -> f64) -> Bootstrap {
    let stream = Stream::new(seed, "bootstrap");
    let size = count as u64;
    let mut sample = vec![0; count];
    let mut scores: Vec<f64> = (0..SAMPLES)
        .map(|draw| {
            for (number, place) in (0..size).zip(&mut sample) {
                *place = usize::try_from(stream.bits(draw * size + number) % size).expect("a place");
            }
            score(&sample)
        })
        .collect();
    scores.sort_by(f64::total_cmp);
    let mean = super::mean(&scores);
    let squares: f64 = scores.iter().map(|score| (score - mean).powi(2)).sum();
    Bootstrap {
        interval: ENDS.map(|share| percentile(&scores, share)),
        standard_error: (squares / (scores.len() as f64 - 1.0)).sqrt(),
    }
}

/// The value below which a share of sorted values lies, between which is interpolated; no number where there are none.
#[must_use]
pub fn percentile(sorted: &[f64], share: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return f64::NAN };
    let place = share * last as f64;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place among the values")]
    let below = place.floor() as usize;
    let (one, other) = (sorted[below], sorted[(below + 1).min(last)]);
    one + (other - one) * (place - below as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// For the mean of 400 examples, 0.8 of them right, an interval is about 1.96 of its standard errors to each side.
    #[test]
    fn the_interval_of_a_mean_is_that_of_its_standard_error() {
        let scores: Vec<f64> = (0..400).map(|place| f64::from(u8::from(place % 5 > 0))).collect();
        let of = |places: &[usize]| places.iter().map(|place| scores[*place]).sum::<f64>() / 400.0;
        let found = bootstrap(400, 1, of);
        let expected = super::super::stderr_of_mean(&scores).expect("there are several");
        assert!((found.standard_error / expected - 1.0).abs() < 0.1, "{found:?}");
        assert!(found.interval.iter().zip([-1.96, 1.96]).all(|(end, z)| (end - 0.8 - z * expected).abs() < 0.006));
        assert_eq!(found, bootstrap(400, 1, of));
        assert_ne!(found, bootstrap(400, 2, of));
    }

    #[test]
    fn a_percentile_lies_between_two_values() {
        let near = |found: f64, expected: f64| assert!((found - expected).abs() < 1e-12, "{found} is not {expected}");
        near(percentile(&[1.0, 2.0, 3.0, 4.0], 0.5), 2.5);
        near(percentile(&[1.0, 2.0, 3.0, 4.0], 1.0), 4.0);
    }
}
