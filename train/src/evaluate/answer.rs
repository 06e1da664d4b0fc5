//! The answer in what a model wrote.
//!
//! ```text
//! a template with a pattern   what its group finds, such as the number behind "The answer is"; else nothing
//! some sentences              as many from the beginning on: GPT-2's summaries have three, its translations one
//! else                        the text, without white space around it
//! several samples             the answer that most have, of sums as numbers; of several, the one that came first
//! ```

use std::collections::HashMap;

use regex::Regex;

use crate::metrics::normalized_answer;

/// How an answer is found.
#[derive(Debug, Clone, Default)]
pub struct Extraction {
    /// A pattern with one group.
    pub pattern: Option<Regex>,
    /// Sentences at most; all where there is no number.
    pub sentences: Option<usize>,
}

impl Extraction {
    /// The answer in a text, if there is one.
    #[must_use]
    pub fn answer(&self, text: &str) -> Option<String> {
        let found = match &self.pattern {
            Some(pattern) => pattern.captures(text)?.get(1)?.as_str(),
            None => first_sentences(text, self.sentences),
        };
        Some(found.trim()).filter(|found| !found.is_empty()).map(str::to_owned)
    }
}

/// The answer that most samples have; they are alike where they differ in case, marks and articles alone.
///
/// - `is_number`: whether answers are numbers, which are alike where they have one value
#[must_use]
pub fn majority(answers: &[Option<String>], is_number: bool) -> Option<String> {
    let key = |answer: &str| match number(answer) {
        Some(number) if is_number => (Some(number.to_bits()), String::new()),
        // without its marks, `1.5 %` would be `15 %`
        None if is_number => (None, answer.trim().to_lowercase()),
        _ => (None, normalized_answer(answer)),
    };
    let mut votes: HashMap<(Option<u64>, String), (usize, usize)> = HashMap::new();
    for (place, answer) in answers.iter().enumerate() {
        let Some(answer) = answer else { continue };
        votes.entry(key(answer)).or_insert((0, place)).0 += 1;
    }
    let (_, place) = votes.into_values().max_by_key(|(votes, place)| (*votes, std::cmp::Reverse(*place)))?;
    answers[place].clone()
}

/// The number that a text is, without the signs of money and thousands.
#[must_use]
pub fn number(text: &str) -> Option<f64> {
    let text: String =
        text.trim().trim_end_matches('.').chars().filter(|sign| !matches!(sign, '$' | ',' | ' ')).collect();
    // there is one zero
    text.parse().ok().filter(|number: &f64| number.is_finite()).map(|number| number + 0.0)
}

/// The first number of a text; the choice that is named first, where there are choices; else the first line.
#[must_use]
pub fn first_of(text: &str, choices: &[String], is_number: bool) -> Option<String> {
    if !choices.is_empty() {
        let named = choices.iter().filter_map(|choice| Some((find_word(text, choice)?, choice)));
        // of two that begin at one place the longer one is meant
        let (_, choice) = named.min_by_key(|(at, choice)| (*at, std::cmp::Reverse(choice.len())))?;
        return Some(choice.clone());
    }
    if is_number {
        let begins = |at: &usize| {
            let rest = &text[*at..];
            rest.starts_with(|sign: char| sign.is_ascii_digit())
        };
        let at = text.char_indices().map(|(at, _)| at).find(begins)?;
        let length = text[at..]
            .find(|sign: char| !(sign.is_ascii_digit() || matches!(sign, ',' | '.')))
            .unwrap_or(text.len() - at);
        let minus = if text[..at].ends_with('-') { "-" } else { "" };
        return Some(format!("{minus}{}", text[at..at + length].trim_end_matches(['.', ','])));
    }
    Some(text.trim().lines().next()?.trim().to_owned()).filter(|line| !line.is_empty())
}

/// Where a choice is named as words of its own, whatever its case.
fn find_word(text: &str, choice: &str) -> Option<usize> {
    let (text, choice) = (text.to_lowercase(), choice.to_lowercase());
    let ends = |other: Option<char>| other.is_none_or(|sign| !sign.is_alphanumeric());
    text.match_indices(&choice)
        .map(|(at, _)| at)
        .find(|at| ends(text[..*at].chars().next_back()) && ends(text[at + choice.len()..].chars().next()))
}

