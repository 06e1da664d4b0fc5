//! Marks: which are accents, which make another letter, which are not seen.

/// What the last character was, as far as the next one cares.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Last {
    /// White space, or nothing.
    Space,
    /// A letter.
    Letter,
    /// A digit.
    Digit,
    /// A point or comma behind a digit: part of the number if a digit follows, else white space.
    NumberPoint,
}

/// Whether a character is written as one with the last: vowels and final consonants of Hangul, the two marks of kana.
pub fn is_joined(part: char, last: Last) -> bool {
    match part {
        '\u{1161}'..='\u{1175}' | '\u{11a8}'..='\u{11c2}' => last == Last::Letter,
        _ => matches!(part, '\u{3099}' | '\u{309a}'),
    }
}

/// Whether a mark is one of those that many scripts share, or chooses how a sign looks.
pub fn is_accent(mark: char) -> bool {
    matches!(
        mark,
        '\u{300}'..='\u{36f}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}'
            | '\u{180b}'..='\u{180f}' | '\u{fe00}'..='\u{fe0f}' | '\u{fe20}'..='\u{fe2f}' | '\u{e0100}'..='\u{e01ef}'
    )
}

/// Whether a Cyrillic letter and a mark are another letter: й, ў, ї, ѓ, ќ.
pub fn makes_a_letter(letter: Option<&[u8; 2]>, mark: char) -> bool {
    let Some(letter) = letter.and_then(|letter| std::str::from_utf8(letter).ok()) else { return false };
    matches!((letter, mark), ("и" | "у", '\u{306}') | ("і", '\u{308}') | ("г" | "к", '\u{301}'))
}

/// Whether a character is not seen and divides nothing: soft hyphens, joiners, marks of byte order.
pub fn is_unseen(part: char) -> bool {
    matches!(part, '\u{ad}' | '\u{200c}' | '\u{200d}' | '\u{2060}' | '\u{feff}')
}
