//! The facts about a text's words that quality rules are made of.
//!
//! Source: Rae et al. 2021 (Gopher), table A1, for what is counted; [`super::tokens`] for what a word is.

use super::{lines::count_characters, tokens::Tokens};

/// The words that English text can hardly do without.
///
/// Source: Rae et al. 2021 (Gopher), appendix A1.
const STOP_WORDS: [&str; 8] = ["the", "be", "to", "of", "and", "that", "have", "with"];

/// Counts of words and signs. Shares are for the rules to take, for peers divide by different things.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WordFacts {
    /// Bytes of UTF-8.
    pub bytes: u64,
    /// Unicode characters, white space included.
    pub characters: u64,
    /// Words and punctuation.
    pub tokens: u64,
    /// Tokens with a letter or a digit.
    pub words: u64,
    /// Characters in words.
    pub word_characters: u64,
    /// Twice the median length of a word in characters: a whole number, also where it lies between two.
    pub twice_median_word_characters: u64,
    /// Tokens with a letter.
    pub letter_tokens: u64,
    /// How many different ones of the eight stop words occur, whatever their case.
    pub stop_words: u64,
    /// Hash marks.
    pub hashes: u64,
    /// Ellipses, `...` or `…`.
    pub ellipses: u64,
}

/// Counts the facts of `text`, whose tokens are `tokens`.
///
/// ```
/// # use curate::text::{tokens::Tokens, words::word_facts};
/// let text = "\"The end,\" -- she said, of 3 #tags...";
/// let mut tokens = Tokens::default();
/// tokens.take(text);
/// let facts = word_facts(text, &tokens);
/// assert_eq!((facts.words, facts.letter_tokens, facts.stop_words), (7, 6, 2));
/// assert_eq!(facts.twice_median_word_characters, 6); // The end she said of 3 tags
/// assert_eq!((facts.hashes, facts.ellipses), (1, 1));
/// ```
#[must_use]
pub fn word_facts(text: &str, tokens: &Tokens) -> WordFacts {
    let mut facts = WordFacts {
        bytes: text.len() as u64,
        characters: count_characters(text),
        tokens: tokens.len() as u64,
        hashes: text.bytes().filter(|byte| *byte == b'#').count() as u64,
        ellipses: (text.matches("...").count() + text.matches('…').count()) as u64,
        ..WordFacts::default()
    };
    let mut stop_words = 0u8;
    // words by their length; the few that are longer than all of these do not move a median that matters
    let mut lengths = [0u32; 64];
    for token in tokens.all().iter().filter(|token| token.is_word) {
        facts.words += 1;
        facts.word_characters += u64::from(token.characters);
        lengths[(token.characters as usize).min(lengths.len() - 1)] += 1;
        facts.letter_tokens += u64::from(token.has_letter);
        if token.characters <= 4 {
            let word = &text[token.start as usize..token.end as usize];
            let place = STOP_WORDS.iter().position(|stop_word| word.eq_ignore_ascii_case(stop_word));
            stop_words |= place.map_or(0, |place| 1 << place);
        }
    }
    facts.twice_median_word_characters = twice_median(&lengths, facts.words);
    WordFacts { stop_words: u64::from(stop_words.count_ones()), ..facts }
}

/// Twice the median of `total` numbers, of which `counts` says how often each occurs; 0 of none.
fn twice_median(counts: &[u32], total: u64) -> u64 {
    let at = |place: u64| {
        let mut before = 0;
        let reaches = |count: &u32| {
            before += u64::from(*count);
            before > place
        };
        counts.iter().position(reaches).unwrap_or_default() as u64
    };
    at(total.saturating_sub(1) / 2) + at(total / 2)
}