/// The first sentences of a text: one ends with a full stop, an exclamation or question mark and what closes it, behind which is white space.
fn first_sentences(text: &str, count: Option<usize>) -> &str {
    let Some(count) = count else { return text };
    let text = text.trim_start();
    let (mut left, mut ended) = (count, false);
    for (at, sign) in text.char_indices() {
        match sign {
            '.' | '!' | '?' | '。' | '！' | '？' => ended = true,
            '"' | '\'' | ')' | ']' | '”' | '’' | '»' => {}
            _ if ended && (sign.is_whitespace() || text[..at].ends_with(['。', '！', '？'])) => {
                ended = false;
                left -= 1;
                if left == 0 {
                    return &text[..at];
                }
            }
            _ => ended = false,
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_finds_the_answer_or_nothing() {
        let pattern = Regex::new(r"The answer is (-?[0-9][0-9,]*)").expect("a pattern");
        let extraction = Extraction { pattern: Some(pattern), ..Extraction::default() };
        assert_eq!(extraction.answer("6*8 is 48. The answer is 48."), Some("48".to_owned()));
        assert_eq!(extraction.answer("It is 48."), None);
        assert_eq!(Extraction::default().answer("  Paris\n"), Some("Paris".to_owned()));
        assert_eq!(Extraction::default().answer(" \n"), None);
    }

    #[test]
    fn sentences_end_with_their_marks() {
        let text = " He said \"Go.\" Then 3.5 men went! Did they? Yes.";
        for (count, expected) in [
            (1, "He said \"Go.\""),
            (2, "He said \"Go.\" Then 3.5 men went!"),
            (3, "He said \"Go.\" Then 3.5 men went! Did they?"),
            (9, "He said \"Go.\" Then 3.5 men went! Did they? Yes."),
        ] {
            let extraction = Extraction { sentences: Some(count), ..Extraction::default() };
            assert_eq!(extraction.answer(text).as_deref(), Some(expected));
        }
        let chinese = Extraction { sentences: Some(1), ..Extraction::default() };
        assert_eq!(chinese.answer("天晴。我们走了。"), Some("天晴。".to_owned()));
    }

    #[test]
    fn most_samples_decide() {
        let answers = [Some("7".to_owned()), None, Some("8.".to_owned()), Some("8".to_owned()), Some("7.".to_owned())];
        for is_number in [false, true] {
            assert_eq!(majority(&answers, is_number), Some("7".to_owned()), "the first of two with as many");
            assert_eq!(majority(&answers[1..], is_number), Some("8.".to_owned()));
            assert_eq!(majority(&[None], is_number), None);
        }
    }

    /// A point and a minus are of the number.
    #[test]
    fn numbers_are_voted_on_by_their_value() {
        let answers = |answers: &[&str]| answers.iter().map(|answer| Some((*answer).to_owned())).collect::<Vec<_>>();
        assert_eq!(majority(&answers(&["15", "1.5", "-15", "1.50"]), true), Some("1.5".to_owned()));
        assert_eq!(majority(&answers(&["7", "1,200", "$1200.00"]), true), Some("1,200".to_owned()));
        assert_eq!(majority(&answers(&["15%", "1.5%", "1.5%"]), true), Some("1.5%".to_owned()));
        assert_eq!((number("-0"), number("1.5%"), number("inf")), (Some(0.0), None, None));
    }

    #[test]
    fn the_second_pass_names_a_number_or_a_choice() {
        assert_eq!(first_of(" about -1,250.50, I think, or 3", &[], true), Some("-1,250.50".to_owned()));
        assert_eq!(first_of(" none", &[], true), None);
        let choices = ["no", "now or never", "Yes"].map(str::to_owned);
        assert_eq!(first_of("I know: now or never. No", &choices, false), Some("now or never".to_owned()));
        assert_eq!(first_of("yesterday", &choices, false), None);
        assert_eq!(first_of("  Paris, of course\nor Rome", &[], false), Some("Paris, of course".to_owned()));
    }
}
