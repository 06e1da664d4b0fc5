//! Tokens that stand for themselves, such as `<|endoftext|>`: text is cut at them before anything else.

/// Tokens that are looked for together.
#[derive(Debug, Clone)]
pub(super) struct Specials {
    /// Longer ones first: where several begin at one place, the longest is meant.
    tokens: Vec<(String, u32)>,
    /// Whether a token begins with a byte.
    begins: [bool; 256],
}

/// A part of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Segment<'t> {
    /// Text between tokens, never empty.
    Text(&'t str),
    /// A token that stands for itself.
    Special(u32),
}

impl Specials {
    /// - `tokens`: contents, which are not empty, with their ids
    pub(super) fn new(mut tokens: Vec<(String, u32)>) -> Self {
        tokens.sort_by_key(|(content, _)| std::cmp::Reverse(content.len()));
        let mut begins = [false; 256];
        tokens.iter().for_each(|(content, _)| begins[usize::from(content.as_bytes()[0])] = true);
        Self { tokens, begins }
    }

    /// Contents with their ids, longer ones first.
    pub(super) fn tokens(&self) -> &[(String, u32)] {
        &self.tokens
    }

    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.tokens.is_empty()
    }

    /// A text in which none of the tokens stands any more: behind the first character of each is a mark.
    ///
    /// - `mark`: a character of no token
    pub(super) fn marked(&self, text: &str, mark: char) -> String {
        let mut marked = String::with_capacity(text.len());
        for (at, character) in text.char_indices() {
            marked.push(character);
            let rest = &text[at..];
            let begins = self.begins[usize::from(rest.as_bytes()[0])];
            if begins && self.tokens.iter().any(|(content, _)| rest.starts_with(content)) {
                marked.push(mark);
            }
        }
        marked
    }

    /// Cuts a text at its tokens, from left to right.
    pub(super) fn segments<'t>(&self, text: &'t str) -> Vec<Segment<'t>> {
        if self.is_empty() {
            return if text.is_empty() { Vec::new() } else { vec![Segment::Text(text)] };
        }
        let mut segments = Vec::new();
        let (mut from, mut at) = (0, 0);
        let bytes = text.as_bytes();
        while let Some(next) = bytes[at..].iter().position(|byte| self.begins[usize::from(*byte)]) {
            at += next;
            let Some((content, id)) =
                self.tokens.iter().find(|(content, _)| bytes[at..].starts_with(content.as_bytes()))
            else {
                at += 1;
                continue;
            };
            if from < at {
                segments.push(Segment::Text(&text[from..at]));
            }
            segments.push(Segment::Special(*id));
            at += content.len();
            from = at;
        }
        if from < text.len() {
            segments.push(Segment::Text(&text[from..]));
        }
        segments
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_leftmost_and_longest_token_is_taken() {
        use Segment::{Special, Text};
        let specials = Specials::new(vec![("<a>".into(), 1), ("<a><b>".into(), 2), ("é".into(), 3)]);
        assert_eq!(specials.segments("x<a><b><a>é<a"), [Text("x"), Special(2), Special(1), Special(3), Text("<a")]);
        assert_eq!(specials.segments(""), []);
        assert_eq!(specials.marked("x<a><b>", '!'), "x<!a><b>");
    }
}
