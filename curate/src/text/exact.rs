//! The form in which two texts are the same text, to the byte.
//!
//! Taken away is no letter, digit, mark or sign, and no difference of case; only how the same text may be written down:
//!
//! - characters are composed (Unicode's NFC): one `é`, whether it came as one character or as a letter and an accent;
//! - white space (Unicode's `White_Space`) at the beginning and the end is left out;
//! - white space within a line is one space;
//! - white space that holds line breaks is one line feed, and behind it the indent of the next line, as it stands. So blank lines, spaces at the ends
//!   of lines and the kind of line break do not count, and an indent does: it says something in code and lists.
//!
//! Cost: one walk; a text that is in this form already is not copied.

use unicode_normalization::{IsNormalized, UnicodeNormalization as _, is_nfc_quick};

/// Takes the exact form of texts. Keeps its buffers from text to text.
#[derive(Debug, Default, Clone)]
pub struct ExactForm {
    composed: String,
    even: Vec<u8>,
}

impl ExactForm {
    /// The exact form of `text`, as UTF-8; empty for a text of white space alone.
    ///
    /// ```
    /// # use curate::text::exact::ExactForm;
    /// let mut exact = ExactForm::default();
    /// assert_eq!(exact.take(" C++  (e\u{301}t\u{e9}) \r\n\r\n\treturn x - 2\n"), "C++ (\u{e9}t\u{e9})\n\treturn x - 2".as_bytes());
    /// ```
    pub fn take<'a>(&'a mut self, text: &'a str) -> &'a [u8] {
        let Self { composed, even } = self;
        let text = if text.is_ascii() || is_nfc_quick(text.chars()) == IsNormalized::Yes {
            text
        } else {
            composed.clear();
            composed.extend(text.nfc());
            composed
        };
        even.clear();
        if make_even(text, even) { text.as_bytes() } else { even }
    }
}

const PLAIN: u8 = 0;
/// A space or a tab.
const SPACE: u8 = 1;
const BREAK: u8 = 2;
/// The first byte of characters of which some are white space.
const WIDE: u8 = 3;

/// What each byte may be.
static CLASSES: [u8; 256] = {
    let mut classes = [PLAIN; 256];
    classes[b' ' as usize] = SPACE;
    classes[b'\t' as usize] = SPACE;
    let mut byte = b'\n';
    while byte <= b'\r' {
        classes[byte as usize] = BREAK;
        byte += 1;
    }
    classes[0xc2] = WIDE;
    classes[0xe1] = WIDE;
    classes[0xe2] = WIDE;
    classes[0xe3] = WIDE;
    classes
};

/// Writes `text` to `even` with its white space made even; true, and nothing written, where it is even as it stands.
fn make_even(text: &str, even: &mut Vec<u8>) -> bool {
    let bytes = text.as_bytes();
    let class = |at: usize| bytes.get(at).map_or(BREAK, |byte| CLASSES[*byte as usize]);
    let (mut at, mut copied) = (0, 0);
    let mut is_even = true;
    while at < bytes.len() {
        let here = class(at);
        // a space between words is as it should be, and so is a line feed
        let is_single = (bytes[at] == b' ' || bytes[at] == b'\n') && at > 0 && class(at + 1) == PLAIN;
        if here == PLAIN || is_single {
            at += 1;
            continue;
        }
        let (begin, mut behind_break) = (at, None);
        while at < bytes.len() {
            match class(at) {
                SPACE => at += 1,
                BREAK => {
                    at += 1;
                    behind_break = Some(at);
                }
                WIDE => {
                    let character = text[at..].chars().next().expect("the text goes on");
                    if !character.is_whitespace() {
                        break;
                    }
                    at += character.len_utf8();
                    if matches!(character, '\u{85}' | '\u{2028}' | '\u{2029}') {
                        behind_break = Some(at);
                    }
                }
                _ => break,
            }
        }
        if begin == at {
            // a wide character that is no white space
            at += text[at..].chars().next().map_or(1, char::len_utf8);
            continue;
        }
        is_even = false;
        even.extend_from_slice(&bytes[copied..begin]);
        if begin > 0 && at < bytes.len() {
            match behind_break {
                Some(indent) => {
                    even.push(b'\n');
                    even.extend_from_slice(&bytes[indent..at]);
                }
                None => even.push(b' '),
            }
        }
        copied = at;
    }
    if !is_even {
        even.extend_from_slice(&bytes[copied..]);
    }
    is_even
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn exact(text: &str) -> String {
        String::from_utf8(ExactForm::default().take(text).to_vec()).expect("it is text")
    }

    #[test]
    fn white_space_and_composition_alone_are_taken_away() {
        assert_eq!(exact("a\u{a0} b\u{2003}c \u{3000}"), "a b c");
        assert_eq!(exact("\u{feff}a\u{200b}b"), "\u{feff}a\u{200b}b", "signs that are no white space stay");
        assert_eq!(exact("if x:\r\n    y\r\n\r\n\r\n  \r\nz"), "if x:\n    y\nz");
        assert_eq!(exact("a\u{2028}b\u{85}c\rd"), "a\nb\nc\nd");
        assert_eq!(exact("“a” – b…"), "“a” – b…");
        assert_eq!(exact(" \n\t"), "");
        assert_eq!(exact("e\u{301}"), exact("\u{e9}"));
        for (one, other) in
            [("C++", "C#"), ("कि", "के"), ("3 + 4", "3 - 4"), ("A", "a"), ("a.", "a"), ("x\n y", "x\n  y")]
        {
            assert_ne!(exact(one), exact(other));
        }
    }

    proptest! {
        /// The exact form is its own, and has the text's signs in their order.
        #[test]
        fn it_is_stable(text in "[ab.+ \t\r\n\u{a0}\u{2028}éे“日]{0,40}") {
            let once = exact(&text);
            prop_assert_eq!(exact(&once), once.clone());
            let signs = |text: &str| text.chars().filter(|sign| !sign.is_whitespace()).collect::<String>();
            prop_assert_eq!(signs(&once), signs(&text));
            prop_assert!(!once.contains("  \n") && once.trim() == once);
        }
    }
}
