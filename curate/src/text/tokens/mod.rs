//! Words and punctuation: the tokens that quality rules count.
//!
//! White space divides a text into chunks; a chunk is taken apart from both ends (brackets, quotes, stops), and what remains
//! is divided at hyphens, slashes and other marks between letters. English contractions are two tokens: `do` `n't`. An
//! ideograph is a token of its own; letters in scripts that put no space between words are divided by dictionary (see
//! [`super::unspaced`]).
//!
//! ```text
//! "Well-known (in the U.S.), isn't it?"  ->  " Well - known ( in the U.S. ) , is n't it ? "
//! ```
//!
//! Source: the rules that spaCy's English tokenizer follows, without its lists of exceptions but for the common
//! abbreviations, since filters in the field (datatrove) count its tokens.
//! Cost: one walk; most chunks are words and a stop, and are seen to be so by the classes of their bytes.

#![expect(clippy::cast_possible_truncation, reason = "a document has less than 4 GiB of text")]

mod abbreviations;
mod affixes;
mod characters;
mod classes;
mod words;

use self::{
    abbreviations::is_abbreviation,
    affixes::{prefix, suffix},
    characters::next_char,
    classes::{CLASSES, DIGIT, LETTER, SPACE, WIDE},
    words::{contraction, divider, is_address, is_contraction},
};
use super::unspaced::{self, is_ideograph, is_space, is_unspaced};

/// A word or punctuation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token {
    /// Where it begins, in bytes.
    pub start: u32,
    /// Where it ends, in bytes.
    pub end: u32,
    /// Its length in characters.
    pub characters: u32,
    /// Whether it has a letter or a digit, and so is a word.
    pub is_word: bool,
    /// Whether it has a letter.
    pub has_letter: bool,
}

/// The tokens of a text. Reused from text to text.
#[derive(Debug, Default, Clone)]
pub struct Tokens {
    tokens: Vec<Token>,
    /// Ends of a chunk that were taken off, the outermost first.
    suffixes: Vec<(usize, usize)>,
}

impl Tokens {
    /// Divides `text`, dropping what was here before.
    ///
    /// ```
    /// # use curate::text::tokens::Tokens;
    /// let text = "Don't pay $3.50 for a half-read book (see p. 4)...";
    /// let mut tokens = Tokens::default();
    /// tokens.take(text);
    /// let words: Vec<&str> = tokens.all().iter().map(|token| &text[token.start as usize..token.end as usize]).collect();
    /// assert_eq!(
    ///     words,
    ///     ["Do", "n't", "pay", "$", "3.50", "for", "a", "half", "-", "read", "book", "(", "see", "p.", "4", ")", "..."]
    /// );
    /// ```
    pub fn take(&mut self, text: &str) {
        assert!(u32::try_from(text.len()).is_ok(), "a document has less than 4 GiB of text");
        self.tokens.clear();
        let bytes = text.as_bytes();
        let mut at = 0;
        while at < bytes.len() {
            let start = at;
            let mut seen = 0;
            while at < bytes.len() {
                let class = CLASSES[bytes[at] as usize];
                if class == SPACE {
                    break;
                }
                if class == WIDE {
                    let character = next_char(text, at);
                    if is_space(character) {
                        break;
                    }
                    at += character.len_utf8();
                } else {
                    at += 1;
                }
                seen |= class;
            }
            match at - start {
                0 => at += if CLASSES[bytes[at] as usize] == SPACE { 1 } else { next_char(text, at).len_utf8() },
                _ if seen == LETTER && !is_contraction(&text[start..at]) => self.push_ascii(start, at, true),
                _ if seen == DIGIT => self.push_ascii(start, at, false),
                _ => self.chunk(text, start, at),
            }
        }
    }

