//! Words of scripts that put no space between them: Thai, Lao, Khmer, Burmese.
//!
//! Source: Unicode's dictionaries, by `icu_segmenter`. Chinese and Japanese are not divided here: a sign of theirs is a token.

use std::sync::LazyLock;

use icu_segmenter::{WordSegmenter, WordSegmenterBorrowed, options::WordBreakInvariantOptions};

/// Whether a character is of a script that puts no space between words.
#[must_use]
pub fn is_unspaced(character: char) -> bool {
    matches!(
        character,
        '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}' | '\u{19e0}'..='\u{19ff}'
            | '\u{a9e0}'..='\u{a9ff}' | '\u{aa60}'..='\u{aa7f}'
    )
}

/// Where the words of `run` end, in bytes, in order; `run` is of such scripts alone.
///
/// ```
/// # use curate::text::unspaced::ends;
/// assert_eq!(ends("ฝนตกหนัก").collect::<Vec<_>>(), [6, 24]); // rain, falls heavily
/// ```
pub fn ends(run: &str) -> impl Iterator<Item = usize> {
    static SEGMENTER: LazyLock<WordSegmenterBorrowed<'static>> =
        LazyLock::new(|| WordSegmenter::new_dictionary(WordBreakInvariantOptions::default()));
    SEGMENTER.segment_str(run).filter(|end| *end > 0)
}
