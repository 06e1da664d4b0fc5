//! The normal form in which texts are compared: what differs in it differs to a reader.
//!
//! In this order: lower case; every number becomes `0`; marks are taken off letters (NFD without Mn); punctuation and
//! control characters become white space; white space collapses to one space. An ideograph, which needs no space, counts as
//! a word of its own.
//!
//! Source: the order of datatrove's normalisation before shingling, done in one pass.

use unicode_normalization::{UnicodeNormalization as _, char::is_combining_mark};

/// A text in normal form, and where its words end. Reused from text to text.
#[derive(Debug, Default, Clone)]
pub struct NormalForm {
    /// UTF-8: whole characters alone are put here.
    text: Vec<u8>,
    /// Past-the-end offsets of the words in `text`.
    ends: Vec<u32>,
}

/// What the last character was, as far as the next one cares.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Last {
    Space,
    Letter,
    Digit,
    /// A point or comma behind a digit: part of the number if a digit follows, else white space.
    NumberPoint,
}

impl NormalForm {
    /// Takes the normal form of `text`, dropping what was here before.
    ///
    /// ```
    /// # use curate::text::normal::NormalForm;
    /// let mut normal = NormalForm::default();
    /// normal.take("Crème brûlée, 3,50 EUR!");
    /// assert_eq!(normal.text(), "creme brulee 0 eur");
    /// assert_eq!(normal.words(), 4);
    /// ```
    pub fn take(&mut self, text: &str) {
        self.text.clear();
        self.ends.clear();
        self.text.reserve(text.len() + 8);
        let bytes = text.as_bytes();
        let mut last = Last::Space;
        let mut at = 0;
        while at < bytes.len() {
            let (letters, count) = ascii_letters(&bytes[at..]);
            if count > 0 {
                self.letter(last);
                // eight bytes in one step, of which the first are wanted
                self.text.extend_from_slice(&letters);
                self.text.truncate(self.text.len() - letters.len() + count);
                last = Last::Letter;
                at += count;
            } else if bytes[at].is_ascii() {
                last = self.ascii_mark(bytes[at], last);
                at += 1;
            } else {
                let character = text[at..].chars().next().expect("the text goes on");
                last = self.character(character, last);
                at += character.len_utf8();
            }
        }
        self.close(last);
    }

    /// The normal form; empty when the text has no letter and no digit.
    #[must_use]
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.text).expect("whole characters alone were put here")
    }

    /// The same, as bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.text
    }

    /// How many words it has.
    #[must_use]
    pub fn words(&self) -> usize {
        self.ends.len()
    }

    /// Its words, as bytes.
    pub fn each_word(&self) -> impl Iterator<Item = &[u8]> {
        let mut start = 0;
        self.ends.iter().map(move |&end| {
            let word = &self.text[start..end as usize];
            start = end as usize + 1;
            word
        })
    }

    /// Takes a character that is not ASCII.
    fn character(&mut self, character: char, mut last: Last) -> Last {
        if is_ideograph(character) {
            self.close(last);
            self.open();
            self.put(character);
            self.close(Last::Letter);
            return Last::Space;
        }
        let lower = character.to_lowercase().nfd().filter(|part| !is_combining_mark(*part));
        for part in lower {
            last = if part.is_numeric() {
                self.digit(last)
            } else if part.is_alphabetic() {
                self.letter(last);
                self.put(part);
                Last::Letter
            } else if part.is_ascii() {
                self.ascii_mark(u8::try_from(part).expect("ASCII fits into a byte"), last)
            } else {
                self.close(last);
                Last::Space
            };
        }
        last
    }

    /// Takes an ASCII character that is no letter.
    fn ascii_mark(&mut self, byte: u8, last: Last) -> Last {
        match byte {
            b'0'..=b'9' => self.digit(last),
            b'.' | b',' if last == Last::Digit => Last::NumberPoint,
            _ => {
                self.close(last);
                Last::Space
            }
        }
    }

    fn digit(&mut self, last: Last) -> Last {
        match last {
            Last::Digit | Last::NumberPoint => {}
            Last::Space => {
                self.open();
                self.text.push(b'0');
            }
            Last::Letter => self.text.push(b'0'),
        }
        Last::Digit
    }

    /// Begins a word where a letter does.
    fn letter(&mut self, last: Last) {
        match last {
            Last::Space => self.open(),
            Last::NumberPoint => {
                self.close(last);
                self.open();
            }
            Last::Letter | Last::Digit => {}
        }
    }

    fn put(&mut self, character: char) {
        self.text.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
    }

    fn open(&mut self) {
        if !self.text.is_empty() {
            self.text.push(b' ');
        }
    }

    /// Ends the word that is being written, if there is one.
    fn close(&mut self, last: Last) {
        if last != Last::Space {
            let end = u32::try_from(self.text.len()).expect("a document has less than 4 GiB of text");
            self.ends.push(end);
        }
    }
}

