//! Substrings of a text that may stand in other texts, too.
//!
//! Lines, paragraphs and spans of sentences are found where they stand. N-grams of bytes or words may begin anywhere, and most of them
//! stand in one place alone; so they are looked for in two readings. In the first, a text gives anchors: of every n-gram, the least of
//! the hashes of the n-grams of half its length within it. Equal n-grams have equal anchors, and about one position in a quarter of the
//! length is one. In the second, n-grams are looked at only where they hold an anchor that was seen twice.
//!
//! Source: Wenzek et al. 2020 (`CCNet`: lines), Raffel et al. 2020 (C4: spans of three sentences), Lee et al. 2022 (substrings of 50
//! tokens); Schleimer et al. 2003 (anchors: winnowing).
//! Cost: some multiplications for each byte, whatever the length of an n-gram.

#![expect(clippy::cast_possible_truncation, reason = "a document has less than 4 GiB of text")]

use icu_segmenter::{SentenceSegmenter, SentenceSegmenterBorrowed, options::SentenceBreakInvariantOptions};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use super::{
    rolling::{STEP, mixed, power},
    sameness::{Sameness, TextHasher},
    unspaced,
};

/// What a substring is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SubstringUnit {
    /// A line that has a letter or digit, with its line feed.
    Lines,
    /// What stands between blank lines, with the line feeds behind it.
    Paragraphs,
    /// So many sentences in a row; C4's are 3.
    Sentences(usize),
    /// So many bytes in a row, or a few more to the end of a character. Lee et al. took 100.
    Bytes(usize),
    /// So many words in a row, each with its marks: what stands between white space, divided where a script puts none.
    Words(usize),
}

impl SubstringUnit {
    /// Whether substrings may begin anywhere, so that texts are read twice for them.
    #[must_use]
    pub fn is_ngram(self) -> bool {
        matches!(self, Self::Bytes(_) | Self::Words(_))
    }

    /// How many sentences, bytes or words it has; 1 for lines and paragraphs.
    #[must_use]
    pub fn length(self) -> usize {
        match self {
            Self::Lines | Self::Paragraphs => 1,
            Self::Sentences(length) | Self::Bytes(length) | Self::Words(length) => length,
        }
    }
}

/// A substring of a text: a hash of it, and its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Substring {
    /// Equal for equal substrings.
    pub hash: u64,
    /// Its first byte.
    pub start: u32,
    /// The byte behind its last.
    pub end: u32,
}

/// Finds the substrings of texts. Keeps its buffers from text to text.
pub struct SubstringFinder {
    unit: SubstringUnit,
    hasher: TextHasher,
    segmenter: SentenceSegmenterBorrowed<'static>,
    /// For words, and for sentences: hash, start and end of each.
    items: Vec<Substring>,
    /// Hashes of the n-grams of half the length.
    halves: Vec<u64>,
    anchors: Vec<(u64, usize)>,
}

impl SubstringFinder {
    /// Finds substrings of one kind, whose length is 1 or more.
    ///
    /// - `sameness`: by what two lines, paragraphs or sentences are the same; n-grams of bytes and words are compared letter by letter
    #[must_use]
    pub fn new(unit: SubstringUnit, sameness: Sameness) -> Self {
        Self {
            unit,
            hasher: TextHasher::new(sameness),
            segmenter: SentenceSegmenter::new(SentenceBreakInvariantOptions::default()),
            items: Vec::new(),
            halves: Vec::new(),
            anchors: Vec::new(),
        }
    }

    /// The anchors of a text's n-grams; none for substrings that are no n-grams.
    pub fn anchors(&mut self, text: &str, mut take: impl FnMut(u64)) {
        if self.unit.is_ngram() {
            self.find_anchors(text);
            self.anchors.iter().for_each(|(hash, _)| take(*hash));
        }
    }

    /// The substrings of a text, in their order; of n-grams, those alone that hold an anchor that `may_repeat`.
    pub fn find(&mut self, text: &str, may_repeat: impl Fn(u64) -> bool, mut take: impl FnMut(Substring)) {
        match self.unit {
            SubstringUnit::Lines => self.divided(text, |_| true, &mut take),
            SubstringUnit::Paragraphs => self.divided(text, |rest| rest.starts_with('\n'), &mut take),
            SubstringUnit::Sentences(length) => self.sentences(text, length, &mut take),
            SubstringUnit::Bytes(length) => {
                self.find_anchors(text);
                let bytes = text.as_bytes();
                let hash = |place: usize| byte_hash(bytes[place]);
                self.ngrams(bytes.len(), length, hash, may_repeat, |start, hash| {
                    if !text.is_char_boundary(start) {
                        return;
                    }
                    let (mut end, mut hash) = (start + length, hash);
                    while !text.is_char_boundary(end) {
                        hash = mixed(hash ^ byte_hash(bytes[end]));
                        end += 1;
                    }
                    take(Substring { hash, start: start as u32, end: end as u32 });
                });
            }
            SubstringUnit::Words(length) => {
                self.find_anchors(text);
                let items = std::mem::take(&mut self.items);
                self.ngrams(
                    items.len(),
                    length,
                    |place| items[place].hash,
                    may_repeat,
                    |start, hash| {
                        take(Substring { hash, start: items[start].start, end: items[start + length - 1].end });
                    },
                );
                self.items = items;
            }
        }
    }

