//! Overlaps: word n-grams that a text shares with the examples of benchmarks.
//!
//! Words are what stands between white space, in lower case and without punctuation; numbers stay as they are, and words that no space
//! divides are those of [`super::unspaced`]. An example of thirteen words or more gives all its 13-grams;
//! one of eight to twelve gives one n-gram, itself; a shorter one says too little, and gives none.
//!
//! Source: Brown et al. 2020 (GPT-3), appendix C, with the fixed lengths of `EleutherAI`'s code, which others took over.
//! Cost: one hash a word, and one look at a bit: whether some n-gram begins with the words that come next, as many as the shortest has.

#![expect(clippy::cast_possible_truncation, reason = "a document has less than 4 GiB of text")]

use std::collections::HashMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use unicode_normalization::{UnicodeNormalization as _, char::is_combining_mark};
use xxhash_rust::xxh3::xxh3_64;

use super::{
    normal::ascii_letters,
    rolling::{STEP, mixed, power},
    unspaced::{self, is_ideograph, is_space, is_unspaced},
};

/// Beginnings that are looked up at a time: as many as a number has bits.
const LOOKS: usize = 64;

/// How long the n-grams are that are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct NgramLengths {
    /// Words in an n-gram of a long example.
    pub max: usize,
    /// Fewest words of an example that is looked for as a whole.
    pub min: usize,
}

impl Default for NgramLengths {
    /// GPT-3's, which took the 5th percentile of the examples' lengths, but not less than 8 and not more than 13.
    fn default() -> Self {
        Self { max: 13, min: 8 }
    }
}

/// A word of a text: a hash of it, and the bytes from its first letter to its last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Word {
    /// Equal for equal words.
    pub hash: u64,
    /// Its first byte.
    pub start: u32,
    /// The byte behind its last.
    pub end: u32,
}

/// The words of a text. Reused from text to text.
#[derive(Debug, Default, Clone)]
pub struct PlainWords {
    words: Vec<Word>,
    letters: Vec<u8>,
    /// Whether a mark stands among the letters.
    has_mark: bool,
    /// For each word and one more, the polynomial in the hashes of all words before it.
    before: Vec<u64>,
}

impl PlainWords {
    /// Takes the words of `text`, dropping what was here before.
    pub fn take(&mut self, text: &str) {
        self.words.clear();
        self.letters.clear();
        let bytes = text.as_bytes();
        let (mut at, mut start, mut end) = (0, 0, 0);
        while at < bytes.len() {
            let (letters, count) = ascii_letters(&bytes[at..]);
            if count > 0 {
                start = if self.letters.is_empty() { at } else { start };
                // eight bytes in one step, of which the first are wanted
                self.letters.extend_from_slice(&letters);
                self.letters.truncate(self.letters.len() - letters.len() + count);
                at += count;
                end = at;
                continue;
            }
            let byte = bytes[at];
            if byte.is_ascii() {
                if byte.is_ascii_digit() {
                    start = if self.letters.is_empty() { at } else { start };
                    self.letters.push(byte);
                    end = at + 1;
                } else if matches!(byte, b'\t'..=b'\r' | b' ') {
                    self.close(start, end);
                }
                at += 1;
                continue;
            }
            let character = text[at..].chars().next().expect("the text goes on");
            let next = at + character.len_utf8();
            if is_ideograph(character) {
                self.close(start, end);
                self.letters.extend_from_slice(&bytes[at..next]);
                self.close(at, next);
            } else if is_unspaced(character) {
                self.close(start, end);
                let stretch = &text[at..at + unspaced::stretch_length(&text[at..])];
                self.divided(stretch, at);
                at += stretch.len();
                continue;
            } else if self.is_part_of_word(character) {
                start = if self.letters.is_empty() { at } else { start };
                for lower in character.to_lowercase() {
                    self.letters.extend_from_slice(lower.encode_utf8(&mut [0; 4]).as_bytes());
                }
                end = next;
            } else if is_space(character) {
                self.close(start, end);
            }
            at = next;
        }
        self.close(start, end);
        self.before.clear();
        self.before.push(0);
        let mut sum = 0u64;
        self.before.extend(self.words.iter().map(|word| {
            sum = sum.wrapping_mul(STEP).wrapping_add(word.hash);
            sum
        }));
    }

    /// Takes the words of a stretch that no space divides, which begins at byte `from`.
    fn divided(&mut self, stretch: &str, from: usize) {
        let mut start = 0;
        for end in unspaced::ends(stretch) {
            let (mut first, mut last) = (None, start);
            for (at, character) in stretch[start..end].char_indices() {
                if !self.is_part_of_word(character) {
                    continue;
                }
                first.get_or_insert(start + at);
                last = start + at + character.len_utf8();
                self.letters.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            }
            self.close(from + first.unwrap_or(start), from + last);
            start = end;
        }
    }

