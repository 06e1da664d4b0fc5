//! How near a short answer is to the right ones: exact match and F1, as `SQuAD` has them.
//!
//! Case, marks of ASCII, the articles `a`, `an` and `the`, and how words are spaced count for nothing. Of several right answers the nearest
//! one counts.
//!
//! Source: Rajpurkar et al. 2016, and their script of version 1.1. Two answers of which nothing is left match, and their F1 is 0.

use std::collections::HashMap;

use super::characters::{Class, class, words};

/// An answer without what counts for nothing, its words joined by blanks.
///
/// ```
/// # use train::metrics::normalized_answer;
/// assert_eq!(normalized_answer(" The  U.S.A., an 'ally'"), "usa ally");
/// ```
#[must_use]
pub fn normalized_answer(answer: &str) -> String {
    let text: String = answer.to_lowercase().chars().filter(|sign| !sign.is_ascii_punctuation()).collect();
    let text = without_articles(&text);
    words(&text).collect::<Vec<_>>().join(" ")
}

/// The text with a blank in the place of each article. An article ends at whatever is neither a letter nor a number, an accent among them.
fn without_articles(text: &str) -> String {
    let is_of_word = |sign: char| matches!(class(sign), Class::Letter | Class::Number);
    let mut kept = String::with_capacity(text.len());
    for piece in text.split_inclusive(|sign| !is_of_word(sign)) {
        let word = piece.trim_end_matches(|sign| !is_of_word(sign));
        kept.push_str(if matches!(word, "a" | "an" | "the") { " " } else { word });
        kept.push_str(&piece[word.len()..]);
    }
    kept
}

/// Whether an answer is one of the right ones, but for what counts for nothing.
#[must_use]
pub fn exact_match<R: AsRef<str>>(answer: &str, references: &[R]) -> bool {
    let answer = normalized_answer(answer);
    references.iter().any(|reference| normalized_answer(reference.as_ref()) == answer)
}

/// The harmonic mean of the share of an answer's words that are right and the share of the right words that it has, from 0 to 1; for the
/// nearest of the right answers.
///
/// ```
/// # use train::metrics::f1;
/// assert_eq!(f1("the red big house", &["a big house", "barn"]), 0.8);
/// ```
#[must_use]
pub fn f1<R: AsRef<str>>(answer: &str, references: &[R]) -> f64 {
    let answer = normalized_answer(answer);
    let each = references.iter().map(|reference| f1_of_normalized(&answer, &normalized_answer(reference.as_ref())));
    each.fold(0.0, f64::max)
}

fn f1_of_normalized(answer: &str, reference: &str) -> f64 {
    let mut left: HashMap<&str, usize> = HashMap::new();
    words(reference).for_each(|word| *left.entry(word).or_default() += 1);
    let mut shared = 0;
    for word in words(answer) {
        if let Some(count) = left.get_mut(word)
            && *count > 0
        {
            *count -= 1;
            shared += 1;
        }
    }
    match shared {
        0 => 0.0,
        shared => {
            let share = |text| f64::from(shared) / words(text).count() as f64;
            let (precision, recall) = (share(answer), share(reference));
            (2.0 * precision * recall) / (precision + recall)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_words_are_articles() {
        assert_eq!(normalized_answer("an anthem, theatre - A\u{301}"), "anthem theatre \u{301}");
        assert_eq!(normalized_answer("the\u{a0}a-1 a1 ça"), "a1 a1 ça");
        assert_eq!(normalized_answer("THE"), "");
    }

    #[test]
    fn answers_of_nothing_match_but_have_no_words_in_common() {
        assert!(exact_match("", &["the"]));
        assert!(f1("", &["the"]).abs() < 1e-12);
        assert!(!exact_match::<&str>("", &[]));
    }
}
