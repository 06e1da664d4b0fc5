//! RefinedWeb's rules on lines: which lines of a page are none of its text.
//!
//! Source: Penedo et al. 2023 (RefinedWeb), appendix G.2; the numbers as DCLM's baseline has them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::unspaced;

/// Which lines go.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RefinedwebLines {
    /// Largest share of a line's characters that are capitals.
    pub max_capitals: f64,
    /// Fewest words of a line: what stands between white space, divided where a script puts none.
    pub min_words: usize,
    /// Words of a line that may be a call to sign in, to read on, or to look into a cart.
    pub max_call_words: usize,
    /// The largest share of a text's words that may go; a text that loses more is dropped.
    pub max_cut_words: f64,
}

impl Default for RefinedwebLines {
    fn default() -> Self {
        Self { max_capitals: 0.5, min_words: 2, max_call_words: 10, max_cut_words: 0.05 }
    }
}

/// What is counted on pages of social media.
const COUNTED: [&str; 12] = [
    "likes",
    "shares",
    "comments",
    "retweets",
    "reposts",
    "quotes",
    "bookmarks",
    "upvotes",
    "downvotes",
    "downloads",
    "views",
    "followers",
];

impl RefinedwebLines {
    /// Writes the lines that stay to `rest`. Returns the words that were there, and those that went.
    pub fn apply(&self, text: &str, rest: &mut String) -> (u64, u64) {
        rest.clear();
        let (mut words, mut cut) = (0, 0);
        for line in text.split('\n') {
            let of_line = unspaced::count(line);
            words += of_line as u64;
            if of_line > 0 && !self.keeps(line.trim(), of_line) {
                cut += of_line as u64;
                continue;
            }
            if !rest.is_empty() {
                rest.push('\n');
            }
            rest.push_str(line);
        }
        (words, cut)
    }

    /// Whether a text that lost `cut` of its `words` is dropped.
    #[must_use]
    pub fn loses_too_much(&self, words: u64, cut: u64) -> bool {
        cut as f64 > words as f64 * self.max_cut_words
    }

    fn keeps(&self, line: &str, words: usize) -> bool {
        let (mut characters, mut capitals, mut digits) = (0.0, 0.0, 0.0);
        for character in line.chars() {
            characters += 1.0;
            capitals += f64::from(u8::from(character.is_uppercase()));
            digits += f64::from(u8::from(character.is_numeric()));
        }
        words >= self.min_words
            && capitals <= characters * self.max_capitals
            && digits < characters
            && !is_counter(line)
            && !(words <= self.max_call_words && is_call(line))
    }
}

/// Whether a line is a number and what it counts, like `1,204 likes` or `3.5K followers`.
fn is_counter(line: &str) -> bool {
    let line = line.trim_matches(|character: char| !character.is_alphanumeric());
    let Some((number, counted)) = line.split_once(char::is_whitespace) else { return false };
    let number = number.trim_end_matches(['K', 'k', 'M', 'm', 'B', 'b']);
    number.starts_with(|first: char| first.is_ascii_digit())
        && number.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b',' | b'.'))
        && COUNTED.iter().any(|word| counted.trim().eq_ignore_ascii_case(word))
}

fn is_call(line: &str) -> bool {
    let line = line.to_ascii_lowercase();
    let end = line.trim_end_matches(['.', '…', ' ', '>', '»', '→']);
    line.contains("items in cart")
        || end.ends_with("read more")
        || ["sign-in", "sign in"].iter().any(|call| line.starts_with(call))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_are_none_of_the_text_go() {
        let text = "The rain fell all night.\n\n2 items in cart\n1,204 likes\n3.5K followers\nHOME NEWS ABOUT us\n12 2021\nHome\n\
                    In the morning he went out. Read more...\nHe read more than she did, and in the evening they would read more\nHe had 12 likes.";
        let mut rest = String::new();
        let counts = RefinedwebLines::default().apply(text, &mut rest);
        assert_eq!(
            rest,
            "The rain fell all night.\n\n12 2021\nHe read more than she did, and in the evening they would read more\nHe had 12 likes."
        );
        assert_eq!(counts, (46, 21));
        assert!(
            RefinedwebLines::default().loses_too_much(100, 6) && !RefinedwebLines::default().loses_too_much(100, 5)
        );
    }
}
