//! The facts about a text's characters that quality rules are made of: how many are digits, white space, brackets, or no letters at all.
//!
//! Source: what NeMo Curator's heuristic filters count, in any script instead of ASCII.
//! Cost: bytes of ASCII are counted many at a time, a pass for each kind; other characters one by one.

/// Counts of characters by what they are. Shares are for the rules to take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CharacterFacts {
    /// Digits, and other signs for numbers that are no letters.
    pub digits: u64,
    /// White space, line feeds included.
    pub white_space: u64,
    /// Round, square, curly and angle brackets.
    pub brackets: u64,
    /// What is neither letter nor digit, but for line feeds and `?`, `!`, `,` and `.`; a space is among them.
    pub non_alphanumeric: u64,
}

/// Counts the characters of `text`.
///
/// ```
/// # use curate::text::characters::{CharacterFacts, character_facts};
/// let facts = character_facts("Call (030) 12 34, now!\n");
/// assert_eq!(facts, CharacterFacts { digits: 7, white_space: 5, brackets: 2, non_alphanumeric: 6 });
/// ```
#[must_use]
pub fn character_facts(text: &str) -> CharacterFacts {
    let bytes = text.as_bytes();
    let mut facts = CharacterFacts {
        digits: bytes_that(bytes, |byte| byte.is_ascii_digit()),
        white_space: bytes_that(bytes, is_space),
        brackets: bytes_that(bytes, |byte| matches!(byte, b'(' | b')' | b'[' | b']' | b'{' | b'}')),
        non_alphanumeric: bytes_that(bytes, |byte| {
            byte.is_ascii() && !byte.is_ascii_alphanumeric() && !matches!(byte, b'\n' | b'?' | b'!' | b',' | b'.')
        }),
    };
    let mut rest = text;
    while let Some(place) = rest.bytes().position(|byte| !byte.is_ascii()) {
        let mut characters = rest[place..].chars();
        characters.next().into_iter().for_each(|character| facts.add(character));
        rest = characters.as_str();
    }
    facts
}

impl CharacterFacts {
    /// Counts a character that is not of ASCII.
    fn add(&mut self, character: char) {
        if character.is_alphabetic() {
            return;
        }
        if character.is_numeric() {
            self.digits += 1;
            return;
        }
        self.white_space += u64::from(character.is_whitespace());
        self.brackets += u64::from(matches!(character, '⟨' | '⟩'));
        self.non_alphanumeric += 1;
    }
}

/// White space of Unicode that is of ASCII.
fn is_space(byte: u8) -> bool {
    matches!(byte, b'\t'..=b'\r' | b' ')
}

/// How many bytes are of a kind. Counts of 8 bits over pieces that cannot overflow them are one instruction for many bytes; a sum that is
/// checked would be one for each.
fn bytes_that(bytes: &[u8], is: impl Fn(u8) -> bool) -> u64 {
    let of_piece = |piece: &[u8]| piece.iter().fold(0u8, |count, byte| count.wrapping_add(u8::from(is(*byte))));
    bytes.chunks(usize::from(u8::MAX)).map(|piece| u64::from(of_piece(piece))).sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Letters and digits of all scripts are what they are in Latin.
    #[test]
    fn scripts_are_counted_alike() {
        for text in ["où 12", "да 12", "数字 12", "हिंदी १२", "א ١٢", "ab ½²"] {
            let facts = character_facts(text);
            assert_eq!((facts.digits, facts.white_space, facts.non_alphanumeric), (2, 1, 1), "{text}");
        }
        let facts = character_facts("⟨x⟩\u{a0}[y] {z} — «!»");
        let expected = CharacterFacts { digits: 0, white_space: 4, brackets: 6, non_alphanumeric: 13 };
        assert_eq!(facts, expected);
    }

    proptest! {
        /// The counts of a text are those of its characters, one by one.
        #[test]
        fn counts_add_up(text in r"[a-z0-9 .,!?()\[\]{}⟨⟩\n\t\r\u{a0}#é数٣½—]{0,80}") {
            let facts = character_facts(&text);
            let count = |is: fn(char) -> bool| text.chars().filter(|character| is(*character)).count() as u64;
            prop_assert_eq!(facts.digits, count(char::is_numeric));
            prop_assert_eq!(facts.white_space, count(char::is_whitespace));
            prop_assert_eq!(facts.brackets, count(|character| "()[]{}⟨⟩".contains(character)));
            prop_assert_eq!(
                facts.non_alphanumeric,
                count(|character| !character.is_alphanumeric() && !"\n?!,.".contains(character))
            );
        }
    }
}
