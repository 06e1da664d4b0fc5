//! Best-fit-decreasing bin packing, in time n log(capacity).
//!
//! The longest pieces come first; each goes into the fullest bin that still has room for it, or opens one.
//!
//! Source: Johnson 1974 (at most 11/9 of the fewest bins, and a few); Ding et al. 2024, "Fewer Truncations Improve Language Modeling",
//! for training on sequences that are packed so.

use std::collections::BTreeMap;

/// Packs pieces of `lengths` into bins of `capacity`: for each bin, the numbers of its pieces.
///
/// - `lengths`: each `1..=capacity`
/// - returns: every number once; the same for the same lengths
pub(super) fn best_fit(lengths: &[u32], capacity: u32) -> Vec<Vec<u32>> {
    let mut order: Vec<u32> = (0..u32::try_from(lengths.len()).expect("pieces can be numbered")).collect();
    // stable: pieces of one length stay in the order of the data
    order.sort_by_key(|number| std::cmp::Reverse(lengths[*number as usize]));
    let mut bins: Vec<Vec<u32>> = Vec::new();
    let mut by_room: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for number in order {
        let length = lengths[number as usize];
        let (room, bin) = match by_room.range_mut(length..).next() {
            Some((&room, fitting)) => {
                let bin = fitting.pop().expect("no room is kept without a bin");
                if fitting.is_empty() {
                    by_room.remove(&room);
                }
                (room, bin)
            }
            None => {
                bins.push(Vec::new());
                (capacity, bins.len() - 1)
            }
        };
        bins[bin].push(number);
        if room > length {
            by_room.entry(room - length).or_default().push(bin);
        }
    }
    bins
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Nothing is lost, doubled or too long; and no two bins could have been one.
        #[test]
        fn every_piece_has_one_place_with_room(lengths in proptest::collection::vec(1u32..=32, 0..200)) {
            let bins = best_fit(&lengths, 32);
            let mut seen: Vec<u32> = bins.concat();
            seen.sort_unstable();
            prop_assert_eq!(seen, (0..u32::try_from(lengths.len()).expect("few")).collect::<Vec<_>>());
            let mut filled: Vec<u32> =
                bins.iter().map(|bin| bin.iter().map(|number| lengths[*number as usize]).sum()).collect();
            prop_assert!(filled.iter().all(|length| *length <= 32));
            filled.sort_unstable();
            prop_assert!(filled.len() < 2 || filled[0] + filled[1] > 32, "{:?}", filled);
        }
    }

    #[test]
    fn the_fullest_bin_that_fits_is_taken() {
        // 7 and 5 open bins; 3 fills the first, 4 the second, 1 neither
        assert_eq!(best_fit(&[3, 7, 1, 5, 4], 10), [vec![1, 0], vec![3, 4, 2]]);
    }
}
