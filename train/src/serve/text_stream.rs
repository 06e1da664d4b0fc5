//! Tokens in, text out as soon as it is certain: whole characters, and nothing that may turn out to belong to a stop string.
//!
//! ```text
//! bytes of tokens -> characters -> held back as long as a stop string may begin there -> text
//!                                  \-- a stop string: the text ends before it
//! ```
//!
//! What comes in pieces is what comes at once, whatever the pieces.

use std::collections::VecDeque;

/// Text with the tokens that it is made of.
#[derive(Debug, Clone, PartialEq)]
pub struct Piece<T> {
    /// Whole characters.
    pub text: String,
    /// Tokens that lie in it, each with the place of its first character in the whole text.
    pub tokens: Vec<(T, usize)>,
}

/// The text of one answer, as it grows.
#[derive(Debug)]
pub struct TextStream<T> {
    stops: Vec<Vec<char>>,
    /// The bytes of a character that is not complete.
    incomplete: Vec<u8>,
    /// Characters that are held back, each with the place behind its last byte among those of all tokens.
    held: VecDeque<(char, usize)>,
    /// Tokens that are held back: what is known of each, the place of its first character, and that behind its last byte.
    tokens: VecDeque<(T, usize, usize)>,
    /// Characters that were given away, and the place behind the last byte of them.
    given: (usize, usize),
    /// Bytes of all tokens.
    bytes: usize,
    is_over: bool,
}

impl<T> TextStream<T> {
    /// - `stops`: strings before which the text ends, none of them empty
    /// - `before`: characters that stand before it
    pub fn new(stops: &[String], before: usize) -> Self {
        Self {
            stops: stops.iter().map(|stop| stop.chars().collect()).collect(),
            incomplete: Vec::new(),
            held: VecDeque::new(),
            tokens: VecDeque::new(),
            given: (before, 0),
            bytes: 0,
            is_over: false,
        }
    }

    /// Whether the text has come to a stop string, behind which nothing counts any more.
    pub fn is_over(&self) -> bool {
        self.is_over
    }

    /// Takes a token, and gives what is certain by it.
    pub fn push(&mut self, token: T, bytes: &[u8]) -> Piece<T> {
        if self.is_over {
            return Piece { text: String::new(), tokens: Vec::new() };
        }
        let start = self.bytes;
        self.bytes += bytes.len();
        self.incomplete.extend_from_slice(bytes);
        self.decode(false);
        let before = self.held.iter().filter(|(_, end)| *end <= start).count();
        self.tokens.push_back((token, self.given.0 + before, self.bytes));
        self.certain(false)
    }

    /// Gives what is left, once there are no more tokens.
    pub fn finish(&mut self) -> Piece<T> {
        if !self.is_over {
            self.decode(true);
        }
        self.certain(true)
    }

    /// Turns bytes into characters.
    ///
    /// - `is_end`: whether what is not complete never will be
    fn decode(&mut self, is_end: bool) {
        loop {
            let length = self.incomplete.len();
            let (valid, invalid) = match std::str::from_utf8(&self.incomplete) {
                Ok(_) => (length, 0),
                Err(error) => {
                    let valid = error.valid_up_to();
                    (valid, error.error_len().unwrap_or(if is_end { length - valid } else { 0 }))
                }
            };
            let rest = self.incomplete.split_off(valid + invalid);
            let taken = std::mem::replace(&mut self.incomplete, rest);
            let mut place = self.bytes - length;
            for character in String::from_utf8_lossy(&taken[..valid]).chars() {
                place += character.len_utf8();
                self.held.push_back((character, place));
            }
            if invalid == 0 {
                return;
            }
            self.held.push_back((char::REPLACEMENT_CHARACTER, place + invalid));
        }
    }

    /// Gives away what cannot belong to a stop string any more.
    fn certain(&mut self, is_end: bool) -> Piece<T> {
        let stop = self.stop();
        let count = match stop {
            Some(place) => place,
            None if is_end => self.held.len(),
            None => self.held.len() - self.longest_beginning(),
        };
        if let Some((_, end)) = count.checked_sub(1).and_then(|last| self.held.get(last)) {
            self.given.1 = *end;
        }
        let text: String = self.held.drain(..count).map(|(character, _)| character).collect();
        self.given.0 += count;
        let mut tokens = Vec::new();
        while let Some((_, first, behind)) = self.tokens.front() {
            // behind a stop string tokens count that begin before it
            let is_certain = match stop {
                Some(_) => *first < self.given.0,
                None => is_end || *behind <= self.given.1,
            };
            if !is_certain {
                break;
            }
            tokens.extend(self.tokens.pop_front().map(|(token, first, _)| (token, first)));
        }
        if stop.is_some() {
            self.is_over = true;
            self.held.clear();
            self.tokens.clear();
            self.incomplete.clear();
        }
        Piece { text, tokens }
    }

    /// Where the first stop string begins that is there.
    fn stop(&self) -> Option<usize> {
        let begins = |place: &usize| {
            let is_there = |stop: &Vec<char>| {
                stop.len() <= self.held.len() - place
                    && stop.iter().zip(self.held.range(*place..)).all(|(one, (other, _))| one == other)
            };
            self.stops.iter().any(is_there)
        };
        (0..self.held.len()).find(begins)
    }

