//! Passages: the parts of a text that may stand in other texts, too.
//!
//! Lines, paragraphs and spans of sentences are found where they stand. Runs of bytes or words may begin anywhere, and most of them
//! stand in one place alone; so they are looked for in two readings. In the first, a text gives anchors: of every run, the least of
//! the hashes of the runs of half its length within it. Equal runs have equal anchors, and about one position in a quarter of the length is one.
//! In the second, runs are looked at only where they hold an anchor that was seen twice.
//!
//! Source: Wenzek et al. 2020 (`CCNet`: lines), Raffel et al. 2020 (C4: spans of three sentences), Lee et al. 2022 (runs of 50
//! tokens); Schleimer et al. 2003 (anchors: winnowing).
//! Cost: some multiplications for each byte, whatever the length of a run.

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

/// What a passage is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Passage {
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

impl Passage {
    /// Whether passages may begin anywhere, so that texts are read twice for them.
    #[must_use]
    pub fn is_run(self) -> bool {
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

/// A passage of a text: a hash of it, and its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// Equal for equal passages.
    pub hash: u64,
    /// Its first byte.
    pub start: u32,
    /// The byte behind its last.
    pub end: u32,
}

/// Finds the passages of texts. Keeps its buffers from text to text.
pub struct Passages {
    passage: Passage,
    hasher: TextHasher,
    segmenter: SentenceSegmenterBorrowed<'static>,
    /// For words, and for sentences: hash, start and end of each.
    units: Vec<Found>,
    /// Hashes of the runs of half the length.
    halves: Vec<u64>,
    anchors: Vec<(u64, usize)>,
}

impl Passages {
    /// Finds passages of one kind, whose length is 1 or more.
    ///
    /// - `sameness`: by what two lines, paragraphs or sentences are the same; runs of bytes and words are compared letter by letter
    #[must_use]
    pub fn new(passage: Passage, sameness: Sameness) -> Self {
        Self {
            passage,
            hasher: TextHasher::new(sameness),
            segmenter: SentenceSegmenter::new(SentenceBreakInvariantOptions::default()),
            units: Vec::new(),
            halves: Vec::new(),
            anchors: Vec::new(),
        }
    }

    /// The anchors of a text's runs; none for passages that are no runs.
    pub fn anchors(&mut self, text: &str, mut take: impl FnMut(u64)) {
        if self.passage.is_run() {
            self.find_anchors(text);
            self.anchors.iter().for_each(|(hash, _)| take(*hash));
        }
    }

    /// The passages of a text, in their order; of runs, those alone that hold an anchor that `may_repeat`.
    pub fn find(&mut self, text: &str, may_repeat: impl Fn(u64) -> bool, mut take: impl FnMut(Found)) {
        match self.passage {
            Passage::Lines => self.divided(text, |_| true, &mut take),
            Passage::Paragraphs => self.divided(text, |rest| rest.starts_with('\n'), &mut take),
            Passage::Sentences(length) => self.sentences(text, length, &mut take),
            Passage::Bytes(length) => {
                self.find_anchors(text);
                let bytes = text.as_bytes();
                let hash = |place: usize| byte_hash(bytes[place]);
                self.runs(bytes.len(), length, hash, may_repeat, |start, hash| {
                    if !text.is_char_boundary(start) {
                        return;
                    }
                    let (mut end, mut hash) = (start + length, hash);
                    while !text.is_char_boundary(end) {
                        hash = mixed(hash ^ byte_hash(bytes[end]));
                        end += 1;
                    }
                    take(Found { hash, start: start as u32, end: end as u32 });
                });
            }
            Passage::Words(length) => {
                self.find_anchors(text);
                let units = std::mem::take(&mut self.units);
                self.runs(
                    units.len(),
                    length,
                    |place| units[place].hash,
                    may_repeat,
                    |start, hash| {
                        take(Found { hash, start: units[start].start, end: units[start + length - 1].end });
                    },
                );
                self.units = units;
            }
        }
    }

