//! Marks outside ASCII, by what they do to a chunk.

/// The character at a byte.
pub fn next_char(text: &str, at: usize) -> char {
    text[at..].chars().next().expect("`at` lies on a character")
}

/// Whether a character may stand before or behind a word in quotes.
pub fn is_quote(character: char) -> bool {
    matches!(
        character,
        '\'' | '"' | '”' | '“' | '`' | '‘' | '´' | '’' | '‚' | ',' | '„' | '»' | '«' | '「' | '」' | '『' | '』'
    )
}

/// A mark outside ASCII that is taken off both ends of a chunk.
pub fn is_wide_mark(character: char) -> bool {
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
pub fn is_ideographic_mark(character: char) -> bool {
    matches!(
        character,
        '\u{3001}'..='\u{3003}' | '\u{3008}'..='\u{3011}' | '\u{3014}'..='\u{301b}' | '\u{ff01}'..='\u{ff0f}'
            | '\u{ff1a}'..='\u{ff20}' | '\u{ff3b}'..='\u{ff40}' | '\u{ff5b}'..='\u{ff65}'
    )
}

/// Signs and pictures that stand for themselves.
pub fn is_symbol(character: char) -> bool {
    matches!(
        character,
        '¦' | '©' | '®' | '°' | '\u{2100}'..='\u{214f}' | '\u{2190}'..='\u{23ff}' | '\u{2500}'..='\u{27bf}'
            | '\u{2900}'..='\u{2bff}' | '\u{1f000}'..='\u{1faff}'
    ) && !character.is_alphabetic()
}

/// Whether a character stands for a currency.
pub fn is_currency(character: char) -> bool {
    matches!(character, '£' | '€' | '¥' | '฿' | '\u{20a0}'..='\u{20bf}')
}
