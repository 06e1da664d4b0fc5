//! The facts about a text's words and lines that quality rules are made of, in one walk.
//!
//! A token is what stands between white space; a word is a token with at least one letter or digit, and its length is
//! counted without the punctuation at its ends.
//!
//! Source: Rae et al. 2021 (Gopher), table A1, for what is counted.

/// The words that English text can hardly do without.
///
/// Source: Rae et al. 2021 (Gopher), appendix A1.
const STOP_WORDS: [&str; 8] = ["the", "be", "to", "of", "and", "that", "have", "with"];

/// Facts about words and lines. Shares are fractions in `0.0..=1.0`, but for those that count signs a word.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct WordFacts {
    /// Bytes of UTF-8.
    pub bytes: u64,
    /// Unicode characters, white space included.
    pub characters: u64,
    /// Lines that are not blank.
    pub lines: u64,
    /// Words.
    pub words: u64,
    /// Characters a word; 0 without words.
    pub mean_word_length: f64,
    /// Hash marks a word.
    pub hashes_per_word: f64,
    /// Ellipses, `...` or `…`, a word.
    pub ellipses_per_word: f64,
    /// Lines that begin with a bullet.
    pub bullet_line_share: f64,
    /// Lines that end in an ellipsis.
    pub ellipsis_line_share: f64,
    /// Tokens that have a letter.
    pub letter_word_share: f64,
    /// How many different ones of the eight stop words occur, whatever their case.
    pub stop_words: u64,
}

/// Counts the facts of `text`.
///
/// ```
/// # use curate::text::words::word_facts;
/// let facts = word_facts("- The end...\n- of it");
/// assert_eq!((facts.words, facts.lines, facts.stop_words), (4, 2, 2));
/// assert_eq!((facts.bullet_line_share, facts.ellipsis_line_share), (1.0, 0.5));
/// ```
#[must_use]
pub fn word_facts(text: &str) -> WordFacts {
    let mut facts = WordFacts { bytes: text.len() as u64, ..WordFacts::default() };
    let (mut tokens, mut letters, mut hashes, mut ellipses) = (0u64, 0u64, 0u64, 0u64);
    let (mut bullet_lines, mut ellipsis_lines, mut word_characters) = (0u64, 0u64, 0u64);
    let mut stop_words = 0u8;
    for line in text.split('\n') {
        facts.characters += line.chars().count() as u64;
        let line = line.trim();
        if line.is_empty() {
            continue;
        }
        facts.lines += 1;
        bullet_lines += u64::from(line.starts_with(['•', '-', '*', '‣', '▪', '●']));
        ellipsis_lines += u64::from(line.ends_with("...") || line.ends_with('…'));
        hashes += line.bytes().filter(|byte| *byte == b'#').count() as u64;
        ellipses += (line.matches("...").count() + line.matches('…').count()) as u64;
        for token in line.split_whitespace() {
            tokens += 1;
            letters += u64::from(token.chars().any(char::is_alphabetic));
            let word = token.trim_matches(|character: char| !character.is_alphanumeric());
            if word.is_empty() {
                continue;
            }
            facts.words += 1;
            word_characters += word.chars().count() as u64;
            if word.len() <= 4 {
                let place = STOP_WORDS.iter().position(|stop_word| word.eq_ignore_ascii_case(stop_word));
                stop_words |= place.map_or(0, |place| 1 << place);
            }
        }
    }
    facts.characters += text.bytes().filter(|byte| *byte == b'\n').count() as u64;
    let share = |part: u64, whole: u64| if whole == 0 { 0.0 } else { part as f64 / whole as f64 };
    WordFacts {
        mean_word_length: share(word_characters, facts.words),
        hashes_per_word: share(hashes, facts.words),
        ellipses_per_word: share(ellipses, facts.words),
        bullet_line_share: share(bullet_lines, facts.lines),
        ellipsis_line_share: share(ellipsis_lines, facts.lines),
        letter_word_share: share(letters, tokens),
        stop_words: u64::from(stop_words.count_ones()),
        ..facts
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn punctuation_is_no_word_and_has_no_length() {
        let facts = word_facts("\"Hello,\" -- she said.");
        assert_eq!(facts.words, 3);
        assert!((facts.mean_word_length - 4.0).abs() < 1e-12);
        assert!((facts.letter_word_share - 0.75).abs() < 1e-12);
    }

    #[test]
    fn an_empty_text_has_no_shares() {
        assert_eq!(word_facts(""), WordFacts::default());
        assert_eq!(word_facts(" \n\n").words, 0);
    }

    proptest! {
        /// Shares are shares, and every character is counted once.
        #[test]
        fn shares_stay_in_bounds(text in "[a-zA-Z#.…•\n \u{00e9}-]{0,200}") {
            let facts = word_facts(&text);
            prop_assert_eq!(facts.characters, text.chars().count() as u64);
            for share in [facts.bullet_line_share, facts.ellipsis_line_share, facts.letter_word_share] {
                prop_assert!((0.0..=1.0).contains(&share));
            }
            prop_assert!(facts.words <= text.split_whitespace().count() as u64);
        }
    }
}
