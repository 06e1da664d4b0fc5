//! N-grams of a sequence, of all orders at once.
//!
//! The first symbols of each suffix are packed into one number; the numbers are sorted once. N-grams of any order are then what the
//! numbers begin with, and equal ones stand side by side:
//!
//! ```text
//! a b a c  ->  abac bac ac c  ->  abac ac bac c    order 2: ab ac ba      order 1: a (2) b c
//! ```
//!
//! Cost: one sort of 16 bytes a symbol, and a walk for each order.

use std::collections::HashMap;

/// N-grams of the words of texts, whose orders go up to 4.
pub(super) type WordNgrams = Ngrams<32>;
/// N-grams of the characters of texts, whose orders go up to 6.
pub(super) type CharacterNgrams = Ngrams<21>;

/// The n-grams of a sequence of symbols that are below 2^`BITS` - 1.
#[derive(Debug, Clone)]
pub(super) struct Ngrams<const BITS: u32> {
    /// The first symbols of every suffix, each one more than it is, the first of them in the highest bits; what a suffix is too short for is 0.
    suffixes: Vec<u128>,
}

impl<const BITS: u32> Ngrams<BITS> {
    /// The highest order.
    pub(super) const ORDER: u32 = u128::BITS / BITS;

    pub(super) fn of(symbols: impl DoubleEndedIterator<Item = u32>) -> Self {
        let mut next = 0;
        let pack = |symbol| {
            next = ((u128::from(symbol) + 1) << (BITS * (Self::ORDER - 1))) | (next >> BITS);
            next
        };
        let mut suffixes: Vec<u128> = symbols.rev().map(pack).collect();
        suffixes.sort_unstable();
        Self { suffixes }
    }

    /// How many n-grams there are of an order.
    pub(super) fn count(&self, order: u32) -> u64 {
        (self.suffixes.len() as u64).saturating_sub(u64::from(order) - 1)
    }

    /// The different n-grams of an order, in an order of their own, with how often each is there.
    fn distinct(&self, order: u32) -> impl Iterator<Item = (u128, u64)> {
        let shift = BITS * (Self::ORDER - order);
        let last = (1u128 << BITS) - 1;
        let mut place = 0;
        std::iter::from_fn(move || {
            let ngram = loop {
                let ngram = self.suffixes.get(place)? >> shift;
                if ngram & last != 0 {
                    break ngram;
                }
                place += 1; // a suffix that is too short
            };
            let equal = self.suffixes[place..].iter().take_while(|suffix| **suffix >> shift == ngram).count();
            place += equal;
            Some((ngram, equal as u64))
        })
    }

    /// How many n-grams of an order are in another sequence as well, each as often as it is in both.
    pub(super) fn shared(&self, other: &Self, order: u32) -> u64 {
        self.shared_with_any(std::slice::from_ref(other), order)
    }

    /// How many n-grams of an order are in other sequences as well, each as often as it is in this one and in that of the others that has
    /// most of it.
    pub(super) fn shared_with_any(&self, others: &[Self], order: u32) -> u64 {
        let mut others: Vec<_> = others.iter().map(|other| other.distinct(order).peekable()).collect();
        let mut shared = 0;
        for (ngram, count) in self.distinct(order) {
            let most = others.iter_mut().map(|other| {
                while other.next_if(|(theirs, _)| *theirs < ngram).is_some() {}
                other.next_if(|(theirs, _)| *theirs == ngram).map_or(0, |(_, count)| count)
            });
            shared += count.min(most.max().unwrap_or(0));
        }
        shared
    }
}

/// Numbers for words, the same for the same word.
#[derive(Debug, Default)]
pub(super) struct WordIds<'t>(HashMap<&'t str, u32>);

impl<'t> WordIds<'t> {
    pub(super) fn id(&mut self, word: &'t str) -> u32 {
        let next = u32::try_from(self.0.len()).expect("texts have fewer different words");
        *self.0.entry(word).or_insert(next)
    }

    pub(super) fn ids(&mut self, words: impl Iterator<Item = &'t str>) -> Vec<u32> {
        words.map(|word| self.id(word)).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    fn counted(symbols: &[u32], order: usize) -> HashMap<&[u32], u64> {
        let mut counts = HashMap::new();
        symbols.windows(order).for_each(|ngram| *counts.entry(ngram).or_insert(0) += 1);
        counts
    }

    proptest! {
        /// What is found is what counting each n-gram by itself finds.
        #[test]
        fn shared_ngrams_are_those_of_the_definition(
            one in vec(0u32..4, 0..12), others in vec(vec(0u32..4, 0..12), 1..4), order in 1u32..=4,
        ) {
            let of = |symbols: &[u32]| WordNgrams::of(symbols.iter().copied());
            let size = order as usize;
            let counts = counted(&one, size);
            let most = |ngram: &[u32]| others.iter().map(|other| counted(other, size).get(ngram).copied().unwrap_or(0)).max();
            let expected: u64 = counts.iter().map(|(ngram, count)| (*count).min(most(ngram).unwrap_or(0))).sum();
            let packed: Vec<WordNgrams> = others.iter().map(|other| of(other)).collect();
            prop_assert_eq!(of(&one).shared_with_any(&packed, order), expected);
            prop_assert_eq!(of(&one).count(order), counts.values().sum::<u64>());
            prop_assert_eq!(of(&one).shared(&packed[0], order), packed[0].shared(&of(&one), order));
        }
    }

    #[test]
    fn the_largest_symbols_fit() {
        let ngrams = CharacterNgrams::of([char::MAX as u32, 0, char::MAX as u32, 0].into_iter());
        assert_eq!(ngrams.distinct(1).map(|(_, count)| count).collect::<Vec<_>>(), [2, 2]);
        assert_eq!(ngrams.distinct(4).count(), 1);
        assert_eq!((CharacterNgrams::ORDER, WordNgrams::ORDER), (6, 4));
    }
}
