//! Whether a passage contains an answer, as open-domain question answering judges a search.
//!
//! Source: Chen et al. 2017 (`DrQA`), `has_answer` with its simple tokenizer; Karpukhin et al. 2020 (DPR), section 5.

use unicode_normalization::{UnicodeNormalization as _, char::is_combining_mark};

/// What stands between two tokens, and can be no part of one.
const MARK: char = '\0';

/// Whether the tokens of one of the answers stand in a text, side by side and in their order; letters may be small or capital.
///
/// ```
/// # use train::metrics::has_answer;
/// assert!(has_answer("He was born in Saint-Étienne.", &["saint - étienne"]));
/// assert!(!has_answer("The Catalans", &["cat"]));
/// ```
#[must_use]
pub fn has_answer<A: AsRef<str>>(text: &str, answers: &[A]) -> bool {
    let text = AnswerTokens::of(text);
    answers.iter().any(|answer| text.contains(&AnswerTokens::of(answer.as_ref())))
}

/// The tokens of a text in which answers are looked for, or of an answer: for whoever looks more than once.
///
/// Runs of letters, digits and marks; any other character that is neither white space nor a control alone. All decomposed and small, each
/// between two marks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AnswerTokens(Box<str>);

impl AnswerTokens {
    /// Those of a text.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let mut tokens = String::with_capacity(text.len() + text.len() / 4);
        let mut is_open = false;
        for character in text.nfd() {
            let is_of_word = character.is_alphanumeric() || is_combining_mark(character);
            if !is_of_word && (character.is_whitespace() || character.is_control()) {
                is_open = false;
                continue;
            }
            if !(is_open && is_of_word) {
                tokens.push(MARK);
            }
            is_open = is_of_word;
            tokens.extend(character.to_lowercase());
        }
        if !tokens.is_empty() {
            tokens.push(MARK);
        }
        Self(tokens.into())
    }

    /// Whether those of an answer stand among these, side by side; an answer without a token stands nowhere.
    #[must_use]
    pub fn contains(&self, answer: &Self) -> bool {
        !answer.0.is_empty() && self.0.contains(&*answer.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_found_as_whole_words() {
        let AnswerTokens(tokens) = AnswerTokens::of("It's 3,5\tCafés");
        let tokens: Vec<&str> = tokens.split_terminator(MARK).skip(1).collect();
        assert_eq!(tokens, ["it", "'", "s", "3", ",", "5", "cafe\u{301}s"]);
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
