//! Least values of many multiply-add functions at once, on the widest vectors that the processor has.
//!
//! The one place of this room with `unsafe`: code for AVX2 may only be called where the processor has it, which is asked
//! first. Every path computes the same integers.

/// Functions in a tile: their multipliers, offsets and least values stay in registers while all numbers go past.
pub const LANES: usize = 16;

/// Multipliers, offsets or least values of one tile.
pub type Tile = [u32; LANES];

/// For each function of a tile, the least of `number * multiplier + offset` modulo 2^32 over the upper halves of `numbers`;
/// the largest value that there is where there is no number.
#[must_use]
pub fn least(numbers: &[u64], multipliers: &Tile, offsets: &Tile) -> Tile {
    #[cfg(target_arch = "x86_64")]
    if std::is_x86_feature_detected!("avx2") {
        #[expect(unsafe_code, reason = "AVX2 is there: the line above has asked")]
        // SAFETY: the only requirement of the function is that the processor has AVX2.
        return unsafe { least_avx2(numbers, multipliers, offsets) };
    }
    least_anywhere(numbers, multipliers, offsets)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn least_avx2(numbers: &[u64], multipliers: &Tile, offsets: &Tile) -> Tile {
    least_anywhere(numbers, multipliers, offsets)
}

#[inline(always)]
#[expect(clippy::inline_always, reason = "only inlined is it compiled for the vectors of its caller")]
fn least_anywhere(numbers: &[u64], multipliers: &Tile, offsets: &Tile) -> Tile {
    let mut least = [u32::MAX; LANES];
    for number in numbers {
        let upper = (number >> 32) as u32;
        for lane in 0..LANES {
            let value = upper.wrapping_mul(multipliers[lane]).wrapping_add(offsets[lane]);
            least[lane] = least[lane].min(value);
        }
    }
    least
}

#[cfg(test)]
mod tests {
    use proptest::{array::uniform16, collection::vec, prelude::*};

    use super::*;

    proptest! {
        /// What the vectors compute is what the definition says.
        #[test]
        fn every_path_computes_the_same(
            numbers in vec(any::<u64>(), 0..50),
            multipliers in uniform16(any::<u32>()),
            offsets in uniform16(any::<u32>()),
        ) {
            let value = |number: u64, lane: usize| {
                let product = u128::from(number >> 32) * u128::from(multipliers[lane]) + u128::from(offsets[lane]);
                u32::try_from(product % (1 << 32)).expect("a remainder of 2^32")
            };
            let expected: Vec<u32> = (0..LANES)
                .map(|lane| numbers.iter().map(|number| value(*number, lane)).min().unwrap_or(u32::MAX))
                .collect();
            prop_assert_eq!(&least(&numbers, &multipliers, &offsets)[..], &expected[..]);
            prop_assert_eq!(&least_anywhere(&numbers, &multipliers, &offsets)[..], &expected[..]);
        }
    }
}