/// The first eight bytes in lower case, and how many ASCII letters they begin with.
pub(super) fn ascii_letters(bytes: &[u8]) -> ([u8; 8], usize) {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x80 * ONES;
    let word = match bytes.first_chunk::<8>() {
        Some(chunk) => u64::from_le_bytes(*chunk),
        None => bytes.iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte)),
    };
    let lower = word | (0x20 * ONES);
    // for each byte, its high bit: 0x80 is reached from the letter that is added to
    let seven_bits = lower & !HIGH;
    let from_a = seven_bits + u64::from(0x80 - b'a') * ONES;
    let beyond_z = seven_bits + u64::from(0x7f - b'z') * ONES;
    let letters = from_a & !beyond_z & !word & HIGH;
    (lower.to_le_bytes(), (!letters & HIGH).trailing_zeros() as usize / 8)
}

/// Whether a character is written without spaces around it: Han, Hiragana, Katakana.
pub(super) fn is_ideograph(character: char) -> bool {
    matches!(character, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{20000}'..='\u{3134f}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn normal(text: &str) -> NormalForm {
        let mut form = NormalForm::default();
        form.take(text);
        form
    }

    #[test]
    fn what_a_reader_does_not_see_is_gone() {
        assert_eq!(normal("  The\tEND --\n\n of: it. ").text(), "the end of it");
        assert_eq!(normal("In 1,234.50 or 7.").text(), "in 0 or 0");
        assert_eq!(normal("A4, 3D and x2y").text(), "a0 0d and x0y");
        assert_eq!(normal("3.b").text(), "0 b");
        assert_eq!(normal("ÉCOLE Straße naïve").text(), "ecole straße naive");
        assert_eq!(normal("日本 の本").text(), "日 本 の 本");
        assert_eq!(normal("!?...").text(), "");
    }

    #[test]
    fn words_are_where_they_end() {
        let form = normal("One two, extraordinarily long-winded.");
        let words: Vec<&[u8]> = form.each_word().collect();
        assert_eq!(words, [&b"one"[..], b"two", b"extraordinarily", b"long", b"winded"]);
    }

    proptest! {
        /// The normal form is its own normal form, and its words are what single spaces divide.
        #[test]
        fn it_is_stable(text in "[a-zA-Z0-9éßÅ日本語 .,;!\n-]{0,80}") {
            let once = normal(&text);
            let twice = normal(once.text());
            prop_assert_eq!(once.text(), twice.text());
            let words = once.text().split(' ').filter(|word| !word.is_empty()).count();
            prop_assert_eq!(once.words(), words);
            prop_assert_eq!(once.each_word().count(), words);
        }

        /// Eight bytes at a time find the letters that one at a time find.
        #[test]
        fn letters_are_those_of_ascii(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..12)) {
            let (lower, count) = ascii_letters(&bytes);
            let first = &bytes[..bytes.len().min(8)];
            let expected = first.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
            prop_assert_eq!(count, expected);
            prop_assert_eq!(&lower[..count], &first[..count].to_ascii_lowercase()[..]);
        }
    }
}