    /// Characters at the end that a stop string may begin with.
    fn longest_beginning(&self) -> usize {
        let of = |stop: &Vec<char>| {
            let longest = (stop.len() - 1).min(self.held.len());
            let ends_with = |count: &usize| {
                let end = self.held.range(self.held.len() - count..);
                stop.iter().zip(end).all(|(one, (other, _))| one == other)
            };
            (1..=longest).rev().find(ends_with).unwrap_or(0)
        };
        self.stops.iter().map(of).max().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The pieces of tokens, and whether the text came to a stop string.
    fn pieces(tokens: &[&[u8]], stops: &[&str]) -> (Vec<Piece<usize>>, bool) {
        let stops: Vec<String> = stops.iter().map(|stop| (*stop).to_owned()).collect();
        let mut stream = TextStream::new(&stops, 0);
        let mut pieces: Vec<Piece<usize>> =
            tokens.iter().enumerate().map(|(number, bytes)| stream.push(number, bytes)).collect();
        let is_over = stream.is_over();
        pieces.push(stream.finish());
        (pieces, is_over)
    }

    fn texts(tokens: &[&str], stops: &[&str]) -> Vec<String> {
        let tokens: Vec<&[u8]> = tokens.iter().map(|token| token.as_bytes()).collect();
        pieces(&tokens, stops).0.into_iter().map(|piece| piece.text).collect()
    }

    #[test]
    fn what_may_be_a_stop_string_is_held_back() {
        assert_eq!(texts(&["a", "b", "c"], &[]), ["a", "b", "c", ""]);
        assert_eq!(texts(&["a", "b\n", "x", "\n\nc"], &["\n\n"]), ["a", "b", "\nx", "", ""]);
        assert_eq!(texts(&["a b", "c", "a", "b"], &["bcd", "ab"]), ["a ", "", "bc", "", ""]);
        assert_eq!(texts(&["abab", "ac"], &["ababac"]), ["", "", ""]);
        assert_eq!(texts(&["ab", "ab", "ac"], &["abac"]), ["", "ab", "", ""]);
        assert_eq!(texts(&["abc"], &["c", "bc"]), ["a", ""]);
        // a text that ends within what might have become a stop string has all of it
        assert_eq!(texts(&["a", "\n"], &["\n\n"]), ["a", "", "\n"]);
    }

    #[test]
    fn characters_come_whole() {
        let (pieces, _) = pieces(&["日".as_bytes(), b"\xe6", b"\x97", b"\xa5x", b"\xe6", b"y", b"\xf0\x9f"], &[]);
        let texts: Vec<&str> = pieces.iter().map(|piece| piece.text.as_str()).collect();
        assert_eq!(texts, ["日", "", "", "日x", "", "\u{fffd}y", "", "\u{fffd}"]);
        let tokens: Vec<(usize, usize)> = pieces.iter().flat_map(|piece| piece.tokens.clone()).collect();
        assert_eq!(tokens, [(0, 0), (1, 1), (2, 1), (3, 1), (4, 3), (5, 4), (6, 5)]);
    }

    /// Tokens that begin before a stop string are there, and those behind are not.
    #[test]
    fn tokens_end_with_the_text() {
        let of = |tokens: &[&[u8]], stops: &[&str]| {
            let (pieces, is_over) = pieces(tokens, stops);
            let tokens: Vec<usize> =
                pieces.iter().flat_map(|piece| piece.tokens.iter().map(|(token, _)| *token)).collect();
            (tokens, is_over)
        };
        assert_eq!(of(&[b"a", b"b.", b".c", b"d"], &[".."]), (vec![0, 1], true));
        assert_eq!(of(&[b"a", b"b", b"..", b"d"], &[".."]), (vec![0, 1], true));
        // a special token says nothing, and belongs to the text that it ends
        assert_eq!(of(&[b"a", b"b.", b""], &[".."]), (vec![0, 1, 2], false));
        assert_eq!(of(&[b""], &[]), (vec![0], false));
    }

    proptest! {
        /// Whatever the pieces: together they are the text up to the first stop string that was complete, as it is found in the whole text;
        /// nothing of a stop string was given away before.
        #[test]
        fn pieces_are_the_whole(
            tokens in proptest::collection::vec("[ab日.]{0,3}", 0..14),
            stops in proptest::collection::vec("[ab日.]{1,4}", 0..3),
            cuts in proptest::collection::vec(0..3usize, 0..60),
        ) {
            let whole = tokens.concat();
            // cut anywhere, within characters, too
            let mut parts: Vec<&[u8]> = Vec::new();
            let mut rest = whole.as_bytes();
            for cut in cuts {
                let (part, others) = rest.split_at(cut.min(rest.len()));
                parts.push(part);
                rest = others;
            }
            parts.push(rest);
            let strings: Vec<&str> = stops.iter().map(String::as_str).collect();
            let (found, is_over) = pieces(&parts, &strings);
            let text: String = found.iter().map(|piece| piece.text.as_str()).collect();
            // the first part behind which a stop string is there, and where it begins
            let mut end = 0;
            let expected = parts.iter().find_map(|part| {
                end += part.len();
                let valid = whole[..].floor_char_boundary(end);
                strings.iter().filter_map(|stop| whole[..valid].find(stop)).min()
            });
            prop_assert_eq!(is_over, expected.is_some());
            prop_assert_eq!(&text, &whole[..expected.unwrap_or(whole.len())]);
            for (_, place) in found.iter().flat_map(|piece| &piece.tokens) {
                prop_assert!(*place <= text.chars().count());
            }
            if expected.is_none() {
                prop_assert_eq!(found.iter().map(|piece| piece.tokens.len()).sum::<usize>(), parts.len());
            }
        }
    }
}
