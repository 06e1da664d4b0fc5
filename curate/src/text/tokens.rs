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

const LETTER: u8 = 1;
const DIGIT: u8 = 2;
const SPACE: u8 = 4;
/// Taken off the beginning of a chunk.
const PREFIX: u8 = 8;
/// Taken off the end of a chunk.
const SUFFIX: u8 = 16;
/// May divide a chunk, or be part of a contraction.
const INNER: u8 = 32;
const WIDE: u8 = 64;

/// What each byte may be.
static CLASSES: [u8; 256] = classes();

const fn classes() -> [u8; 256] {
    let mut classes = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let character = byte as u8;
        classes[byte] = match character {
            b'a'..=b'z' | b'A'..=b'Z' => LETTER,
            b'0'..=b'9' => DIGIT,
            b' ' | b'\t'..=b'\r' | 0x1c..=0x1f => SPACE,
            b'"' | b'(' | b')' | b'[' | b']' | b'{' | b'}' | b';' | b'!' | b'?' | b'_' | b'#' | b'&' | b'`' => {
                PREFIX | SUFFIX
            }
            b',' | b'.' | b':' | b'<' | b'>' | b'*' | b'\'' | b'%' | b'$' | b'+' => PREFIX | SUFFIX | INNER,
            b'=' => PREFIX | INNER,
            b'-' | b'~' | b'/' | b'^' => INNER,
            0x80.. => WIDE,
            _ => 0,
        };
        byte += 1;
    }
    classes
}

/// Abbreviations that keep their stop, without it, in order.
const ABBREVIATIONS: [&str; 52] = [
    "Adm", "Apr", "Aug", "Bros", "Co", "Conn", "Corp", "D.C", "Dec", "Del", "Dr", "E.g", "Feb", "Fla", "Ga", "Gen",
    "Gov", "I.e", "Ill", "Inc", "Ind", "Jan", "Jr", "Jul", "Jun", "Kan", "La", "Ltd", "Mar", "Mass", "Md", "Messrs",
    "Mich", "Minn", "Miss", "Mo", "Mr", "Mrs", "Ms", "Mt", "Nov", "Oct", "Pa", "Ph.D", "Prof", "Rep", "Rev", "Sen",
    "Sept", "St", "a.m", "co",
];

/// More of them, in order.
const SMALL_ABBREVIATIONS: [&str; 5] = ["e.g", "i.e", "p.m", "v.s", "vs"];

/// Units that are taken off a number.
const UNITS: [&str; 44] = [
    "G", "GB", "K", "KB", "M", "MB", "Pa", "T", "TB", "am", "cm", "dm", "ft", "g", "gb", "hPa", "ha", "in", "kb", "kg",
    "km", "kmh", "lb", "m", "mb", "mbar", "mg", "mm", "mph", "nm", "oz", "pm", "t", "tb", "yd", "µg", "µm", "г", "кг",
    "км", "м", "мм", "см", "т",
];

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

fn next_char(text: &str, at: usize) -> char {
    text[at..].chars().next().expect("`at` lies on a character")
}

/// How many bytes at the beginning of a chunk are a mark.
fn prefix(chunk: &str) -> usize {
    let bytes = chunk.as_bytes();
    let class = CLASSES[bytes[0] as usize];
    if class & PREFIX != 0 {
        let next = bytes.get(1).copied().unwrap_or_default();
        return match bytes[0] {
            b'.' if next == b'.' => bytes.iter().take_while(|byte| **byte == b'.').count(),
            b'.' => 0,
            b'+' if next.is_ascii_digit() => 0,
            _ => 1,
        };
    }
    if class == WIDE {
        let character = next_char(chunk, 0);
        return if is_wide_mark(character) || is_currency(character) { character.len_utf8() } else { 0 };
    }
    0
}