    /// The words, in their order.
    #[must_use]
    pub fn words(&self) -> &[Word] {
        &self.words
    }

    /// Whether a character is a letter, a digit, or a mark on one.
    fn is_part_of_word(&mut self, character: char) -> bool {
        if character.is_alphanumeric() {
            return true;
        }
        let is_mark = !self.letters.is_empty() && is_combining_mark(character);
        self.has_mark |= is_mark;
        is_mark
    }

    /// Brings letters and marks into the one way to write them.
    #[cold]
    fn compose(&mut self) {
        let composed: String = String::from_utf8_lossy(&self.letters).nfc().collect();
        self.letters = composed.into_bytes();
        self.has_mark = false;
    }

    fn close(&mut self, start: usize, end: usize) {
        if !self.letters.is_empty() {
            if self.has_mark {
                self.compose();
            }
            self.words.push(Word { hash: xxh3_64(&self.letters), start: start as u32, end: end as u32 });
            self.letters.clear();
        }
    }

    /// The hash of the n-gram of `length` words that begins with word `first`; `power` is that of `STEP` to its length.
    fn ngram(&self, first: usize, length: usize, power: u64) -> u64 {
        let ngram = self.before[first + length].wrapping_sub(self.before[first].wrapping_mul(power));
        mixed(ngram ^ length as u64)
    }
}

/// N-grams of the examples of benchmarks.
#[derive(Debug, Clone)]
pub struct NgramIndex {
    lengths: NgramLengths,
    /// The power of `STEP` to the shortest length.
    power: u64,
    /// Whether an n-gram may begin with words of the shortest length, by some bits of their hash.
    bits: Vec<u64>,
    /// How many beginnings have come.
    beginnings: usize,
    /// The n-grams of each length that occurs.
    ngrams: Vec<Ngrams>,
}

/// N-grams of one length.
#[derive(Debug, Clone)]
struct Ngrams {
    length: usize,
    power: u64,
    /// For each n-gram, the number that was given with it when it first came, and the hash of its beginning.
    numbers: HashMap<u64, (u32, u64)>,
}

/// A word n-gram of a text that is one of an example.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Overlap {
    /// The n-gram's hash: equal for equal n-grams.
    pub ngram: u64,
    /// The number that was given with it.
    pub number: u32,
    /// Its first word.
    pub first: usize,
    /// The word behind its last.
    pub last: usize,
}

impl NgramIndex {
    /// An index of no example.
    #[must_use]
    pub fn new(lengths: NgramLengths) -> Self {
        let lengths = NgramLengths { min: lengths.min.max(1), ..lengths };
        Self { lengths, power: power(lengths.min), bits: vec![0; 1], beginnings: 0, ngrams: Vec::new() }
    }

    /// Puts an example in. An n-gram that was put in before keeps its number.
    ///
    /// - returns: whether the example has words enough for an n-gram
    pub fn put(&mut self, example: &PlainWords, number: u32) -> bool {
        let words = example.words.len();
        let length = words.min(self.lengths.max);
        if length < self.lengths.min {
            return false;
        }
        let place = match self.ngrams.binary_search_by_key(&length, |ngrams| ngrams.length) {
            Ok(place) => place,
            Err(place) => {
                self.ngrams.insert(place, Ngrams { length, power: power(length), numbers: HashMap::new() });
                place
            }
        };
        for first in 0..=words - length {
            let beginning = example.ngram(first, self.lengths.min, self.power);
            let ngram = example.ngram(first, length, self.ngrams[place].power);
            self.ngrams[place].numbers.entry(ngram).or_insert((number, beginning));
            self.set(beginning);
        }
        true
    }

    fn set(&mut self, beginning: u64) {
        let (word, bit) = self.place(beginning);
        self.beginnings += usize::from(self.bits[word] & bit == 0);
        self.bits[word] |= bit;
        if self.beginnings * 16 > self.bits.len() * 64 {
            // a bit in sixteen is set, then: few beginnings that are none are looked at further
            self.bits = vec![0; self.bits.len() * 2];
            self.beginnings = 0;
            let all: Vec<u64> = self
                .ngrams
                .iter()
                .flat_map(|ngrams| ngrams.numbers.values().map(|(_, beginning)| *beginning))
                .collect();
            for beginning in all {
                let (word, bit) = self.place(beginning);
                self.beginnings += usize::from(self.bits[word] & bit == 0);
                self.bits[word] |= bit;
            }
        }
    }

