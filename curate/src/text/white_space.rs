//! White space and signs that are not seen, made even.

/// Writes `text` to `even`: repeated spaces become one, lines have no space at their end, no more than two line feeds follow
/// each other, and signs that are not seen are left out. Spaces at the beginning of a line stay, for they say something in code
/// and lists. Returns how many bytes were taken.
///
/// ```
/// # use curate::text::white_space::even;
/// let mut out = String::new();
/// assert_eq!(even("a \u{a0} b\t\r\n\n\n\n  c\u{200b} ", &mut out), 11);
/// assert_eq!(out, "a b\n\n  c");
/// ```
pub fn even(text: &str, even: &mut String) -> u64 {
    even.clear();
    let mut blank = 0;
    for line in text.split('\n') {
        let written = even.len();
        if !even.is_empty() {
            even.push('\n');
        }
        let body = even.len();
        let indent = line.len() - line.trim_start_matches([' ', '\t']).len();
        even.push_str(&line[..indent]);
        let mut space = false;
        for character in line[indent..].chars() {
            if character.is_whitespace() {
                space = true;
            } else if !is_unseen(character) {
                if space && even.len() > body + indent {
                    even.push(' ');
                }
                space = false;
                even.push(character);
            }
        }
        if even[body..].trim().is_empty() {
            // a blank line, of which one may stand between others
            blank += 1;
            even.truncate(if blank > 1 || written == 0 { written } else { body });
        } else {
            blank = 0;
        }
    }
    even.truncate(even.trim_end().len());
    (text.len() - even.len()) as u64
}

/// Whether a character leaves no trace on paper and joins no others: controls, soft hyphens, spaces of no width, marks of byte
/// order. Joiners, which shape letters and emoji, are seen.
fn is_unseen(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{ad}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2060}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn evened(text: &str) -> String {
        let mut out = String::new();
        even(text, &mut out);
        out
    }

    #[test]
    fn lines_and_their_indent_stay() {
        assert_eq!(evened("\n\nif x:\n    y  = 1\n\n\n\n\tz\n"), "if x:\n    y = 1\n\n\tz");
    }

    proptest! {
        #[test]
        fn even_text_stays_as_it_is(text in "[ab \t\n\u{a0}\u{200b}é]{0,60}") {
            let once = evened(&text);
            prop_assert_eq!(evened(&once), once.clone());
            let letters = |text: &str| text.chars().filter(|character| character.is_alphabetic()).collect::<String>();
            prop_assert_eq!(letters(&once), letters(&text));
        }
    }
}