/// How many bytes at the end of a chunk are a mark, a unit or `'s`.
fn suffix(chunk: &str) -> usize {
    let bytes = chunk.as_bytes();
    let last = bytes[bytes.len() - 1];
    let class = CLASSES[last as usize];
    if class & (LETTER | WIDE) != 0 {
        let (at, character) = chunk.char_indices().next_back().expect("a chunk is not empty");
        if class == WIDE && (is_wide_mark(character) || (is_currency(character) && ends_in_digit(&chunk[..at]))) {
            return character.len_utf8();
        }
        if matches!(last, b's' | b'S') && at > 0 {
            return match chunk[..at].chars().next_back() {
                Some('\'') => 2,
                Some('’') => 4,
                _ => unit(chunk),
            };
        }
        return unit(chunk);
    }
    if class & SUFFIX == 0 {
        return 0;
    }
    let rest = &chunk[..chunk.len() - 1];
    match last {
        b'.' => stop(rest),
        b'%' | b'$' | b'+' => usize::from(ends_in_digit(rest)),
        _ => 1,
    }
}

/// How long the stop at the end of `rest` and `.` is: 0 where it belongs to an initial.
fn stop(rest: &str) -> usize {
    let mut before = rest.chars().rev();
    match before.next() {
        Some('.') => rest.bytes().rev().take_while(|byte| *byte == b'.').count() + 1,
        Some(last) if last.is_uppercase() => usize::from(before.next().is_some_and(char::is_uppercase)),
        Some(last) => usize::from(
            last.is_alphanumeric()
                || matches!(last, '%' | '²' | '-' | '+')
                || is_wide_mark(last)
                || (last.is_ascii() && CLASSES[last as usize] & SUFFIX != 0),
        ),
        None => 0,
    }
}

fn ends_in_digit(text: &str) -> bool {
    text.as_bytes().last().is_some_and(u8::is_ascii_digit)
}

/// The length of a unit behind a number.
fn unit(chunk: &str) -> usize {
    let tail = chunk.trim_start_matches(|character: char| !character.is_ascii_digit());
    if tail.is_empty() {
        return 0;
    }
    let letters = chunk.rfind(|character: char| character.is_ascii_digit()).map_or(chunk, |at| &chunk[at + 1..]);
    if UNITS.binary_search(&letters).is_ok() { letters.len() } else { 0 }
}

/// Whether a chunk is an abbreviation with its stop; a letter and a stop always are.
fn is_abbreviation(chunk: &str) -> bool {
    let Some(stem) = chunk.strip_suffix('.') else { return false };
    (stem.len() == 1 && stem.as_bytes()[0].is_ascii_alphabetic())
        || (stem.len() <= 6
            && (ABBREVIATIONS.binary_search(&stem).is_ok() || SMALL_ABBREVIATIONS.binary_search(&stem).is_ok()))
}

/// Whether a chunk is the address of a page, which is one token.
fn is_address(chunk: &str) -> bool {
    let rest = match chunk.split_once("://") {
        Some((scheme, rest)) if scheme.bytes().all(|byte| byte.is_ascii_alphabetic()) => rest,
        _ => chunk,
    };
    let host = rest.split(['/', '?', '#', ':']).next().unwrap_or_default();
    let is_host = host.chars().all(|character| character.is_alphanumeric() || matches!(character, '.' | '-' | '_'));
    let ending = host.rsplit_once('.').map_or("", |(_, ending)| ending);
    // a host alone may be two sentences without a space between them
    is_host && ending.len() >= 2 && (host.len() < chunk.len() || host.starts_with("www."))
}

/// Whether letters alone are two words.
fn is_contraction(word: &str) -> bool {
    matches!(word, "cannot" | "Cannot" | "gonna" | "Gonna" | "gotta" | "Gotta")
}

/// Where the second word of a contraction begins.
fn contraction(chunk: &str) -> Option<usize> {
    if is_contraction(chunk) {
        return Some(3);
    }
    let (at, mark) = chunk.char_indices().rev().take(4).find(|(_, character)| matches!(character, '\'' | '’'))?;
    let (stem, tail) = (&chunk[..at], &chunk[at + mark.len_utf8()..]);
    if tail.eq_ignore_ascii_case("t") && stem.len() > 1 && stem.ends_with(['n', 'N']) {
        return Some(at - 1);
    }
    let known = ["m", "ll", "ve", "re", "d"].iter().any(|known| tail.eq_ignore_ascii_case(known));
    (known && stem.chars().all(char::is_alphabetic) && !stem.is_empty()).then_some(at)
}