    /// How many tokens there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.tokens.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tokens.is_empty()
    }

    /// The tokens, in order.
    #[must_use]
    pub fn all(&self) -> &[Token] {
        &self.tokens
    }

    fn push_ascii(&mut self, start: usize, end: usize, has_letter: bool) {
        let (start, end) = (start as u32, end as u32);
        self.tokens.push(Token { start, end, characters: end - start, is_word: true, has_letter });
    }

    fn push(&mut self, text: &str, start: usize, end: usize) {
        let (mut characters, mut is_word, mut has_letter) = (0, false, false);
        for character in text[start..end].chars() {
            characters += 1;
            has_letter |= character.is_alphabetic();
            is_word |= character.is_alphanumeric();
        }
        self.tokens.push(Token { start: start as u32, end: end as u32, characters, is_word, has_letter });
    }

    /// Takes a chunk apart from both ends, then divides what remains.
    fn chunk(&mut self, text: &str, mut start: usize, mut end: usize) {
        self.suffixes.clear();
        while start < end && !is_abbreviation(&text[start..end]) {
            let prefix = prefix(&text[start..end]);
            if prefix > 0 {
                self.push(text, start, start + prefix);
                start += prefix;
                continue;
            }
            let suffix = suffix(&text[start..end]);
            if suffix == 0 {
                break;
            }
            self.suffixes.push((end - suffix, end));
            end -= suffix;
        }
        if start < end {
            self.rest(text, start, end);
        }
        while let Some((start, end)) = self.suffixes.pop() {
            self.push(text, start, end);
        }
    }

    /// What remains of a chunk between its ends.
    fn rest(&mut self, text: &str, start: usize, end: usize) {
        let rest = &text[start..end];
        if is_abbreviation(rest) || is_address(rest) {
            return self.push(text, start, end);
        }
        if let Some(at) = contraction(rest) {
            self.push(text, start, start + at);
            return self.push(text, start + at, end);
        }
        let mut from = start;
        let mut before = None;
        let mut at = start;
        while at < end {
            let character = next_char(text, at);
            let width = character.len_utf8();
            if is_ideograph(character) {
                if from < at {
                    self.push(text, from, at);
                }
                self.push(text, at, at + width);
                from = at + width;
            } else if is_unspaced(character) {
                if from < at {
                    self.push(text, from, at);
                }
                let stretch = &text[at..at + unspaced::stretch_length(&text[at..end])];
                from = at;
                for word_end in unspaced::ends(stretch) {
                    self.push(text, from, at + word_end);
                    from = at + word_end;
                }
                before = text[at..from].chars().next_back();
                at = from;
                continue;
            } else if from < at || before.is_some() {
                let length = divider(&text[at..end], before);
                if length > 0 {
                    if from < at {
                        self.push(text, from, at);
                    }
                    self.push(text, at, at + length);
                    from = at + length;
                    before = text[at..from].chars().next_back();
                    at = from;
                    continue;
                }
            }
            before = Some(character);
            at += width;
        }
        if from < end {
            self.push(text, from, end);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tokens(text: &str) -> Vec<&str> {
        let mut tokens = Tokens::default();
        tokens.take(text);
        tokens.all().iter().map(|token| &text[token.start as usize..token.end as usize]).collect()
    }

    #[test]
    fn marks_come_off_both_ends() {
        assert_eq!(tokens("(\"Yes!\") he said."), ["(", "\"", "Yes", "!", "\"", ")", "he", "said", "."]);
        assert_eq!(tokens("“So…” «là»"), ["“", "So", "…", "”", "«", "là", "»"]);
        assert_eq!(tokens("wait.... what?!"), ["wait", "....", "what", "?", "!"]);
        assert_eq!(tokens("-- - *"), ["--", "-", "*"]);
    }

    #[test]
    fn stops_belong_to_abbreviations_and_initials() {
        assert_eq!(
            tokens("Mr. J. Doe, Ph.D., e.g. the U.S. Navy."),
            ["Mr.", "J.", "Doe", ",", "Ph.D.", ",", "e.g.", "the", "U.S.", "Navy", "."]
        );
        assert_eq!(tokens("In the USA. In 1999."), ["In", "the", "USA", ".", "In", "1999", "."]);
    }

    #[test]
    fn contractions_are_two_words() {
        assert_eq!(
            tokens("They're Bob's; I cannot, won’t."),
            ["They", "'re", "Bob", "'s", ";", "I", "can", "not", ",", "wo", "n’t", "."]
        );
        assert_eq!(tokens("rock'n'roll o'clock"), ["rock'n'roll", "o'clock"]);
    }

    #[test]
    fn hyphens_divide_words_and_not_numbers_from_numbers() {
        assert_eq!(
            tokens("well-known--and/or 3-4 A-1 x=y end.Next"),
            ["well", "-", "known", "--", "and", "/", "or", "3", "-", "4", "A-1", "x", "=", "y", "end", ".", "Next"]
        );
        assert_eq!(tokens("http://a.org/c-d?e=f, a.org/b-c"), ["http://a.org/c-d?e=f", ",", "a.org/b-c"]);
        assert_eq!(tokens("[on this](http://a.org/b)"), ["[", "on", "this](http://a.org", "/", "b", ")"]);
        assert_eq!(tokens("$3.50, 10km 5% 10am"), ["$", "3.50", ",", "10", "km", "5", "%", "10", "am"]);
    }

    #[test]
    fn an_ideograph_is_a_token() {
        assert_eq!(tokens("日本の本、GPT3も。"), ["日", "本", "の", "本", "、", "GPT3", "も", "。"]);
    }

    #[test]
    fn words_without_spaces_are_divided() {
        assert_eq!(tokens("ฝนตกหนัก (2 วัน) ABCฝน"), ["ฝน", "ตกหนัก", "(", "2", "วัน", ")", "ABC", "ฝน"]);
        assert_eq!(tokens("សួស្តីពិភពលោក").len(), 2); // hello, world in Khmer
    }

    proptest! {
        /// Tokens hold every sign but white space, once and in order.
        #[test]
        fn nothing_is_lost(text in "[a-zA-Z0-9.,'’\"()\\-/…:é日の€%#*ฝนตก \n\u{a0}]{0,60}") {
            let found: String = tokens(&text).concat();
            let signs: String = text.chars().filter(|character| !is_space(*character)).collect();
            prop_assert_eq!(found, signs);
        }
    }
}
