//! Passages of a text: stretches of some words, and the sentences in them.

use std::{ops::Range, sync::LazyLock};

use icu_segmenter::{SentenceSegmenter, SentenceSegmenterBorrowed, options::SentenceBreakInvariantOptions};

use super::unspaced;

/// The words of an encyclopedia's passages.
///
/// Source: Karpukhin et al. 2020 (DPR), section 4.1.
pub const DPR_WORDS: u32 = 100;

/// Where the words of `text` stand, in bytes: what white space divides, and what [`unspaced`] does where there is none.
///
/// ```
/// # use curate::text::passages::words;
/// assert_eq!(words(" two\nwords "), [1..4, 5..10]);
/// ```
#[must_use]
pub fn words(text: &str) -> Vec<Range<usize>> {
    let origin = text.as_ptr().addr();
    let mut found = Vec::new();
    for chunk in text.split_whitespace() {
        let at = chunk.as_ptr().addr() - origin;
        unspaced::pieces(chunk, |start, end| found.push(at + start..at + end));
    }
    found
}

/// One of the passages of a text, all of `count` words, in bytes; of a shorter text, all of it without the white space around.
///
/// Passages follow each other, and the last, which there would be too few words for, begins that much earlier.
///
/// - `count`: words of a passage, 1 or more
/// - `draw`: bits that choose the passage
///
/// ```
/// # use curate::text::passages::{passage, words};
/// let text = "one two three four five";
/// let drawn = |draw| &text[passage(&words(text), 2, draw)];
/// assert_eq!([drawn(0), drawn(1), drawn(2), drawn(3)], ["one two", "three four", "four five", "one two"]);
/// ```
#[must_use]
pub fn passage(words: &[Range<usize>], count: usize, draw: u64) -> Range<usize> {
    let passages = words.len().div_ceil(count).max(1) as u64;
    #[expect(clippy::cast_possible_truncation, reason = "the remainder is below the number of passages")]
    let number = (draw % passages) as usize;
    let first = (number * count).min(words.len().saturating_sub(count));
    match &words[first..words.len().min(first + count)] {
        [first, .., last] => first.start..last.end,
        [only] => only.clone(),
        [] => 0..0,
    }
}

/// Where the sentences of `text` stand, in bytes, without the white space around them; those without a letter or a digit are left out.
///
/// Source: Unicode Standard Annex 29, by `icu_segmenter`.
///
/// ```
/// # use curate::text::passages::sentences;
/// assert_eq!(sentences("It rained. (So?) \n... All day"), [0..10, 11..16, 22..29]);
/// ```
#[must_use]
pub fn sentences(text: &str) -> Vec<Range<usize>> {
    static SEGMENTER: LazyLock<SentenceSegmenterBorrowed<'static>> =
        LazyLock::new(|| SentenceSegmenter::new(SentenceBreakInvariantOptions::default()));
    let mut start = 0;
    let mut found = Vec::new();
    for end in SEGMENTER.segment_str(text).filter(|end| *end > 0) {
        let sentence = &text[start..end];
        if sentence.contains(char::is_alphanumeric) {
            let from = start + (sentence.len() - sentence.trim_start().len());
            found.push(from..from + sentence.trim().len());
        }
        start = end;
    }
    found
}