    fn place(&self, beginning: u64) -> (usize, u64) {
        // there are as many words as a power of two
        ((beginning >> 6) as usize & (self.bits.len() - 1), 1 << (beginning & 63))
    }

    /// Gives `take` the n-grams that [`NgramIndex::put`] puts in for an example, by their hashes.
    pub fn ngrams_of(&self, example: &PlainWords, take: impl FnMut(u64)) {
        let words = example.words.len();
        let length = words.min(self.lengths.max);
        if length >= self.lengths.min {
            let power = power(length);
            (0..=words - length).map(|first| example.ngram(first, length, power)).for_each(take);
        }
    }

    /// How many n-grams it holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ngrams.iter().map(|ngrams| ngrams.numbers.len()).sum()
    }

    /// Whether it holds none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ngrams.is_empty()
    }

    /// Gives `take` the n-grams of a text that are among those of the examples, in the order of the text; of those that begin with one
    /// word, the shortest first.
    pub fn find(&self, text: &PlainWords, mut take: impl FnMut(Overlap)) {
        let count = (text.words.len() + 1).saturating_sub(self.lengths.min);
        for begin in (0..count).step_by(LOOKS) {
            // all looks before any branch: they wait for memory together
            let mut may = 0u64;
            for place in 0..LOOKS.min(count - begin) {
                let (word, bit) = self.place(text.ngram(begin + place, self.lengths.min, self.power));
                may |= u64::from(self.bits[word] & bit != 0) << place;
            }
            while may != 0 {
                let first = begin + may.trailing_zeros() as usize;
                may &= may - 1;
                for ngrams in self.ngrams.iter().take_while(|ngrams| first + ngrams.length <= text.words.len()) {
                    let ngram = text.ngram(first, ngrams.length, ngrams.power);
                    if let Some((number, _)) = ngrams.numbers.get(&ngram) {
                        take(Overlap { ngram, number: *number, first, last: first + ngrams.length });
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    fn plain(text: &str) -> PlainWords {
        let mut words = PlainWords::default();
        words.take(text);
        words
    }

    #[test]
    fn words_are_without_punctuation_and_case() {
        let hashes = |text: &str| plain(text).words().iter().map(|word| word.hash).collect::<Vec<_>>();
        assert_eq!(hashes("\"Don't,\" she said -- 16 TIMES!"), hashes("dont she said 16 times"));
        assert_ne!(hashes("16 times"), hashes("17 times"));
        assert_eq!(hashes("Été 数学").len(), 3);
        assert_eq!(hashes("E\u{301}te\u{301}"), hashes("été"));
        assert_ne!(hashes("क्त"), hashes("कत"), "a mark may make another letter of two");
        let text = "  (one)  two-three. ";
        let found: Vec<&str> =
            plain(text).words().iter().map(|word| &text[word.start as usize..word.end as usize]).collect();
        assert_eq!(found, ["one", "two-three"]);
    }

    #[test]
    fn short_examples_are_looked_for_as_a_whole() {
        let mut index = NgramIndex::new(NgramLengths::default());
        assert!(!index.put(&plain("only seven words are not enough here"), 0));
        assert!(index.put(&plain("nine words are enough to be looked for here"), 1));
        let mut found = Vec::new();
        index.find(&plain("Well: nine words are enough to be looked for here, too."), |overlap| found.push(overlap));
        assert_eq!(
            found.iter().map(|overlap| (overlap.number, overlap.first, overlap.last)).collect::<Vec<_>>(),
            [(1, 1, 10)]
        );
        found.clear();
        index.find(&plain("nine words are enough to be looked for there"), |overlap| found.push(overlap));
        assert!(found.is_empty());
    }

    proptest! {
        /// What is found are the n-grams that stand in both, and no others.
        #[test]
        fn ngrams_of_both_are_found(
            examples in vec(vec("[ab]", 0..12), 0..4),
            text in vec("[ab]", 0..30),
            max in 3usize..6,
        ) {
            let lengths = NgramLengths { max, min: 2 };
            let mut index = NgramIndex::new(lengths);
            let mut expected = Vec::new();
            for (example, number) in examples.iter().zip(0..) {
                index.put(&plain(&example.join(" ")), number);
                let length = example.len().min(max);
                if length >= 2 {
                    for ngram in example.windows(length) {
                        let found = text.windows(length).enumerate().filter(|(_, other)| *other == ngram);
                        expected.extend(found.map(|(first, _)| (first, first + length)));
                    }
                }
            }
            expected.sort_unstable();
            expected.dedup();
            let mut found = Vec::new();
            index.find(&plain(&text.join(" ")), |overlap| found.push((overlap.first, overlap.last)));
            found.sort_unstable();
            prop_assert_eq!(found, expected);
        }
    }
}
