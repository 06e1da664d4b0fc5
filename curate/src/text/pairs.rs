//! Questions with their passages, made of one document: its title and its text, or a sentence and what stands around it.
//!
//! Useful for: encoders of a retrieval, where nobody has written questions. Not useful for: question answering.
//!
//! Source: Lee et al. 2019 (ORQA, inverse cloze task).

use super::{
    draw::fraction,
    passages::{passage, sentences, words},
};

/// The fewest words of a document that is asked for: it has a sentence, and something around it.
pub const MIN_WORDS: u32 = 10;

/// A question, and the passage that answers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// The question.
    pub query: String,
    /// The passage.
    pub positive: String,
}

/// A title and the first `count` words of its text. Where the text begins with the title, as a heading, the passage begins behind that.
///
/// ```
/// # use curate::text::pairs::title_pair;
/// let pair = title_pair("Tarn", "Tarn\n\nA village of fishermen.", 2);
/// assert_eq!((pair.query.as_str(), pair.positive.as_str()), ("Tarn", "A village"));
/// ```
#[must_use]
pub fn title_pair(title: &str, text: &str, count: usize) -> Pair {
    let (title, text) = (title.trim(), text.trim());
    // `Tarn` is no heading of `Tarnberg`, nor of `Tarn is`
    let heading = text.strip_prefix(title).filter(|rest| rest.starts_with(['\n', '\r'])).map(str::trim_start);
    let body = heading.filter(|rest| !rest.is_empty()).unwrap_or(text);
    Pair { query: title.to_owned(), positive: body[passage(&words(body), count, 0)].to_owned() }
}

/// What an inverse cloze draws: which passage, which sentence, and whether that stays.
#[derive(Debug, Clone, Copy)]
pub struct ClozeDraws {
    /// Bits that choose the passage.
    pub passage: u64,
    /// Bits that choose the sentence.
    pub sentence: u64,
    /// Bits by which the sentence stays where it is, or does not.
    pub kept: u64,
}

/// A sentence out of a passage of `count` words, and the passage without it; in a share `kept` of all draws with it, so that an encoder
/// learns to look for the words of a question, too.
///
/// Sentences at the passage's ends, which may be cut, are drawn only where there are no others. A passage that is one sentence is divided in its middle.
/// A passage begins with the title of its document, on a line of its own, as passages of an index do.
#[must_use]
pub fn inverse_cloze(title: Option<&str>, text: &str, count: usize, kept: f64, draws: ClozeDraws) -> Pair {
    let all = words(text);
    let place = passage(&all, count, draws.passage);
    let (begins, ends) = (place.start, place.end);
    let passage = &text[place];
    let mut sentences = sentences(passage);
    // a sentence that the passage cuts begins before it, or ends behind it
    if sentences.len() > 2 && all.first().is_some_and(|first| first.start < begins) {
        sentences.remove(0);
    }
    if sentences.len() > 2 && all.last().is_some_and(|last| last.end > ends) {
        sentences.pop();
    }
    let sentence = match sentences.len() {
        0 | 1 => 0..middle(passage),
        #[expect(clippy::cast_possible_truncation, reason = "the remainder is below the number of sentences")]
        many => sentences.swap_remove((draws.sentence % many as u64) as usize),
    };
    let query = passage[sentence.clone()].trim().to_owned();
    let around = if fraction(draws.kept) < kept {
        passage.to_owned()
    } else {
        without(&passage[..sentence.start], &passage[sentence.end..])
    };
    let title = title.map(str::trim).filter(|title| !title.is_empty());
    let positive = title.map_or_else(|| around.clone(), |title| format!("{title}\n{around}"));
    Pair { query, positive }
}

/// The end of the word in the middle of a text, or its middle where it is one word.
fn middle(text: &str) -> usize {
    let words = words(text);
    match words.len() {
        0 | 1 => text.char_indices().nth(text.chars().count().div_ceil(2)).map_or(text.len(), |(at, _)| at),
        many => words[(many - 1) / 2].end,
    }
}

/// What stood before and behind something, with as much white space between as stood on one side of it.
fn without(before: &str, behind: &str) -> String {
    let (left, right) = (before.trim_end(), behind.trim_start());
    if left.is_empty() || right.is_empty() {
        return [left, right].concat();
    }
    let (gap, other) = (&before[left.len()..], &behind[..behind.len() - right.len()]);
    let gap = if gap.matches('\n').count() > other.matches('\n').count() { gap } else { other };
    [left, gap, right].concat()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DRAWS: ClozeDraws = ClozeDraws { passage: 0, sentence: 1, kept: u64::MAX };

    #[test]
    fn a_sentence_is_asked_for_and_left_out() {
        let text = "It rained. The keeper read.\n\nNobody came.";
        let pair = inverse_cloze(Some("Brenn"), text, 100, 0.1, DRAWS);
        assert_eq!(
            (pair.query.as_str(), pair.positive.as_str()),
            ("The keeper read.", "Brenn\nIt rained.\n\nNobody came.")
        );
        let kept = inverse_cloze(None, text, 100, 0.1, ClozeDraws { kept: 0, ..DRAWS });
        assert_eq!((kept.query.as_str(), kept.positive.as_str()), ("The keeper read.", text));
        // no space stands between Chinese sentences, nor where one was
        let pair = inverse_cloze(None, "下雨了。他在读书。没有人来。", 100, 0.1, DRAWS);
        assert_eq!((pair.query.as_str(), pair.positive.as_str()), ("他在读书。", "下雨了。没有人来。"));
    }

    /// Sentences that a passage cuts are not asked for where there are others.
    #[test]
    fn a_cut_sentence_is_no_question() {
        let text = "One two three four. Five six. Seven eight. Nine ten eleven twelve.";
        let words = 8; // the first passage: One .. Seven eight. The second: Five .. twelve, from the end
        for sentence in 0..8 {
            let pair = inverse_cloze(None, text, words, 0.0, ClozeDraws { sentence, ..DRAWS });
            assert!(text.contains(&pair.query) && pair.query.ends_with('.'), "{pair:?}");
        }
        let cut = "One two three four five. Six seven. Eight nine. Ten eleven twelve thirteen fourteen.";
        for sentence in 0..8 {
            let pair = inverse_cloze(None, cut, 10, 0.0, ClozeDraws { sentence, ..DRAWS });
            assert!(
                ["One two three four five.", "Six seven.", "Eight nine."].contains(&pair.query.as_str()),
                "{pair:?}"
            );
        }
    }

    proptest! {
        /// Whatever the text, there is a question, and nothing of the text is lost between it and its passage.
        #[test]
        fn what_has_two_letters_is_a_pair(text in "[a-z。. \n日]{0,60}[a-z]{2}", passage: u64, sentence: u64, kept: u64, count in 1usize..20) {
            let draws = ClozeDraws { passage, sentence, kept };
            let Pair { query, positive } = inverse_cloze(None, &text, count, 0.1, draws);
            prop_assert!(!query.trim().is_empty());
            let letters = |text: &str| text.chars().filter(|letter| !letter.is_whitespace()).collect::<String>();
            prop_assert!(letters(&text).contains(&letters(&query)));
            let whole = letters(&positive).len() + if positive.contains(&query) { 0 } else { letters(&query).len() };
            prop_assert!(whole <= letters(&text).len());
        }
    }
}
