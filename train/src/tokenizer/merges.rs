//! Pairs of tokens and what they become: the heart of byte-pair encoding.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap},
    hash::{BuildHasherDefault, Hasher},
};

/// Tokens from which on a heap finds the next pair; below, looking at all is faster.
const MANY: usize = 96;

/// No pair.
const NONE: u32 = u32::MAX;

/// The pairs that are merged: how early, and into what.
#[derive(Debug, Clone, Default)]
pub(super) struct Merges(HashMap<u64, (u32, u32), BuildHasherDefault<PairHasher>>);

/// Spreads the two ids of a pair over 64 bits.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct PairHasher(u64);

impl Hasher for PairHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64(u64::from(*byte)));
    }

    fn write_u64(&mut self, number: u64) {
        let mixed = (self.0 ^ number).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        self.0 = mixed ^ (mixed >> 32);
    }
}

fn key(left: u32, right: u32) -> u64 {
    (u64::from(left) << 32) | u64::from(right)
}

impl Merges {
    /// Adds a pair that is merged after all before it. False if it is there already.
    pub(super) fn push(&mut self, left: u32, right: u32, merged: u32) -> bool {
        let rank = u32::try_from(self.0.len()).expect("merges can be numbered");
        self.0.insert(key(left, right), (rank, merged)).is_none()
    }

    fn rank(&self, left: u32, right: u32) -> u32 {
        self.0.get(&key(left, right)).map_or(NONE, |(rank, _)| *rank)
    }

    /// Merges pairs, the earliest first and the leftmost among equals, until none is left.
    pub(super) fn apply(&self, ids: &mut Vec<u32>) {
        if ids.len() < MANY { self.by_looking(ids) } else { self.by_heap(ids) }
    }

    fn by_looking(&self, ids: &mut Vec<u32>) {
        let mut space = [NONE; MANY];
        let mut ranks = &mut space[..ids.len().saturating_sub(1)];
        for (rank, pair) in ranks.iter_mut().zip(ids.windows(2)) {
            *rank = self.rank(pair[0], pair[1]);
        }
        loop {
            let mut least = (NONE, 0);
            for (place, rank) in ranks.iter().enumerate() {
                if *rank < least.0 {
                    least = (*rank, place);
                }
            }
            let (rank, place) = least;
            if rank == NONE {
                return;
            }
            ids[place] = self.0[&key(ids[place], ids[place + 1])].1;
            ids.remove(place + 1);
            ranks.copy_within(place + 1.., place);
            let pairs = ranks.len() - 1;
            ranks = &mut ranks[..pairs];
            if place > 0 {
                ranks[place - 1] = self.rank(ids[place - 1], ids[place]);
            }
            if place < pairs {
                ranks[place] = self.rank(ids[place], ids[place + 1]);
            }
        }
    }

    /// The same in time n log(n): a chain of tokens, and a heap of pairs, some of which are gone when their turn comes.
    fn by_heap(&self, ids: &mut Vec<u32>) {
        let count = ids.len();
        let mut after: Vec<usize> = (1..=count).collect();
        let mut before: Vec<usize> = (0..count).map(|place| place.wrapping_sub(1)).collect();
        let mut heap = BinaryHeap::with_capacity(count);
        let offer = |heap: &mut BinaryHeap<_>, ids: &[u32], place: usize, next: usize| {
            if let Some((rank, _)) = self.0.get(&key(ids[place], ids[next])) {
                heap.push(Reverse((*rank, place, ids[place], ids[next])));
            }
        };
        for place in 0..count - 1 {
            offer(&mut heap, ids, place, place + 1);
        }
        while let Some(Reverse((_, place, left, right))) = heap.pop() {
            let next = after[place];
            // a token that was merged away is marked; a pair whose tokens changed is not the one that was offered
            if ids[place] != left || next >= count || ids[next] != right {
                continue;
            }
            ids[place] = self.0[&key(left, right)].1;
            ids[next] = NONE;
            let beyond = after[next];
            after[place] = beyond;
            if beyond < count {
                before[beyond] = place;
                offer(&mut heap, ids, place, beyond);
            }
            if before[place] < count {
                offer(&mut heap, ids, before[place], place);
            }
        }
        ids.retain(|id| *id != NONE);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Merges as they are defined: look at all pairs, take the best, begin again.
    fn by_definition(merges: &Merges, ids: &mut Vec<u32>) {
        while let Some((rank, place)) = (1..ids.len())
            .map(|place| (merges.rank(ids[place - 1], ids[place]), place))
            .min()
            .filter(|(rank, _)| *rank != NONE)
        {
            assert!(rank < NONE);
            ids[place - 1] = merges.0[&key(ids[place - 1], ids[place])].1;
            ids.remove(place);
        }
    }

    proptest! {
        /// Both ways merge as the definition does, runs of one token among them.
        #[test]
        fn both_ways_are_the_definition(
            pairs in proptest::collection::vec((0u32..12, 0u32..12), 0..20),
            ids in proptest::collection::vec(0u32..4, 1..MANY),
        ) {
            let mut merges = Merges::default();
            for (number, (left, right)) in pairs.into_iter().enumerate() {
                // what is merged is known before
                let merged = 4 + u32::try_from(number).expect("few");
                if left < merged && right < merged && merges.rank(left, right) == NONE {
                    merges.push(left, right, merged);
                }
            }
            let [mut expected, mut looked, mut heaped] = [ids.clone(), ids.clone(), ids];
            by_definition(&merges, &mut expected);
            merges.by_looking(&mut looked);
            merges.by_heap(&mut heaped);
            prop_assert_eq!(&looked, &expected);
            prop_assert_eq!(heaped, expected);
        }
    }
}
