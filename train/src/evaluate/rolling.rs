//! The likelihood of a text of any length, in windows.
//!
//! ```text
//! context of 4, stride 4:   ^ a b c d e f g h i        each token is scored once, behind as much as its window has before it
//!                          [^ a b c]                   scores a b c d
//!                                  [d e f g]           scores e f g h       disjoint: what is read is no longer than it must be
//!                                    [e f g h]         scores i             the last window reaches back as far as it can
//! stride 2:                [^ a b c]                   scores a b c d
//!                              [b c d e]               scores e f
//!                                  [d e f g]           scores g h
//! ```
//!
//! `^` is the token that stands before a text without a context. With a stride of the whole context this is the rule of lm-evaluation-harness
//! 0.4.13; a smaller one is slower, and gives each token more to read: `context - stride + 1` tokens at least, but for those of the first window.
//!
//! Source: Radford et al. 2019 (GPT-2), section 3.1, for perplexity by word and byte; the windows of the harness, `get_rolling_token_windows`.

use super::request::Request;

/// The windows of a text, as requests.
///
/// - `tokens`: the text
/// - `prefix`: what stands before it
/// - `context_length`: most tokens that the model reads
/// - `stride`: most tokens that a window after the first scores, from 1 to `context_length`
///
/// # Panics
/// When the stride is outside of that.
#[must_use]
pub fn windows(tokens: &[u32], prefix: u32, context_length: usize, stride: usize) -> Vec<Request> {
    assert!((1..=context_length).contains(&stride), "a stride of {stride} in a context of {context_length}");
    let mut windows = Vec::new();
    let first = tokens.len().min(context_length);
    if first == 0 {
        return windows;
    }
    let scored = tokens[..first].iter();
    windows.push(Request { tokens: [prefix].iter().chain(scored).copied().collect(), scored: first, cut: 0 });
    let mut done = first;
    while done < tokens.len() {
        let scored = stride.min(tokens.len() - done);
        done += scored;
        windows.push(Request { tokens: tokens[done - context_length - 1..done].to_vec(), scored, cut: 0 });
    }
    windows
}

/// Words of a text as perplexity by word counts them: the pieces between stretches of white space, empty ones at the ends among them.
#[must_use]
pub fn words(text: &str) -> usize {
    let is_space = |character: char| character.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&character);
    let (mut words, mut before) = (1, false);
    for character in text.chars() {
        let space = is_space(character);
        words += usize::from(space && !before);
        before = space;
    }
    words
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    fn shown(windows: &[Request]) -> Vec<(Vec<u32>, usize)> {
        windows.iter().map(|window| (window.input().to_vec(), window.scored)).collect()
    }

    #[test]
    fn windows_are_those_of_the_harness() {
        let tokens: Vec<u32> = (1..=9).collect();
        let disjoint = [(vec![0, 1, 2, 3], 4), (vec![4, 5, 6, 7], 4), (vec![5, 6, 7, 8], 1)];
        assert_eq!(shown(&windows(&tokens, 0, 4, 4)), disjoint);
        let strided = [(vec![0, 1, 2, 3], 4), (vec![2, 3, 4, 5], 2), (vec![4, 5, 6, 7], 2), (vec![5, 6, 7, 8], 1)];
        assert_eq!(shown(&windows(&tokens, 0, 4, 2)), strided);
        assert_eq!(shown(&windows(&[7], 0, 4, 4)), [(vec![0], 1)]);
        assert_eq!(windows(&[], 0, 4, 4), []);
    }

    #[test]
    fn words_stand_between_white_space() {
        for (text, count) in [("", 1), ("a", 1), ("a b", 2), ("a \n b", 2), (" a ", 3), ("\u{1c}a", 2)] {
            assert_eq!(words(text), count, "{text:?}");
        }
    }

    proptest! {
        /// Every token is scored once, in its order, and nothing is longer than the context.
        #[test]
        fn each_token_is_scored_once(tokens in vec(1u32..50, 0..60), context in 1usize..12, stride in 1usize..12) {
            let stride = stride.min(context);
            let windows = windows(&tokens, 0, context, stride);
            let scored: Vec<u32> = windows.iter().flat_map(|window| &window.tokens[window.first() + 1..]).copied().collect();
            prop_assert_eq!(scored, tokens);
            for window in windows.iter().skip(1) {
                prop_assert!(window.input().len() == context && window.scored <= stride);
            }
        }
    }
}
