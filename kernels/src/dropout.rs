//! Dropout as a hash: whether a number stays depends on a key and its place, so that a backward pass, and a training that is
//! resumed, find the same ones without a generator whose state would have to be kept.
//!
//! Source: Srivastava et al. 2014.

use rayon::prelude::*;

use super::lanes::vectorised;

/// Numbers that a thread takes at a time.
const CHUNK: usize = 8192;

/// What is dropped: `rate` of the numbers, by the 64 bits of `key`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Dropout {
    /// The share that is dropped, in `0.0..1.0`.
    pub rate: f32,
    /// A hash of (seed, step, layer).
    pub key: u64,
}

impl Dropout {
    /// Sets what is dropped to 0 and scales the rest by `1 / (1 - rate)`, in place. It is its own backward pass.
    pub fn apply(self, x: &mut [f32]) {
        self.apply_from(0, x);
    }

    /// The same for a part of a tensor that begins with its number `first`.
    pub fn apply_from(self, first: usize, x: &mut [f32]) {
        x.par_chunks_mut(CHUNK).enumerate().for_each(|(chunk, x)| {
            #[expect(clippy::cast_possible_truncation, reason = "places repeat after 2^32, which no tensor has")]
            drop_some(x, self, (first + chunk * CHUNK) as u32);
        });
    }

    /// The same for a row of a matrix, on this thread.
    ///
    /// - `first`: the place of its first number
    pub fn apply_to_row(self, x: &mut [f32], first: usize) {
        #[expect(clippy::cast_possible_truncation, reason = "places repeat after 2^32")]
        drop_some(x, self, first as u32);
    }

    /// A place stays if its bits are this much or more.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of 2^32")]
    pub fn threshold(self) -> u32 {
        (f64::from(self.rate) * 4_294_967_296.0) as u32
    }

    /// 32 bits for a place: two rounds of multiplication and shift, which registers do eight at a time.
    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "the key's halves")]
    fn bits(self, place: u32) -> u32 {
        let mut bits = place ^ self.key as u32;
        bits = (bits ^ (bits >> 16)).wrapping_mul(0x7FEB_352D);
        bits = (bits ^ (bits >> 15)).wrapping_mul(0x846C_A68B);
        bits ^= (bits >> 16) ^ (self.key >> 32) as u32;
        bits = (bits ^ (bits >> 16)).wrapping_mul(0x7FEB_352D);
        bits = (bits ^ (bits >> 15)).wrapping_mul(0x846C_A68B);
        bits ^ (bits >> 16)
    }
}

vectorised! {
    fn drop_some(x: &mut [f32], dropout: Dropout, first: u32) -> () {
        let (threshold, scale) = (dropout.threshold(), 1.0 / (1.0 - dropout.rate));
        for (x, place) in x.iter_mut().zip(0u32..) {
            let kept = dropout.bits(first.wrapping_add(place)) >= threshold;
            *x *= if kept { scale } else { 0.0 };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_is_that_of_the_rate_and_the_mean_stays() {
        for (rate, key) in [(0.1, 1), (0.5, 2), (0.1, u64::MAX)] {
            let mut x = vec![1.0; 100_000];
            Dropout { rate, key }.apply(&mut x);
            let dropped = x.iter().filter(|x| **x == 0.0).count() as f32 / x.len() as f32;
            let mean = x.iter().sum::<f32>() / x.len() as f32;
            assert!((dropped - rate).abs() < 0.005 && (mean - 1.0).abs() < 0.01, "{dropped} of {rate}, mean {mean}");
        }
    }

    /// Pieces of a tensor lose what the whole does.
    #[test]
    fn a_part_is_dropped_as_in_the_whole() {
        let dropout = Dropout { rate: 0.3, key: 5 };
        let (mut whole, mut part) = (vec![1.0; 20_000], vec![1.0; 15_000]);
        dropout.apply(&mut whole);
        dropout.apply_from(5_000, &mut part);
        assert!(whole[5_000..] == part);
    }

    #[test]
    fn neighbours_and_keys_are_independent() {
        let kept = |key: u64| -> Vec<bool> {
            let mut x = vec![1.0; 40_000];
            Dropout { rate: 0.5, key }.apply(&mut x);
            x.iter().map(|x| *x > 0.0).collect()
        };
        let (one, other) = (kept(1), kept(2));
        let agree = |pairs: &mut dyn Iterator<Item = bool>| pairs.filter(|same| *same).count() as f32 / 40_000.0;
        assert!((agree(&mut one.iter().zip(&other).map(|(x, y)| x == y)) - 0.5).abs() < 0.02);
        assert!((agree(&mut one.windows(2).map(|pair| pair[0] == pair[1])) - 0.5).abs() < 0.02);
        assert_eq!(one, kept(1));
    }
}