    /// Parts that end at a line feed behind which `ends` says so; they have a letter or digit.
    fn divided(&mut self, text: &str, ends: impl Fn(&str) -> bool, take: &mut impl FnMut(Found)) {
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
            if let Some(hash) = self.hasher.passage_hash(&text[start..end]) {
                take(Found { hash, start: start as u32, end: end as u32 });
            }
            start = end;
        }
    }

    fn sentences(&mut self, text: &str, length: usize, take: &mut impl FnMut(Found)) {
        self.units.clear();
        let mut start = 0;
        for end in self.segmenter.segment_str(text).filter(|end| *end > 0) {
            if let Some(hash) = self.hasher.passage_hash(&text[start..end]) {
                self.units.push(Found { hash, start: start as u32, end: end as u32 });
            }
            start = end;
        }
        for span in self.units.windows(length) {
            let hash = span.iter().fold(0u64, |hash, one| hash.wrapping_mul(STEP).wrapping_add(one.hash));
            take(Found { hash: mixed(hash), start: span[0].start, end: span[length - 1].end });
        }
    }

    fn find_anchors(&mut self, text: &str) {
        match self.passage {
            Passage::Bytes(length) => {
                let bytes = text.as_bytes();
                self.winnow(bytes.len(), length, |place| byte_hash(bytes[place]));
            }
            Passage::Words(length) => {
                self.units.clear();
                let origin = text.as_ptr().addr();
                for chunk in text.split_whitespace() {
                    let origin = chunk.as_ptr().addr() - origin;
                    unspaced::pieces(chunk, |start, end| {
                        let hash = xxh3_64(&chunk.as_bytes()[start..end]);
                        self.units.push(Found { hash, start: (origin + start) as u32, end: (origin + end) as u32 });
                    });
                }
                let units = std::mem::take(&mut self.units);
                self.winnow(units.len(), length, |place| units[place].hash);
                self.units = units;
            }
            _ => self.anchors.clear(),
        }
    }

    /// Of every run of `length` units the least hash of half a run within it, and where that begins: the last, of equal ones.
    fn winnow(&mut self, count: usize, length: usize, unit: impl Fn(usize) -> u64) {
        self.anchors.clear();
        if count < length {
            return;
        }
        let half = length.div_ceil(2);
        self.halves.clear();
        let halves = &mut self.halves;
        roll(0..count - half + 1, half, &unit, |_, hash| halves.push(hash));
        let within = length - half + 1;
        let mut best = 0;
        for place in 0..self.halves.len() {
            if self.halves[place] <= self.halves[best] {
                best = place;
            } else if best + within <= place {
                let first = place + 1 - within;
                best = (first..=place).rev().min_by_key(|place| self.halves[*place]).expect("a run has halves");
            }
            if place + 1 >= within && self.anchors.last().is_none_or(|(_, last)| *last != best) {
                self.anchors.push((self.halves[best], best));
            }
        }
    }

    /// The runs that hold an anchor that may repeat: where each begins, in units, and its hash.
    fn runs(
        &self,
        count: usize,
        length: usize,
        unit: impl Fn(usize) -> u64,
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
                roll(first..end, length, &unit, &mut take);
                next = end;
            }
        }
    }
}

