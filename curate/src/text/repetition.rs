//! How much of a text repeats itself, by n-grams of its tokens.
//!
//! An n-gram can only repeat where the (n - 1)-grams at its place and at the next one do. So each length
//! looks at the places that the one before has left, and those are few: after pairs, hardly any in ordinary prose.
//!
//! ```text
//! tokens -> hashes -> all pairs -> places of repeated pairs -> triples there -> ... -> 10-grams
//! ```
//!
//! Source: Rae et al. 2021 (Gopher), table A1; the way of counting is datatrove's, see [`NgramFacts`].
//! Cost: about two lookups a token for all nine lengths together, in a table that is kept from text to text.

#![expect(clippy::cast_possible_truncation, reason = "a document has less than 2^32 tokens")]

use xxhash_rust::xxh3::xxh3_64;

use super::{counts::Counts, tokens::Tokens};

/// Lengths of n-grams of which the most frequent one counts.
pub const TOP_NGRAMS: [usize; 3] = [2, 3, 4];

/// Lengths of n-grams of which all repeated ones count.
pub const REPEATED_NGRAMS: [usize; 6] = [5, 6, 7, 8, 9, 10];

/// Characters in repeated n-grams.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct NgramFacts {
    /// For 2-, 3- and 4-grams: the length of the most frequent one, with a space between tokens, times how often it
    /// occurs. Of equally frequent ones the first counts; one that occurs once counts too. 0 for a shorter text.
    pub top: [u64; TOP_NGRAMS.len()],
    /// For 5- to 10-grams: characters, without spaces, in those that stood further up already. N-grams are looked at
    /// from left to right, and behind a repeated one the next look is past its end.
    pub repeated: [u64; REPEATED_NGRAMS.len()],
}

/// Counts repeated n-grams. Keeps its buffers from text to text.
#[derive(Debug, Default)]
pub struct NgramCounter {
    hashes: Vec<u64>,
    /// Characters before each token.
    characters: Vec<u64>,
    counts: Counts,
    /// Where n-grams of the length in hand may repeat, and the slots that they fell into.
    places: Vec<u32>,
    slots: Vec<u32>,
}

/// An odd number without a pattern, to roll hashes by.
const BASE: u64 = 0x9e37_79b9_7f4a_7c15;

impl NgramCounter {
    /// Counts the facts of a text and its tokens.
    pub fn count(&mut self, text: &str, tokens: &Tokens) -> NgramFacts {
        self.hash(text, tokens);
        let mut facts = NgramFacts::default();
        let longest = REPEATED_NGRAMS[REPEATED_NGRAMS.len() - 1];
        self.places.clear();
        self.places.extend(0..(tokens.len().saturating_sub(1)) as u32);
        for length in TOP_NGRAMS[0]..=longest {
            if tokens.len() < length {
                break;
            }
            let top = self.fill(length);
            if let Some(of_top) = TOP_NGRAMS.iter().position(|known| *known == length) {
                facts.top[of_top] = top;
            }
            if let Some(of_repeated) = REPEATED_NGRAMS.iter().position(|known| *known == length) {
                facts.repeated[of_repeated] = self.repeated(length);
            }
            self.keep_repeated(tokens.len(), length);
        }
        facts
    }

    /// Rolling sums, from which the hash of any n-gram is one multiplication away.
    fn hash(&mut self, text: &str, tokens: &Tokens) {
        self.hashes.clear();
        self.characters.clear();
        let (mut hash, mut characters) = (0u64, 0u64);
        self.hashes.push(hash);
        self.characters.push(characters);
        for token in tokens.all() {
            let word = &text.as_bytes()[token.start as usize..token.end as usize];
            hash = hash.wrapping_mul(BASE).wrapping_add(xxh3_64(word));
            characters += u64::from(token.characters);
            self.hashes.push(hash);
            self.characters.push(characters);
        }
    }