    /// Parts that end at a line feed behind which `ends` says so; they have a letter or digit.
    fn divided(&mut self, text: &str, ends: impl Fn(&str) -> bool, take: &mut impl FnMut(Substring)) {
        let mut start = 0;
        while start < text.len() {
            let mut end = start;
            loop {
                end = text[end..].find('\n').map_or(text.len(), |at| end + at + 1);
                if end == text.len() || ends(&text[end..]) {
                    break;
                }
            }
            // line feeds behind a part belong to it
            let blank = text[end..].len() - text[end..].trim_start_matches('\n').len();
            end += blank;
            if let Some(hash) = self.hasher.substring_hash(&text[start..end]) {
                take(Substring { hash, start: start as u32, end: end as u32 });
            }
            start = end;
        }
    }

    fn sentences(&mut self, text: &str, length: usize, take: &mut impl FnMut(Substring)) {
        self.items.clear();
        let mut start = 0;
        for end in self.segmenter.segment_str(text).filter(|end| *end > 0) {
            if let Some(hash) = self.hasher.substring_hash(&text[start..end]) {
                self.items.push(Substring { hash, start: start as u32, end: end as u32 });
            }
            start = end;
        }
        for span in self.items.windows(length) {
            let hash = span.iter().fold(0u64, |hash, one| hash.wrapping_mul(STEP).wrapping_add(one.hash));
            take(Substring { hash: mixed(hash), start: span[0].start, end: span[length - 1].end });
        }
    }

    fn find_anchors(&mut self, text: &str) {
        match self.unit {
            SubstringUnit::Bytes(length) => {
                let bytes = text.as_bytes();
                self.winnow(bytes.len(), length, |place| byte_hash(bytes[place]));
            }
            SubstringUnit::Words(length) => {
                self.items.clear();
                let origin = text.as_ptr().addr();
                for chunk in text.split_whitespace() {
                    let origin = chunk.as_ptr().addr() - origin;
                    unspaced::pieces(chunk, |start, end| {
                        let hash = xxh3_64(&chunk.as_bytes()[start..end]);
                        self.items.push(Substring { hash, start: (origin + start) as u32, end: (origin + end) as u32 });
                    });
                }
                let items = std::mem::take(&mut self.items);
                self.winnow(items.len(), length, |place| items[place].hash);
                self.items = items;
            }
            _ => self.anchors.clear(),
        }
    }

    /// Of every n-gram of `length` items the least hash of half an n-gram within it, and where that begins: the last, of equal ones.
    fn winnow(&mut self, count: usize, length: usize, item: impl Fn(usize) -> u64) {
        self.anchors.clear();
        if count < length {
            return;
        }
        let half = length.div_ceil(2);
        self.halves.clear();
        let halves = &mut self.halves;
        roll(0..count - half + 1, half, &item, |_, hash| halves.push(hash));
        let within = length - half + 1;
        let mut best = 0;
        for place in 0..self.halves.len() {
            if self.halves[place] <= self.halves[best] {
                best = place;
            } else if best + within <= place {
                let first = place + 1 - within;
                best = (first..=place).rev().min_by_key(|place| self.halves[*place]).expect("an n-gram has halves");
            }
            if place + 1 >= within && self.anchors.last().is_none_or(|(_, last)| *last != best) {
                self.anchors.push((self.halves[best], best));
            }
        }
    }

    /// The n-grams that hold an anchor that may repeat: where each begins, in items, and its hash.
    fn ngrams(
        &self,
        count: usize,
        length: usize,
        item: impl Fn(usize) -> u64,
        may_repeat: impl Fn(u64) -> bool,
        mut take: impl FnMut(usize, u64),
    ) {
        let half = length.div_ceil(2);
        let mut next = 0;
        let mut held = self.anchors.iter().filter(|(hash, _)| may_repeat(*hash)).map(|(_, place)| *place).peekable();
        while let Some(anchor) = held.next() {
            let first = next.max((anchor + half).saturating_sub(length));
            let mut end = anchor + 1;
            while let Some(anchor) = held.next_if(|anchor| (anchor + half).saturating_sub(length) <= end) {
                end = anchor + 1;
            }
            end = end.min(count - length + 1);
            if first < end {
                roll(first..end, length, &item, &mut take);
                next = end;
            }
        }
    }
}

