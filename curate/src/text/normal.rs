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
    text: String,
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
        self.text.reserve(text.len());
        let mut last = Last::Space;
        for character in text.chars() {
            if character.is_ascii() {
                last = self.push(character.to_ascii_lowercase(), last);
            } else if is_ideograph(character) {
                self.close(last);
                self.open();
                self.text.push(character);
                self.close(Last::Letter);
                last = Last::Space;
            } else {
                let lower = character.to_lowercase().nfd().filter(|part| !is_combining_mark(*part));
                for part in lower {
                    last = self.push(part, last);
                }
            }
        }
        self.close(last);
    }

    /// The normal form; empty when the text has no letter and no digit.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// How many words it has.
    #[must_use]
    pub fn words(&self) -> usize {
        self.ends.len()
    }

    /// Runs of `n` words in a row, as they stand in the text: words with one space between them.
    pub fn shingles(&self, n: usize) -> impl Iterator<Item = &str> {
        let start = |word: usize| if word == 0 { 0 } else { self.ends[word - 1] as usize + 1 };
        let count = (self.ends.len() + 1).saturating_sub(n);
        (0..count).map(move |first| &self.text[start(first)..self.ends[first + n - 1] as usize])
    }

    fn push(&mut self, character: char, last: Last) -> Last {
        if character.is_numeric() {
            match last {
                Last::Digit | Last::NumberPoint => {}
                Last::Space => {
                    self.open();
                    self.text.push('0');
                }
                Last::Letter => self.text.push('0'),
            }
            Last::Digit
        } else if character.is_alphabetic() {
            match last {
                Last::Space => self.open(),
                Last::NumberPoint => {
                    self.close(last);
                    self.open();
                }
                Last::Letter | Last::Digit => {}
            }
            self.text.push(character);
            Last::Letter
        } else if last == Last::Digit && matches!(character, '.' | ',') {
            Last::NumberPoint
        } else {
            self.close(last);
            Last::Space
        }
    }

    fn open(&mut self) {
        if !self.text.is_empty() {
            self.text.push(' ');
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
    fn shingles_are_runs_of_words() {
        let form = normal("one two three four");
        assert_eq!(form.shingles(3).collect::<Vec<_>>(), ["one two three", "two three four"]);
        assert_eq!(form.shingles(5).count(), 0);
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
        }
    }
}
