//! The tokenizers of `sacreBLEU`: rules that put blanks into a line, at which it is then split.
//!
//! Source: NIST's `mteval` 13a and 14, and `sacreBLEU` 2.6.0 for what it does beside them.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::metrics::characters::{Class, class, is_space, words};

/// How a line becomes tokens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Tokenizer {
    /// That of `mteval` 13a: marks of ASCII stand alone; periods and commas do but between digits, dashes after digits.
    #[default]
    #[serde(rename = "13a")]
    V13a,
    /// That of `mteval` 14: marks and symbols stand alone by their Unicode categories, marks between digits excepted.
    #[serde(rename = "intl")]
    International,
    /// Every character is a token.
    #[serde(rename = "char")]
    Character,
    /// Chinese characters stand alone, as do symbols from U+2001 to U+2A6D; the rest is treated as by 13a. Chinese beyond U+FFFF does not.
    #[serde(rename = "zh")]
    Chinese,
    /// Tokens stand between white space.
    #[serde(rename = "none")]
    None,
}

impl Tokenizer {
    /// Its name in signatures.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::V13a => "13a",
            Self::International => "intl",
            Self::Character => "char",
            Self::Chinese => "zh",
            Self::None => "none",
        }
    }

    /// The tokens of a line.
    ///
    /// ```
    /// # use train::metrics::bleu::Tokenizer;
    /// assert_eq!(Tokenizer::V13a.tokens("3,000.5-fold"), ["3,000.5", "-", "fold"]);
    /// ```
    #[must_use]
    pub fn tokens(self, line: &str) -> Vec<String> {
        words(&self.spaced(line)).map(str::to_owned).collect()
    }

    /// The line with white space between its tokens. White space at its end counts for nothing, so that a hyphen there stays.
    pub(super) fn spaced(self, line: &str) -> Cow<'_, str> {
        let line = line.trim_end_matches(is_space);
        match self {
            Self::V13a => western(&format!(" {} ", unescaped(line))).into(),
            Self::International => international(line).into(),
            Self::Character => line.chars().flat_map(|character| [character, ' ']).collect::<String>().into(),
            Self::Chinese => western(&around(line.trim_matches(is_space), is_chinese)).into(),
            Self::None => line.into(),
        }
    }
}

/// Without what `mteval` skips: lines are joined, at hyphens without a blank, and entities are replaced one after the other.
fn unescaped(line: &str) -> String {
    let line = line.replace("<skipped>", "").replace("-\n", "").replace('\n', " ");
    let entities = [("&quot;", "\""), ("&amp;", "&"), ("&lt;", "<"), ("&gt;", ">")];
    entities
        .iter()
        .fold(line, |line, (entity, sign)| if line.contains('&') { line.replace(entity, sign) } else { line })
}

/// The rules of 13a for Western languages.
fn western(line: &str) -> String {
    let is_mark = |sign: char| sign.is_ascii_punctuation() && !matches!(sign, '\'' | ',' | '-' | '.');
    let is_stop = |sign: char| matches!(sign, '.' | ',');
    let is_digit = |sign: char| sign.is_ascii_digit();
    let line = around(line, is_mark);
    let line = between(&line, |sign| !is_digit(sign), is_stop, Blanks::AroundSecond);
    let line = between(&line, is_stop, |sign| !is_digit(sign), Blanks::AroundFirst);
    between(&line, is_digit, |sign| sign == '-', Blanks::AroundSecond)
}

/// The rules of 14, by Unicode categories.
fn international(line: &str) -> String {
    let is_mark = |sign: char| class(sign) == Class::Punctuation;
    let is_no_number = |sign: char| class(sign) != Class::Number;
    let line = between(line, is_no_number, is_mark, Blanks::AroundSecond);
    let line = between(&line, is_mark, is_no_number, Blanks::AroundFirst);
    around(&line, |sign| class(sign) == Class::Symbol)
}

/// A blank on both sides of some characters.
fn around(line: &str, is_alone: impl Fn(char) -> bool) -> String {
    let mut spaced = String::with_capacity(line.len() + line.len() / 4);
    for sign in line.chars() {
        if is_alone(sign) {
            spaced.extend([' ', sign, ' ']);
        } else {
            spaced.push(sign);
        }
    }
    spaced
}

/// Which of two neighbours gets a blank on both its sides.
#[derive(Clone, Copy)]
enum Blanks {
    AroundFirst,
    AroundSecond,
}

/// Blanks around one of two neighbours, wherever both are of their kind. Pairs are found from left to right and do not overlap.
fn between(line: &str, first: impl Fn(char) -> bool, second: impl Fn(char) -> bool, blanks: Blanks) -> String {
    let mut spaced = String::with_capacity(line.len() + line.len() / 4);
    let mut signs = line.chars().peekable();
    while let Some(one) = signs.next() {
        let pair = if first(one) { signs.next_if(|other| second(*other)) } else { None };
        match (pair, blanks) {
            (None, _) => spaced.push(one),
            (Some(other), Blanks::AroundFirst) => spaced.extend([' ', one, ' ', other]),
            (Some(other), Blanks::AroundSecond) => spaced.extend([one, ' ', other, ' ']),
        }
    }
    spaced
}

/// What `sacreBLEU` takes for Chinese. The range from U+2001 to U+2A6D is what becomes there of one that was meant for U+20000 to U+2A6D6.
fn is_chinese(sign: char) -> bool {
    matches!(sign,
        '\u{2001}'..='\u{2a6d}' | '\u{2e80}'..='\u{2eff}' | '\u{2f00}'..='\u{2fdf}' | '\u{2ff0}'..='\u{303f}'
        | '\u{3100}'..='\u{312f}' | '\u{31a0}'..='\u{31bf}' | '\u{31c0}'..='\u{31ef}' | '\u{3200}'..='\u{4db5}'
        | '\u{4e00}'..='\u{9fbb}' | '\u{f900}'..='\u{fa2d}' | '\u{fa30}'..='\u{fa6a}' | '\u{fa70}'..='\u{fad9}'
        | '\u{fe10}'..='\u{fe1f}' | '\u{fe30}'..='\u{fe4f}' | '\u{ff00}'..='\u{ffef}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_stand_alone() {
        let tokens = |tokenizer: Tokenizer, line: &str| tokenizer.tokens(line).join(" ");
        assert_eq!(tokens(Tokenizer::V13a, "U.S. (well-\nknown)"), "U . S . ( wellknown )");
        assert_eq!(tokens(Tokenizer::International, "«Ça» coûte 3,5 €…"), "« Ça » coûte 3,5 € …");
        assert_eq!(tokens(Tokenizer::Chinese, "你好, world."), "你 好 , world .");
        assert_eq!(tokens(Tokenizer::Character, "a b"), "a b");
        assert_eq!(tokens(Tokenizer::None, " a,b  c\n"), "a,b c");
    }
}