/// The hashes of the runs of `length` units that begin at `places`.
fn roll(places: std::ops::Range<usize>, length: usize, unit: impl Fn(usize) -> u64, mut take: impl FnMut(usize, u64)) {
    let leaving = power(length);
    let first = places.start..places.start + length;
    let mut hash = first.fold(0u64, |hash, place| hash.wrapping_mul(STEP).wrapping_add(unit(place)));
    for place in places.clone() {
        take(place, mixed(hash));
        if place + 1 < places.end {
            let kept = hash.wrapping_mul(STEP).wrapping_sub(unit(place).wrapping_mul(leaving));
            hash = kept.wrapping_add(unit(place + length));
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

    fn texts_of(passage: Passage, text: &str) -> Vec<&str> {
        let mut found = Vec::new();
        Passages::new(passage, Sameness::Exact).find(
            text,
            |_| true,
            |passage| found.push(&text[passage.start as usize..passage.end as usize]),
        );
        found
    }

    #[test]
    fn passages_stand_where_they_are_found() {
        let text = "One line.\n\nAnother! It has two.\n--\nA last";
        assert_eq!(texts_of(Passage::Lines, text), ["One line.\n\n", "Another! It has two.\n", "A last"]);
        assert_eq!(texts_of(Passage::Paragraphs, text), ["One line.\n\n", "Another! It has two.\n--\nA last"]);
        assert_eq!(
            texts_of(Passage::Sentences(3), text),
            ["One line.\n\nAnother! It has two.\n", "Another! It has two.\n--\nA last"]
        );
        assert_eq!(texts_of(Passage::Words(3), "a  b c\nd"), ["a  b c", "b c\nd"]);
        assert_eq!(texts_of(Passage::Words(2), "ฝนตกหนัก日本。"), ["ฝนตกหนัก", "ตกหนัก日", "日本。"]);
        assert_eq!(texts_of(Passage::Bytes(3), "abéd"), ["abé", "bé", "éd"]);
        assert!(texts_of(Passage::Bytes(10), "too short").is_empty());
    }

    /// Rows of a table are no repeats of each other, unless it is asked for.
    #[test]
    fn lines_differ_in_numbers_and_signs() {
        let hashes = |sameness, text| {
            let mut found = HashSet::new();
            let take = |line: Found| {
                found.insert(line.hash);
            };
            Passages::new(Passage::Lines, sameness).find(text, |_| true, take);
            found.len()
        };
        let text = "1 | 2 | 300$\n4 | 5 | 600$\n1  | 2 | 300$ \n1 + 2 + 300$\n";
        assert_eq!((hashes(Sameness::Exact, text), hashes(Sameness::Normalized, text)), (3, 1));
    }

    /// Every run of `length` that stands twice in the texts, by looking at all of them.
    fn repeated_runs(texts: &[String], length: usize) -> HashSet<&str> {
        let mut counts: HashMap<&str, usize> = HashMap::new();
        for text in texts {
            for start in (0..text.len()).filter(|start| start + length <= text.len() && text.is_char_boundary(*start)) {
                let end =
                    (start + length..=text.len()).find(|end| text.is_char_boundary(*end)).expect("the end is one");
                *counts.entry(&text[start..end]).or_default() += 1;
            }
        }
        counts.into_iter().filter(|(_, count)| *count > 1).map(|(run, _)| run).collect()
    }

    proptest! {
        /// No run that stands twice is missed in the second reading, and equal runs have equal hashes.
        #[test]
        fn no_repeated_run_is_missed(texts in vec("[abé]{0,40}", 1..5), length in 1usize..9) {
            let mut passages = Passages::new(Passage::Bytes(length), Sameness::Exact);
            let mut seen: HashMap<u64, usize> = HashMap::new();
            texts.iter().for_each(|text| passages.anchors(text, |hash| *seen.entry(hash).or_default() += 1));
            let mut found: HashMap<&str, Vec<u64>> = HashMap::new();
            for text in &texts {
                let take = |run: Found| found.entry(&text[run.start as usize..run.end as usize]).or_default().push(run.hash);
                passages.find(text, |hash| seen[&hash] > 1, take);
            }
            let repeated: HashSet<&str> = found.iter().filter(|(_, hashes)| hashes.len() > 1).map(|(run, _)| *run).collect();
            prop_assert_eq!(repeated, repeated_runs(&texts, length));
            prop_assert!(found.values().all(|hashes| hashes.iter().all(|hash| *hash == hashes[0])));
            let different: HashSet<u64> = found.values().map(|hashes| hashes[0]).collect();
            prop_assert_eq!(different.len(), found.len());
        }
    }
}
