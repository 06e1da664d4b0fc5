//! Whether a passage contains an answer, as open-domain question answering judges a search.
//!
//! Source: Chen et al. 2017 (`DrQA`), `has_answer` with its simple tokenizer; Karpukhin et al. 2020 (DPR), section 5.

use unicode_normalization::{UnicodeNormalization as _, char::is_combining_mark};

/// Whether the tokens of one of the answers stand in a text, side by side and in their order; letters may be small or capital.
///
/// ```
/// # use train::metrics::has_answer;
/// assert!(has_answer("He was born in Saint-Étienne.", &["saint - étienne"]));
/// assert!(!has_answer("The Catalans", &["cat"]));
/// ```
#[must_use]
pub fn has_answer<A: AsRef<str>>(text: &str, answers: &[A]) -> bool {
    let text = tokens(text);
    answers.iter().any(|answer| {
        let answer = tokens(answer.as_ref());
        !answer.is_empty() && text.windows(answer.len()).any(|tokens| tokens == answer)
    })
}

/// Runs of letters, digits and marks; any other character that is neither white space nor a control alone. All decomposed and small.
fn tokens(text: &str) -> Vec<String> {
    let mut tokens: Vec<String> = Vec::new();
    let mut is_open = false;
    for character in text.nfd() {
        if character.is_alphanumeric() || is_combining_mark(character) {
            if !is_open {
                tokens.push(String::new());
            }
            is_open = true;
            tokens.last_mut().expect("one is open").extend(character.to_lowercase());
        } else {
            is_open = false;
            if !character.is_whitespace() && !character.is_control() {
                tokens.push(character.to_string());
            }
        }
    }
    tokens
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_found_as_whole_words() {
        assert_eq!(tokens("It's 3,5\tCafés"), ["it", "'", "s", "3", ",", "5", "cafe\u{301}s"]);
        for (text, answer, expected) in [
            ("in 1969, on the Moon", "the moon", true),
            ("in 1969, on the Moon", "Moon the", false),
            ("caf\u{e9}", "cafe\u{301}", true),
            ("moonlight", "moon", false),
            ("anything", "  ", false),
        ] {
            assert_eq!(has_answer(text, &[answer]), expected, "{answer} in {text}");
        }
    }
}
