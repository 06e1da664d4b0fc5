//! Whether one model is better than another on the same examples, or only seems so.
//!
//! Were there no difference, it would be chance which of two scores of an example is whose. So scores are exchanged, example by example, and what
//! counts is how often the difference is then as large as it was found:
//!
//! - differences that are all of one size, as of right and wrong answers: all exchanges together, by the binomial distribution, which is the exact
//!   test of McNemar
//! - up to 16 examples that differ: all exchanges, one by one
//! - else: 10,000 exchanges that are drawn by hash, of which the one that was found is one
//!
//! Source: Fisher 1935, chapter 3; McNemar 1947; Noreen 1989.

use serde::Serialize;

use super::{bootstrap, mean, stderr_of_mean};
use crate::random::Stream;

/// Exchanges that are drawn.
const DRAWS: u64 = 10_000;
/// Examples up to which all exchanges are tried.
const MOST_TRIED: usize = 16;

/// Two models on the same examples.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct PairedTest {
    /// Examples.
    pub count: usize,
    /// Examples on which the second model is better, and on which it is worse.
    pub better_and_worse: [usize; 2],
    /// The mean score of the second model less that of the first.
    pub difference: f64,
    /// The standard error of the difference; `None` for one example.
    pub standard_error: Option<f64>,
    /// The 95 % interval of the difference, by bootstrap.
    pub interval: [f64; 2],
    /// How likely a difference of this size, in either direction, is by chance.
    pub p_value: f64,
}

/// Compares the scores of two models, example by example.
///
/// - `first`, `second`: scores of the same examples, in one order; one at least
#[must_use]
pub fn paired_test(first: &[f64], second: &[f64], seed: u64) -> PairedTest {
    assert_eq!(first.len(), second.len(), "both models have a score for each example");
    let differences: Vec<f64> = second.iter().zip(first).map(|(second, first)| second - first).collect();
    let of = |places: &[usize]| places.iter().map(|place| differences[*place]).sum::<f64>() / places.len() as f64;
    let count = |is: fn(&&f64) -> bool| differences.iter().filter(is).count();
    PairedTest {
        count: differences.len(),
        better_and_worse: [count(|difference| **difference > 0.0), count(|difference| **difference < 0.0)],
        difference: mean(&differences),
        standard_error: stderr_of_mean(&differences),
        interval: bootstrap(differences.len(), seed, of).interval,
        p_value: p_value(&differences, seed),
    }
}

/// How likely a sum of this size is, in either direction, when the sign of each difference is chance.
fn p_value(differences: &[f64], seed: u64) -> f64 {
    let sizes: Vec<f64> = differences.iter().map(|difference| difference.abs()).filter(|size| *size > 0.0).collect();
    let found = differences.iter().sum::<f64>().abs();
    let total: f64 = sizes.iter().sum();
    // sums that are equal in truth may differ by how they are rounded
    let least = found - 1e-12 * total;
    let (smallest, largest) =
        sizes.iter().fold((f64::INFINITY, 0.0f64), |(low, high), size| (low.min(*size), high.max(*size)));
    if largest - smallest <= 1e-12 * largest {
        let better = differences.iter().filter(|difference| **difference > 0.0).count();
        return sign_test(better, sizes.len());
    }
    if sizes.len() <= MOST_TRIED {
        let all = 1u32 << sizes.len();
        let sum = |signs: u32| -> f64 {
            sizes.iter().enumerate().map(|(place, size)| if signs >> place & 1 == 0 { *size } else { -size }).sum()
        };
        let as_large = (0..all).filter(|signs| sum(*signs).abs() >= least).count();
        return as_large as f64 / f64::from(all);
    }
    let stream = Stream::new(seed, "exchange");
    let words = sizes.len().div_ceil(64) as u64;
    let sum = |draw: u64| -> f64 {
        let signed = |(word, sizes): (u64, &[f64])| {
            let bits = stream.bits(draw * words + word);
            sizes
                .iter()
                .enumerate()
                .map(|(place, size)| if bits >> place & 1 == 0 { *size } else { -size })
                .sum::<f64>()
        };
        (0..words).zip(sizes.chunks(64)).map(signed).sum()
    };
    share_as_large((0..DRAWS).map(sum), least)
}

/// The share of differences, of what was found among them, that are as large in either direction.
fn share_as_large(differences: impl Iterator<Item = f64>, least: f64) -> f64 {
    let as_large = differences.filter(|difference| difference.abs() >= least).count();
    (as_large as f64 + 1.0) / (DRAWS as f64 + 1.0)
}

/// How likely it is that of `count` coins as many more, or more, lie on one side as here, where `heads` do.
fn sign_test(heads: usize, count: usize) -> f64 {
    let least = heads.min(count - heads);
    if 2 * least == count {
        return 1.0;
    }
    let count = count as f64;
    // the logarithm of binomial(count, k) / 2^count, from one k to the next
    let mut logarithm = -count * std::f64::consts::LN_2;
    let mut tail = 0.0;
    for below in 0..=least {
        tail += logarithm.exp();
        logarithm += ((count - below as f64) / (below as f64 + 1.0)).ln();
    }
    (2.0 * tail).min(1.0)
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    fn near(found: f64, expected: f64, most: f64) {
        assert!((found - expected).abs() < most, "{found} is not {expected}");
    }

    #[test]
    fn equal_models_do_not_differ() {
        let test = paired_test(&[1.0, 0.0, 1.0], &[1.0, 0.0, 1.0], 1);
        assert_eq!((test.p_value, test.difference, test.interval), (1.0, 0.0, [0.0, 0.0]));
        assert_eq!(test.better_and_worse, [0, 0]);
    }

    /// By hand: 2 (1 + 10 + 45) / 1024; and 4 of 16 sums of 1, 2, 3 and 4 are 8 or more in size.
    #[test]
    fn p_values_are_those_of_their_definitions() {
        near(sign_test(8, 10), 112.0 / 1024.0, 1e-15);
        near(p_value(&[1.0, 2.0, 3.0, 4.0, 0.0, -2.0], 1), p_value(&[-1.0, -2.0, -3.0, -4.0, 2.0], 1), 1e-15);
        near(p_value(&[-1.0, 2.0, 3.0, 4.0], 1), 4.0 / 16.0, 1e-15);
        near(sign_test(50_000, 100_000), 1.0, 1e-12);
        near(sign_test(0, 5000), 0.0, 1e-300);
    }

    /// Where all can be tried, what is drawn comes near it.
    #[test]
    fn drawn_exchanges_come_near_all_of_them() {
        let differences: Vec<f64> = (0..16).map(|place| f64::from(place % 5) - 1.2).collect();
        let exact = p_value(&differences, 1);
        // a difference of next to nothing makes one too many to try all
        let more: Vec<f64> = differences.iter().copied().chain([1e-9]).collect();
        near(p_value(&more, 3), exact, 0.02);
    }

    proptest! {
        /// The order of examples changes nothing but rounding, and neither does which model is which.
        #[test]
        fn a_test_looks_both_ways(first in vec(0u8..4, 1..12), seed: u64) {
            let first: Vec<f64> = first.iter().map(|score| f64::from(*score)).collect();
            let second: Vec<f64> = first.iter().rev().map(|score| score / 2.0 + 0.5).collect();
            let test = paired_test(&first, &second, seed);
            let other = paired_test(&second, &first, seed);
            prop_assert!((test.p_value - other.p_value).abs() < 1e-12);
            prop_assert!((test.difference + other.difference).abs() < 1e-12);
            prop_assert!(test.p_value > 0.0 && test.p_value <= 1.0);
        }
    }
}