/// How many bytes at the beginning of `rest` divide a chunk, given the character before them.
fn divider(rest: &str, before: Option<char>) -> usize {
    let bytes = rest.as_bytes();
    let class = CLASSES[bytes[0] as usize];
    if class & (INNER | WIDE) == 0 {
        return 0;
    }
    let is_letter = |character: Option<char>| character.is_some_and(char::is_alphabetic);
    let is_digit = |character: Option<char>| character.is_some_and(|character| character.is_ascii_digit());
    let mut following = rest.chars();
    let mark = following.next().expect("the rest is not empty");
    let next = following.next();
    match mark {
        '.' if next == Some('.') => bytes.iter().take_while(|byte| **byte == b'.').count(),
        '…' => 3,
        '.' => {
            let ends = before.is_some_and(|last| last.is_lowercase() || is_quote(last));
            usize::from(ends && next.is_some_and(|first| first.is_uppercase() || is_quote(first)))
        }
        ',' => usize::from(is_letter(before) && is_letter(next)),
        '+' | '*' | '^' if is_digit(before) => usize::from(is_digit(next) || next == Some('-')),
        '-' if is_digit(before) && (is_digit(next) || next == Some('-')) => 1,
        '-' | '–' | '—' | '~' if is_letter(before) || is_digit(before) => {
            let hyphens: usize =
                rest.chars().take_while(|character| matches!(character, '-' | '—')).map(char::len_utf8).sum();
            let length = hyphens.max(mark.len_utf8());
            if is_letter(rest[length..].chars().next()) { length } else { 0 }
        }
        ':' | '<' | '>' | '=' | '/' => usize::from((is_letter(before) || is_digit(before)) && is_letter(next)),
        wide if is_symbol(wide) || is_ideographic_mark(wide) => wide.len_utf8(),
        _ => 0,
    }
}

fn is_quote(character: char) -> bool {
    matches!(
        character,
        '\'' | '"' | '”' | '“' | '`' | '‘' | '´' | '’' | '‚' | ',' | '„' | '»' | '«' | '「' | '」' | '『' | '』'
    )
}

/// A mark outside ASCII that is taken off both ends of a chunk.
fn is_wide_mark(character: char) -> bool {
    matches!(
        character,
        '…' | '¿'
            | '؟'
            | '¡'
            | '§'
            | '—'
            | '–'
            | '”'
            | '“'
            | '‘'
            | '´'
            | '’'
            | '‚'
            | '„'
            | '»'
            | '«'
            | '·'
            | '।'
            | '،'
            | '۔'
            | '؛'
            | '٪'
    ) || is_ideographic_mark(character)
        || is_symbol(character)
}

/// A mark of scripts that put no space beside it.
fn is_ideographic_mark(character: char) -> bool {
    matches!(
        character,
        '\u{3001}'..='\u{3003}' | '\u{3008}'..='\u{3011}' | '\u{3014}'..='\u{301b}' | '\u{ff01}'..='\u{ff0f}'
            | '\u{ff1a}'..='\u{ff20}' | '\u{ff3b}'..='\u{ff40}' | '\u{ff5b}'..='\u{ff65}'
    )
}

/// Signs and pictures that stand for themselves.
fn is_symbol(character: char) -> bool {
    matches!(
        character,
        '¦' | '©' | '®' | '°' | '\u{2100}'..='\u{214f}' | '\u{2190}'..='\u{23ff}' | '\u{2500}'..='\u{27bf}'
            | '\u{2900}'..='\u{2bff}' | '\u{1f000}'..='\u{1faff}'
    ) && !character.is_alphabetic()
}

fn is_currency(character: char) -> bool {
    matches!(character, '£' | '€' | '¥' | '฿' | '\u{20a0}'..='\u{20bf}')
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
    fn the_lists_are_in_order() {
        assert!(ABBREVIATIONS.is_sorted() && SMALL_ABBREVIATIONS.is_sorted() && UNITS.is_sorted());
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
