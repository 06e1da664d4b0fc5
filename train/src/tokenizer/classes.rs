//! What kind a character is, as the patterns of tokenizers tell them apart.

use std::sync::LazyLock;

use tokenizers::utils::SysRegex;

/// The kind of a character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Class {
    /// Neither of the others: marks, symbols.
    Other,
    /// `\p{L}`.
    Letter,
    /// `\p{N}`.
    Number,
    /// `\s`.
    Space,
}

/// The classes of all characters: a table that is made once, some 20 ms, by the expressions of the crate `tokenizers`
/// themselves. The standard library knows other editions of Unicode, and no `\p{L}`.
static CLASSES: LazyLock<Box<[Class]>> = LazyLock::new(|| {
    let all: String = ('\0'..=char::MAX).collect();
    let mut classes = vec![Class::Other; char::MAX as usize + 1];
    for (expression, class) in [(r"\p{L}+", Class::Letter), (r"\p{N}+", Class::Number), (r"\s+", Class::Space)] {
        let expression = SysRegex::new(expression).expect("the expression is sound");
        for (start, end) in expression.find_iter(&all) {
            all[start..end].chars().for_each(|found| classes[found as usize] = class);
        }
    }
    classes.into()
});

/// The classes of the first 128 characters, to have them at hand.
const ASCII: [Class; 128] = {
    let mut classes = [Class::Other; 128];
    let mut byte = 0u8;
    while byte < 128 {
        if byte.is_ascii_alphabetic() {
            classes[byte as usize] = Class::Letter;
        } else if byte.is_ascii_digit() {
            classes[byte as usize] = Class::Number;
        } else if matches!(byte, b' ' | 9..=13) {
            classes[byte as usize] = Class::Space;
        }
        byte += 1;
    }
    classes
};

/// The classes of characters.
#[derive(Debug, Clone, Copy)]
pub(super) struct Classes(&'static [Class]);

impl Classes {
    /// The table.
    pub(super) fn new() -> Self {
        Self(&CLASSES)
    }

    /// The class of the character that begins at byte `at`, and how many bytes it has.
    #[inline]
    pub(super) fn at(self, text: &str, at: usize) -> (Class, usize) {
        let byte = text.as_bytes()[at];
        if byte < 128 {
            return (ASCII[usize::from(byte)], 1);
        }
        let character = text[at..].chars().next().expect("a byte is there");
        (self.0[character as usize], character.len_utf8())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The two tables are one; and white space is what the standard library takes for it, by which texts are parted.
    #[test]
    fn ascii_is_as_the_whole_table_has_it() {
        for (code, class) in ASCII.iter().enumerate() {
            assert_eq!(CLASSES[code], *class, "{code}");
        }
        let class = |character: char| CLASSES[character as usize];
        assert_eq!(['é', 'ª', '日', 'ʰ', 'ǅ'].map(class), [Class::Letter; 5]);
        assert_eq!(['٣', '½', 'Ⅷ', '²'].map(class), [Class::Number; 4]);
        assert_eq!(['\u{85}', '\u{a0}', '\u{2003}', '\u{3000}'].map(class), [Class::Space; 4]);
        assert_eq!(['\u{301}', 'ⓐ', '\u{200b}', '€', '\u{e000}'].map(class), [Class::Other; 5]);
        let mut all = '\0'..=char::MAX;
        assert!(all.all(|character| (class(character) == Class::Space) == character.is_whitespace()));
    }
}
