//! Texts cut to a length that a page can hold.

/// Bytes that a character takes in HTML.
fn escaped_bytes(character: char) -> usize {
    match character {
        '&' => 5,
        '<' | '>' => 4,
        '"' => 6,
        other => other.len_utf8(),
    }
}

/// The beginning of `text` that takes at most so many bytes when it is escaped, whole characters, and whether something is left out.
#[must_use]
pub fn beginning(text: &str, bytes: usize) -> (&str, bool) {
    let mut taken = 0;
    for (place, character) in text.char_indices() {
        taken += escaped_bytes(character);
        if taken > bytes {
            return (&text[..place], true);
        }
    }
    (text, false)
}

/// The end of `text` that takes at most so many bytes when it is escaped, and whether something is left out.
#[must_use]
pub fn ending(text: &str, bytes: usize) -> (&str, bool) {
    let mut taken = 0;
    for (place, character) in text.char_indices().rev() {
        taken += escaped_bytes(character);
        if taken > bytes {
            return (&text[place + character.len_utf8()..], true);
        }
    }
    (text, false)
}

/// A name that is no longer than so many characters, with a sign where it was cut.
#[must_use]
pub fn short(name: &str, characters: usize) -> String {
    if name.chars().count() <= characters {
        return name.to_owned();
    }
    name.chars().take(characters.saturating_sub(1)).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escaped_characters_count_as_what_they_become() {
        assert_eq!(beginning("a<b", 5), ("a<", true));
        assert_eq!(beginning("a<b", 6), ("a<b", false));
        assert_eq!(ending("aé", 2), ("é", true));
        assert_eq!(short("gopher_too_short", 7), "gopher…");
    }
}