    /// Counts the n-grams of `length` at all places, and returns the characters of the most frequent one.
    fn fill(&mut self, length: usize) -> u64 {
        let power = BASE.wrapping_pow(length as u32);
        self.counts.reset(self.places.len());
        self.slots.clear();
        let (mut most, mut first) = (1, 0);
        for &place in &self.places {
            let start = place as usize;
            let key = self.hashes[start + length].wrapping_sub(self.hashes[start].wrapping_mul(power));
            let (slot, entry) = self.counts.add(key, place);
            if entry.times > most || (entry.times == most && most > 1 && entry.first < first) {
                (most, first) = (entry.times, entry.first);
            }
            self.slots.push(slot);
        }
        let start = first as usize;
        let characters = self.characters[start + length] - self.characters[start] + length as u64 - 1;
        characters * u64::from(most)
    }

    /// Characters of n-grams that stood further up, without counting any twice.
    fn repeated(&mut self, length: usize) -> u64 {
        let (mut characters, mut next) = (0, 0);
        for (&place, &slot) in self.places.iter().zip(&self.slots) {
            if place < next {
                continue;
            }
            let entry = self.counts.at(slot);
            if entry.seen {
                characters += self.characters[place as usize + length] - self.characters[place as usize];
                next = place + length as u32;
            } else {
                entry.seen = true;
            }
        }
        characters
    }

    /// Leaves the places at which an n-gram of one token more may repeat.
    fn keep_repeated(&mut self, tokens: usize, length: usize) {
        let mut kept = 0;
        for index in 0..self.places.len() {
            if self.counts.at(self.slots[index]).times > 1 {
                self.places[kept] = self.places[index];
                kept += 1;
            }
        }
        self.places.truncate(kept);
        let last = tokens - length; // the last place of an n-gram of this length
        let mut kept_next = 0;
        for index in 0..kept {
            let place = self.places[index];
            let follows = index + 1 < kept && self.places[index + 1] == place + 1;
            if follows && (place as usize) < last {
                self.places[kept_next] = place;
                kept_next += 1;
            }
        }
        self.places.truncate(kept_next);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, HashSet};

    use proptest::prelude::*;

    use super::*;

    /// The same facts by sets of strings, as the definitions read.
    fn by_definition(words: &[&str]) -> NgramFacts {
        let mut facts = NgramFacts::default();
        for (top, length) in facts.top.iter_mut().zip(TOP_NGRAMS) {
            let mut counts: HashMap<String, (usize, usize)> = HashMap::new();
            for (place, ngram) in words.windows(length).enumerate() {
                counts.entry(ngram.join(" ")).or_insert((0, place)).0 += 1;
            }
            let most = counts.iter().max_by_key(|(_, (count, place))| (*count, usize::MAX - place));
            *top = most.map_or(0, |(ngram, (count, _))| ngram.chars().count() * count) as u64;
        }
        for (repeated, length) in facts.repeated.iter_mut().zip(REPEATED_NGRAMS) {
            let mut seen = HashSet::new();
            let mut place = 0;
            while place + length <= words.len() {
                let ngram = &words[place..place + length];
                if seen.insert(ngram) {
                    place += 1;
                } else {
                    *repeated += ngram.concat().chars().count() as u64;
                    place += length;
                }
            }
        }
        facts
    }

    fn count(words: &[&str]) -> NgramFacts {
        let text = words.join(" ");
        let mut tokens = Tokens::default();
        tokens.take(&text);
        assert_eq!(tokens.len(), words.len(), "the words are tokens");
        let mut ngrams = NgramCounter::default();
        // buffers that are full of something else change nothing
        let _ = ngrams.count(&text, &tokens);
        ngrams.count(&text, &tokens)
    }

    proptest! {
        /// Looking at fewer places finds the same.
        #[test]
        fn ngrams_are_counted_as_defined(words in proptest::collection::vec("[abé]{1,2}", 0..120)) {
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            prop_assert_eq!(count(&words), by_definition(&words));
        }

        /// So it does where whole sentences come again.
        #[test]
        fn sentences_are_counted_as_defined(
            words in proptest::collection::vec("[a-e]{1,3}", 8..30),
            places in proptest::collection::vec((0usize..20, 1usize..20), 1..6),
        ) {
            let mut text: Vec<&str> = words.iter().map(String::as_str).collect();
            for (start, length) in places {
                let start = start.min(words.len());
                let end = (start + length).min(words.len());
                text.extend(words[start..end].iter().map(String::as_str));
            }
            prop_assert_eq!(count(&text), by_definition(&text));
        }
    }
}
