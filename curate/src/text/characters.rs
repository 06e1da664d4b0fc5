//! The facts about a text's characters that quality rules are made of: how many are digits, white space, brackets, or no letters at all.
//!
//! Source: what NeMo Curator's heuristic filters count, in any script instead of ASCII.
//! Cost: one walk; for a character of ASCII one look into a table and one addition.

#![expect(clippy::cast_possible_truncation, reason = "one count of four is taken out of them")]

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

/// Four counts of 32 bits each, which one addition raises together.
type Counts = u128;

const DIGIT: Counts = 1;
const WHITE_SPACE: Counts = 1 << 32;
const BRACKET: Counts = 1 << 64;
const NON_ALPHANUMERIC: Counts = 1 << 96;

/// What each character of ASCII counts as.
static ASCII: [Counts; 128] = {
    let mut counts = [0; 128];
    let mut byte = 0;
    while byte < 128 {
        counts[byte as usize] = of_ascii(byte);
        byte += 1;
    }
    counts
};

/// Counts the characters of `text`.
///
/// ```
/// # use curate::text::characters::{CharacterFacts, character_facts};
/// let facts = character_facts("Call (030) 12 34, now!\n");
/// assert_eq!(facts, CharacterFacts { digits: 7, white_space: 5, brackets: 2, non_alphanumeric: 6 });
/// ```
#[must_use]
pub fn character_facts(text: &str) -> CharacterFacts {
    assert!(u32::try_from(text.len()).is_ok(), "a document has less than 4 GiB of text");
    let counts: Counts = text
        .chars()
        .map(|character| if character.is_ascii() { ASCII[character as usize] } else { of_others(character) })
        .sum();
    let count = |one: Counts| u64::from((counts >> one.trailing_zeros()) as u32);
    CharacterFacts {
        digits: count(DIGIT),
        white_space: count(WHITE_SPACE),
        brackets: count(BRACKET),
        non_alphanumeric: count(NON_ALPHANUMERIC),
    }
}

const fn of_ascii(byte: u8) -> Counts {
    match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'?' | b'!' | b',' | b'.' => 0,
        b'0'..=b'9' => DIGIT,
        b'\n' => WHITE_SPACE,
        b' ' | b'\t' | b'\r' | 0x0b | 0x0c => WHITE_SPACE + NON_ALPHANUMERIC,
        b'(' | b')' | b'[' | b']' | b'{' | b'}' => BRACKET + NON_ALPHANUMERIC,
        _ => NON_ALPHANUMERIC,
    }
}

fn of_others(character: char) -> Counts {
    match character {
        letter if letter.is_alphabetic() => 0,
        digit if digit.is_numeric() => DIGIT,
        space if space.is_whitespace() => WHITE_SPACE + NON_ALPHANUMERIC,
        '⟨' | '⟩' => BRACKET + NON_ALPHANUMERIC,
        _ => NON_ALPHANUMERIC,
    }
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