/// The hashes of the n-grams of `length` items that begin at `places`.
fn roll(places: std::ops::Range<usize>, length: usize, item: impl Fn(usize) -> u64, mut take: impl FnMut(usize, u64)) {
    let leaving = power(length);
    let first = places.start..places.start + length;
    let mut hash = first.fold(0u64, |hash, place| hash.wrapping_mul(STEP).wrapping_add(item(place)));
    for place in places.clone() {
        take(place, mixed(hash));
        if place + 1 < places.end {
            let kept = hash.wrapping_mul(STEP).wrapping_sub(item(place).wrapping_mul(leaving));
            hash = kept.wrapping_add(item(place + length));
        }
    }
}

/// A number for a byte, unlike those of others.
fn byte_hash(byte: u8) -> u64 {
    mixed((u64::from(byte) + 1).wrapping_mul(STEP))
}

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, HashSet};

    use proptest::{collection::vec, prelude::*};

    use super::*;

    fn texts_of(unit: SubstringUnit, text: &str) -> Vec<&str> {
        let mut found = Vec::new();
        SubstringFinder::new(unit, Sameness::Exact).find(
            text,
            |_| true,
            |substring| found.push(&text[substring.start as usize..substring.end as usize]),
        );
        found
    }

    #[test]
    fn substrings_stand_where_they_are_found() {
        let text = "One line.\n\nAnother! It has two.\n--\nA last";
        assert_eq!(texts_of(SubstringUnit::Lines, text), ["One line.\n\n", "Another! It has two.\n", "A last"]);
        assert_eq!(texts_of(SubstringUnit::Paragraphs, text), ["One line.\n\n", "Another! It has two.\n--\nA last"]);
        assert_eq!(
            texts_of(SubstringUnit::Sentences(3), text),
            ["One line.\n\nAnother! It has two.\n", "Another! It has two.\n--\nA last"]
        );
        assert_eq!(texts_of(SubstringUnit::Words(3), "a  b c\nd"), ["a  b c", "b c\nd"]);
        assert_eq!(texts_of(SubstringUnit::Words(2), "ฝนตกหนัก日本。"), ["ฝนตกหนัก", "ตกหนัก日", "日本。"]);
        assert_eq!(texts_of(SubstringUnit::Bytes(3), "abéd"), ["abé", "bé", "éd"]);
        assert!(texts_of(SubstringUnit::Bytes(10), "too short").is_empty());
    }

    /// Rows of a table are no repeats of each other, unless it is asked for.
    #[test]
    fn lines_differ_in_numbers_and_signs() {
        let hashes = |sameness, text| {
            let mut found = HashSet::new();
            let take = |line: Substring| {
                found.insert(line.hash);
            };
            SubstringFinder::new(SubstringUnit::Lines, sameness).find(text, |_| true, take);
            found.len()
        };
        let text = "1 | 2 | 300$\n4 | 5 | 600$\n1  | 2 | 300$ \n1 + 2 + 300$\n";
        assert_eq!((hashes(Sameness::Exact, text), hashes(Sameness::Normalized, text)), (3, 1));
    }

    /// Every n-gram of `length` that stands twice in the texts, by looking at all of them.
    fn repeated_ngrams(texts: &[String], length: usize) -> HashSet<&str> {
        let mut counts: HashMap<&str, usize> = HashMap::new();
        for text in texts {
            for start in (0..text.len()).filter(|start| start + length <= text.len() && text.is_char_boundary(*start)) {
                let end =
                    (start + length..=text.len()).find(|end| text.is_char_boundary(*end)).expect("the end is one");
                *counts.entry(&text[start..end]).or_default() += 1;
            }
        }
        counts.into_iter().filter(|(_, count)| *count > 1).map(|(ngram, _)| ngram).collect()
    }

    proptest! {
        /// No n-gram that stands twice is missed in the second reading, and equal n-grams have equal hashes.
        #[test]
        fn no_repeated_ngram_is_missed(texts in vec("[abé]{0,40}", 1..5), length in 1usize..9) {
            let mut finder = SubstringFinder::new(SubstringUnit::Bytes(length), Sameness::Exact);
            let mut seen: HashMap<u64, usize> = HashMap::new();
            texts.iter().for_each(|text| finder.anchors(text, |hash| *seen.entry(hash).or_default() += 1));
            let mut found: HashMap<&str, Vec<u64>> = HashMap::new();
            for text in &texts {
                let take = |ngram: Substring| found.entry(&text[ngram.start as usize..ngram.end as usize]).or_default().push(ngram.hash);
                finder.find(text, |hash| seen[&hash] > 1, take);
            }
            let repeated: HashSet<&str> = found.iter().filter(|(_, hashes)| hashes.len() > 1).map(|(ngram, _)| *ngram).collect();
            prop_assert_eq!(repeated, repeated_ngrams(&texts, length));
            prop_assert!(found.values().all(|hashes| hashes.iter().all(|hash| *hash == hashes[0])));
            let different: HashSet<u64> = found.values().map(|hashes| hashes[0]).collect();
            prop_assert_eq!(different.len(), found.len());
        }
    }
}
