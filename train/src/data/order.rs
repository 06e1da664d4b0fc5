//! Orders that are functions of a seed: nothing is stored, and any place can be asked for.

use crate::random::Stream;

/// Rounds of mixing. Four make a strong order of large sets (Luby and Rackoff 1988); small ones need some more.
const ROUNDS: u64 = 6;

/// A shuffle of `0..count` that is computed where it is needed.
///
/// A Feistel network orders the next power of four; places that fall outside `count` are followed until one falls inside
/// (Black and Rogaway 2002), after fewer than four on average.
#[derive(Debug, Clone, Copy)]
pub struct Shuffle {
    stream: Stream,
    count: u64,
    half: u32,
}

impl Shuffle {
    /// The shuffle for a purpose under a seed.
    ///
    /// - `count`: 1 or more, below 2^62
    #[must_use]
    pub fn new(seed: u64, purpose: &str, count: u64) -> Self {
        let bits = 64 - (count - 1).leading_zeros();
        Self { stream: Stream::new(seed, purpose), count, half: bits.div_ceil(2).max(1) }
    }

    /// Which number comes at `place`, which is below the count.
    #[must_use]
    pub fn at(&self, place: u64) -> u64 {
        let mut number = self.mixed(place);
        while number >= self.count {
            number = self.mixed(number);
        }
        number
    }

    fn mixed(&self, number: u64) -> u64 {
        let mask = (1 << self.half) - 1;
        let (mut left, mut right) = (number >> self.half, number & mask);
        for round in 0..ROUNDS {
            (left, right) = (right, left ^ (self.stream.bits((round << 32) | right) & mask));
        }
        (left << self.half) | right
    }
}

/// Which of several sources each place takes its sequence from, by weight.
#[derive(Debug, Clone)]
pub struct WeightedSampler {
    stream: Stream,
    /// Shares summed up to each source; the last is 1.
    sums: Vec<f64>,
}

impl WeightedSampler {
    /// A sampler of sources with these weights.
    ///
    /// - `weights`: positive and finite, one at least
    #[must_use]
    pub fn new(seed: u64, weights: &[f64]) -> Self {
        let all: f64 = weights.iter().sum();
        let mut sum = 0.0;
        let sums = weights.iter().map(|weight| {
            sum += weight / all;
            sum
        });
        Self { stream: Stream::new(seed, "source"), sums: sums.collect() }
    }

    /// The source of a place.
    #[must_use]
    pub fn source(&self, place: u64) -> usize {
        let draw = self.stream.fraction(place);
        self.sums.partition_point(|sum| *sum <= draw).min(self.sums.len() - 1)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// An epoch takes every sequence once, whatever its size.
        #[test]
        fn a_shuffle_takes_every_number_once(count in 1u64..300, seed: u64) {
            let shuffle = Shuffle::new(seed, "test", count);
            let numbers: BTreeSet<u64> = (0..count).map(|place| shuffle.at(place)).collect();
            prop_assert_eq!(numbers, (0..count).collect());
        }
    }

    /// Where a number ends up has nothing to do with where it was.
    #[test]
    fn a_shuffle_is_even() {
        let (mut counts, trials) = ([[0u32; 5]; 5], 20_000);
        for seed in 0..trials {
            let shuffle = Shuffle::new(seed, "test", 5);
            for place in 0..5 {
                counts[usize::try_from(place).expect("few")][usize::try_from(shuffle.at(place)).expect("few")] += 1;
            }
        }
        let expected = f64::from(u32::try_from(trials / 5).expect("few"));
        let worst = counts.iter().flatten().map(|count| (f64::from(*count) / expected - 1.0).abs()).fold(0.0, f64::max);
        assert!(worst < 0.08, "{counts:?}");
    }

    #[test]
    fn sources_come_by_weight() {
        let sampler = WeightedSampler::new(3, &[4.0, 1.0]);
        let second = (0..10_000).filter(|place| sampler.source(*place) == 1).count();
        assert!((1_880..2_120).contains(&second), "{second} of 10,000");
    }
}
