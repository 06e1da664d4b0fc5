//! What kind a character is, as Python, its module `re` and its package `regex` tell them apart.

use std::sync::LazyLock;

use regex::Regex;

/// The kind of a character, by its general category.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Class {
    /// None of the others: marks, separators, controls, what is not assigned.
    Other,
    /// `\p{L}`.
    Letter,
    /// `\p{N}`.
    Number,
    /// `\p{P}`.
    Punctuation,
    /// `\p{S}`.
    Symbol,
}

/// The classes of all characters, a table that is made once.
static CLASSES: LazyLock<Box<[Class]>> = LazyLock::new(|| {
    let all: String = ('\0'..=char::MAX).collect();
    let mut classes = vec![Class::Other; char::MAX as usize + 1];
    for (expression, class) in [
        (r"\p{L}+", Class::Letter),
        (r"\p{N}+", Class::Number),
        (r"\p{P}+", Class::Punctuation),
        (r"\p{S}+", Class::Symbol),
    ] {
        let expression = Regex::new(expression).expect("the expression is sound");
        for found in expression.find_iter(&all) {
            found.as_str().chars().for_each(|character| classes[character as usize] = class);
        }
    }
    classes.into()
});

/// The kind of a character.
pub(super) fn class(character: char) -> Class {
    match character {
        'a'..='z' | 'A'..='Z' => Class::Letter,
        '0'..='9' => Class::Number,
        '$' | '+' | '<' | '=' | '>' | '^' | '`' | '|' | '~' => Class::Symbol,
        _ if character.is_ascii_punctuation() => Class::Punctuation,
        _ if character.is_ascii() => Class::Other,
        _ => CLASSES[character as usize],
    }
}

/// Whether a character is white space: what the standard library takes for it, and the four separators of ASCII.
pub(super) fn is_space(character: char) -> bool {
    character.is_whitespace() || matches!(character, '\u{1c}'..='\u{1f}')
}

/// What stands between white space.
pub(super) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(is_space).filter(|word| !word.is_empty())
}

/// A text, in lower case where that is asked for.
pub(super) fn cased(text: &str, lowercase: bool) -> std::borrow::Cow<'_, str> {
    if lowercase { text.to_lowercase().into() } else { text.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is written down of ASCII is what the table has.
    #[test]
    fn the_classes_of_ascii_are_those_of_the_table() {
        for character in '\0'..='\x7f' {
            assert_eq!(class(character), CLASSES[character as usize], "{character:?}");
        }
        assert_eq!(['é', 'ª', '日', 'ʰ'].map(class), [Class::Letter; 4]);
        assert_eq!(['٣', '½', 'Ⅷ', '²'].map(class), [Class::Number; 4]);
        assert_eq!(['。', '—', '¿', '»'].map(class), [Class::Punctuation; 4]);
        assert_eq!(['€', '°', '∑', '😀'].map(class), [Class::Symbol; 4]);
        assert_eq!(['\u{301}', '\u{a0}', '\u{200b}', '\u{e000}'].map(class), [Class::Other; 4]);
    }

    #[test]
    fn words_stand_between_any_white_space() {
        let text = "\u{3000}a\u{1c}b\u{a0}\u{2028}c\u{200b}d\t";
        assert_eq!(words(text).collect::<Vec<_>>(), ["a", "b", "c\u{200b}d"]);
    }
}
