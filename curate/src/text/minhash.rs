//! MinHash: signatures whose agreement estimates the Jaccard similarity of two texts' shingles, cut into bands.
//!
//! Two documents share a band with probability 1 - (1 - J^rows)^bands. A shingle is hashed once; the hash functions are
//! multiply-add permutations of 32 bits of that hash, whose high bits decide the minimum.
//!
//! Source: Broder 1997; 14 bands of 8 on 5 words after Penedo et al. 2024 (FineWeb).
//! Cost: for each shingle one multiplication, addition and comparison a hash function, eight at a time.

use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::lanes::{LANES, Tile, least};

/// The hash functions of one configuration.
#[derive(Debug, Clone)]
pub struct MinHash {
    hashes: usize,
    rows: usize,
    /// Multipliers, which are odd, and offsets.
    functions: Vec<(Tile, Tile)>,
}

impl MinHash {
    /// Hash functions for `bands` bands of `rows` hashes each.
    ///
    /// They are fixed by their number alone: no seed, so that signatures of two runs can be compared.
    #[must_use]
    pub fn new(bands: usize, rows: usize) -> Self {
        let constant =
            |number: usize, seed: u64| (xxh3_64_with_seed(&(number as u64).to_le_bytes(), seed) >> 32) as u32;
        let tile = |tile: usize, value: &dyn Fn(usize) -> u32| std::array::from_fn(|lane| value(tile * LANES + lane));
        let hashes = bands * rows;
        let functions = (0..hashes.div_ceil(LANES))
            .map(|number| (tile(number, &|at| constant(at, 1) | 1), tile(number, &|at| constant(at, 2))))
            .collect();
        Self { hashes, rows, functions }
    }

    /// The signature of a set of shingles: for each hash function the least value over them; empty where there is none.
    pub fn sign(&self, shingles: &[u64], signature: &mut Vec<u32>) {
        signature.clear();
        if shingles.is_empty() {
            return;
        }
        for (multipliers, offsets) in &self.functions {
            signature.extend(least(shingles, multipliers, offsets));
        }
        signature.truncate(self.hashes);
    }

    /// Adds one hash for each band of a signature to `bands`. Equal bands in different places have different hashes.
    pub fn bands(&self, signature: &[u32], bands: &mut Vec<u64>) {
        let mut bytes = Vec::with_capacity(self.rows * 4);
        for (number, band) in signature.chunks(self.rows).enumerate() {
            bytes.clear();
            band.iter().for_each(|value| bytes.extend(value.to_le_bytes()));
            bands.push(xxh3_64_with_seed(&bytes, number as u64));
        }
    }
}

/// The probability that two documents of Jaccard similarity `similarity` share a band.
///
/// ```
/// # use curate::text::minhash::chance_to_share;
/// assert!((chance_to_share(0.75, 14, 8) - 0.772).abs() < 0.001);
/// ```
#[must_use]
pub fn chance_to_share(similarity: f64, bands: usize, rows: usize) -> f64 {
    1.0 - power(1.0 - power(similarity, rows), bands)
}

/// A power by squaring: the same bits on every machine, which the standard library does not promise.
fn power(mut base: f64, mut exponent: usize) -> f64 {
    let mut product = 1.0;
    while exponent > 0 {
        if exponent % 2 == 1 {
            product *= base;
        }
        base *= base;
        exponent /= 2;
    }
    product
}

/// The bands and rows, of `hashes` hash functions at most, that tell similarities above `threshold` from those below best:
/// pairs below that share a band and pairs above that share none weigh alike.
///
/// - `threshold`: above 0 and below 1
/// - returns: bands and rows, 1 or more each
///
/// Source: the choice that datasketch makes (Zhu 2015), by the midpoints of 1,000 intervals.
///
/// ```
/// # use curate::text::minhash::bands_for;
/// assert_eq!(bands_for(0.7, 256), (25, 10));
/// ```
#[must_use]
pub fn bands_for(threshold: f64, hashes: usize) -> (usize, usize) {
    const INTERVALS: u32 = 1000;
    let midpoints = |from: f64, to: f64| {
        let width = (to - from) / f64::from(INTERVALS);
        (0..INTERVALS).map(move |number| (from + (f64::from(number) + 0.5) * width, width))
    };
    let mut best = (f64::INFINITY, (1, 1));
    for bands in 1..=hashes {
        for rows in 1..=hashes / bands {
            let wrong: f64 =
                midpoints(0.0, threshold).map(|(at, width)| chance_to_share(at, bands, rows) * width).sum();
            let missed: f64 =
                midpoints(threshold, 1.0).map(|(at, width)| (1.0 - chance_to_share(at, bands, rows)) * width).sum();
            if wrong + missed < best.0 {
                best = (wrong + missed, (bands, rows));
            }
        }
    }
    best.1
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    fn signature(shingles: &[u64]) -> Vec<u32> {
        let mut signature = Vec::new();
        MinHash::new(14, 8).sign(shingles, &mut signature);
        signature
    }

    proptest! {
        /// MinHash is a function of the set: order changes nothing, and neither do repeats.
        #[test]
        fn a_signature_ignores_order_and_repeats(mut shingles in vec(any::<u64>(), 0..40)) {
            let before = signature(&shingles);
            shingles.reverse();
            shingles.extend(shingles.clone());
            prop_assert_eq!(before, signature(&shingles));
        }
    }

    /// Agreement of signatures estimates similarity, within four standard deviations of 112 draws.
    #[test]
    fn agreement_estimates_similarity() {
        let set =
            |range: std::ops::Range<u64>| range.map(|n| xxh3_64_with_seed(&n.to_le_bytes(), 9)).collect::<Vec<_>>();
        let (left, right) = (signature(&set(0..300)), signature(&set(100..400)));
        assert_eq!(left.len(), 112);
        let agree = left.iter().zip(&right).filter(|(one, other)| one == other).count();
        let estimate = f64::from(u32::try_from(agree).expect("at most 112")) / 112.0;
        assert!((estimate - 0.5).abs() < 4.0 * (0.25f64 / 112.0).sqrt(), "estimated {estimate}, expected 0.5");
    }

    /// The choices that text-dedup (240 hashes) and `RedPajama` (128) are known to arrive at.
    #[test]
    fn bands_follow_from_a_threshold() {
        assert_eq!(bands_for(0.7, 240), (24, 10));
        assert_eq!(bands_for(0.7, 128), (14, 9));
        assert_eq!(bands_for(0.8, 128), (9, 13));
    }
}
