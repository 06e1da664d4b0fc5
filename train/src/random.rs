//! Chance that can be repeated and resumed: a hash of what is drawn for, and no generator with a state to save.

use xxhash_rust::xxh3::xxh3_64_with_seed;

/// 64 uniform bits for number `index` of `purpose`.
///
/// Purposes are hashed once each: hold on to [`Stream`] for many draws.
#[derive(Debug, Clone, Copy)]
pub struct Stream(u64);

impl Stream {
    /// The draws for a purpose under a seed.
    #[must_use]
    pub fn new(seed: u64, purpose: &str) -> Self {
        Self(xxh3_64_with_seed(purpose.as_bytes(), seed))
    }

    /// 64 uniform bits, by the mixer of `SplitMix64`.
    #[must_use]
    pub fn bits(self, index: u64) -> u64 {
        let mut bits = self.0.wrapping_add(index.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        bits ^ (bits >> 31)
    }

    /// A fraction in `0.0..1.0`, with 53 random bits.
    #[must_use]
    pub fn fraction(self, index: u64) -> f64 {
        (self.bits(index) >> 11) as f64 / (1u64 << 53) as f64
    }

    /// A draw from the normal distribution of mean 0 and deviation 1, by Box and Muller 1958.
    #[must_use]
    pub fn normal(self, index: u64) -> f64 {
        let (one, other) = (self.fraction(2 * index), self.fraction(2 * index + 1));
        (-2.0 * (1.0 - one).ln()).sqrt() * (std::f64::consts::TAU * other).cos()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normal_draws_have_their_moments() {
        const DRAWS: u64 = 100_000;
        let stream = Stream::new(1, "test");
        let draws: Vec<f64> = (0..DRAWS).map(|index| stream.normal(index)).collect();
        let mean = draws.iter().sum::<f64>() / DRAWS as f64;
        let variance = draws.iter().map(|draw| (draw - mean).powi(2)).sum::<f64>() / DRAWS as f64;
        assert!(mean.abs() < 0.02 && (variance - 1.0).abs() < 0.03, "mean {mean}, variance {variance}");
    }
}
