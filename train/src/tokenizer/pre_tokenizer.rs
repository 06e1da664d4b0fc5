//! Pre-tokenization: text split into words as GPT-2 does.
//!
//! ```text
//! 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
//! ```
//!
//! The expression, tried from left to right at the end of the word before, always takes one; so a scan that looks at each
//! character once can do the same.
//!
//! Source: Radford et al. 2019 (GPT-2), its published `encoder.py`.

use super::classes::{Class, Classes};

/// The words of a text, which together are the text.
#[derive(Debug, Clone)]
pub(super) struct Words<'t> {
    text: &'t str,
    at: usize,
    classes: Classes,
}

impl<'t> Words<'t> {
    pub(super) fn new(text: &'t str, classes: Classes) -> Self {
        Self { text, at: 0, classes }
    }

    /// Where the run of a class ends that may begin at `at`.
    #[inline]
    fn run(&self, class: Class, mut at: usize) -> usize {
        while at < self.text.len() {
            let (next, bytes) = self.classes.at(self.text, at);
            if next != class {
                break;
            }
            at += bytes;
        }
        at
    }

    /// Where a word of white space ends: before the last character of the run, which belongs to what follows, unless nothing
    /// follows or there is no other.
    fn spaces(&self) -> usize {
        let (mut at, mut last) = (self.at, self.at);
        while at < self.text.len() {
            let (next, bytes) = self.classes.at(self.text, at);
            if next != Class::Space {
                break;
            }
            (last, at) = (at, at + bytes);
        }
        if at == self.text.len() || last == self.at { at } else { last }
    }
}

/// How many bytes of an English ending stand at the beginning of `rest`: `'s`, `'re`.
#[inline]
fn ending(rest: &[u8]) -> Option<usize> {
    match rest {
        [b'\'', b's' | b't' | b'm' | b'd', ..] => Some(2),
        [b'\'', b'r' | b'v', b'e', ..] | [b'\'', b'l', b'l', ..] => Some(3),
        _ => None,
    }
}

impl<'t> Iterator for Words<'t> {
    type Item = &'t str;

    #[inline]
    fn next(&mut self) -> Option<&'t str> {
        let rest = &self.text.as_bytes()[self.at..];
        let first = *rest.first()?;
        let end = if let Some(bytes) = ending(rest) {
            self.at + bytes
        } else {
            // one plain space belongs to the run behind it
            let begin = self.at + usize::from(first == b' ' && rest.len() > 1);
            match self.classes.at(self.text, begin) {
                (Class::Space, _) => self.spaces(),
                (class, bytes) => self.run(class, begin + bytes),
            }
        };
        let word = &self.text[self.at..end];
        self.at = end;
        Some(word)
    }
}

/// Cuts a text into parts of some `bytes` or more, at places where one word ends and another begins whatever stands around them: before
/// white space that follows on something else.
pub(super) fn parts(text: &str, bytes: usize) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let mut at = rest.ceil_char_boundary(bytes.max(1).min(rest.len()));
        let mut before = rest[..at].chars().next_back();
        for (place, character) in rest[at..].char_indices() {
            if character.is_whitespace() && before.is_some_and(|before| !before.is_whitespace()) {
                let (part, after) = rest.split_at(at + place);
                rest = after;
                return Some(part);
            }
            before = Some(character);
        }
        at = rest.len();
        let part = &rest[..at];
        rest = "";
        Some(part)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tokenizers::utils::SysRegex;

    use super::*;

    const EXPRESSION: &str = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";

    fn by_expression(text: &str) -> Vec<&str> {
        let expression = SysRegex::new(EXPRESSION).expect("the expression is sound");
        expression.find_iter(text).map(|(start, end)| &text[start..end]).collect()
    }

    fn words(text: &str) -> Vec<&str> {
        Words::new(text, Classes::new()).collect()
    }

    proptest! {
        /// The scan takes what the expression takes, on any text and on those where they could differ.
        #[test]
        fn words_are_those_of_the_expression(
            any in "\\PC{0,20}",
            close in "[ \\n\\t\u{a0}\u{3000}a'sredvlmtZ0½9.,!\u{301}日é_-]{0,24}",
        ) {
            for text in [any, close] {
                prop_assert_eq!(words(&text), by_expression(&text));
            }
        }

        /// Parts may be taken apart, each on a core of its own.
        #[test]
        fn parts_have_the_words_of_the_whole(text in "[ \\n\u{a0}a's0.日]{0,60}", bytes in 1usize..9) {
            let of_parts: Vec<&str> = parts(&text, bytes).flat_map(words).collect();
            prop_assert_eq!(of_parts, words(&text));
        }
    }

    /// Every character, alone and between others: the classes are those of the expression.
    #[test]
    fn every_character_is_cut_as_by_the_expression() {
        let text: String =
            ('\0'..=char::MAX).flat_map(|character| [character, 'a', ' ', character, '1', character]).collect();
        let expression = SysRegex::new(EXPRESSION).expect("the expression is sound");
        let mut ours = Words::new(&text, Classes::new());
        let mut at = 0;
        for (start, end) in expression.find_iter(&text) {
            assert_eq!((ours.next(), at), (Some(&text[start..end]), start), "at byte {start}");
            at = end;
        }
        assert_eq!((ours.next(), at), (None, text.len()));
    }
}
