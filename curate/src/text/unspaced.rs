//! Where words end without a space: the one division that all kernels share.
//!
//! An ideograph (Han, Hiragana, Katakana) is a word of its own; stretches of Thai, Lao, Khmer and Burmese letters are divided by dictionary; and
//! some signs divide words as a space does: the zero-width space, Tibetan's tsheg, the wordspace of Ethiopic. There is no dictionary of other
//! scripts that put no spaces (Javanese, Balinese, Tai Le, New Tai Lue, Tai Tham, Cham): a stretch of theirs is one word. All others put spaces,
//! and what marks do there is each kernel's own rule. Facts about words ([`super::tokens`]), shingles ([`super::normal`]), n-grams of benchmarks
//! ([`super::overlap`]), repeated substrings ([`super::substrings`]), features of classifiers and the rules on lines all ask here.
//!
//! Source: Unicode's dictionaries, by `icu_segmenter`: the longest word that begins here, over and over. Chinese and Japanese are not
//! divided by dictionary: their words are too much a matter of taste for two copies to agree on.
//! Cost: nothing for scripts that put spaces; Thai is divided at some 30 MB/s on one core.
//!
//! Copies of texts of 400 words, of which 1, 2 and 5 % were changed: the mean similarity of their shingles of five words, how many of 200
//! copies share a band of FineWeb's signatures, and how many should by 1 - (1 - s^8)^14 (`tests/it/scripts.rs`):
//!
//! ```text
//!                 1 %                  2 %                  5 %
//! English    0.906 200 200.0      0.824 198 192.6      0.630  67  59.8
//! Russian    0.906 200 200.0      0.824 194 192.6      0.630  50  59.8
//! Arabic     0.906 200 200.0      0.824 190 192.6      0.630  66  59.8
//! Hindi      0.906 200 200.0      0.824 193 192.6      0.630  57  59.8
//! Korean     0.906 200 200.0      0.824 193 192.6      0.630  58  59.8
//! Chinese    0.936 200 200.0      0.877 200 199.5      0.728 132 136.7
//! Japanese   0.946 200 200.0      0.897 200 199.9      0.768 158 166.8
//! Thai       0.909 199 200.0      0.828 192 193.7      0.639  66  65.9
//! Lao        0.906 200 200.0      0.824 192 192.8      0.632  62  60.9
//! Khmer      0.903 200 199.9      0.818 193 190.9      0.620  59  53.9
//! Burmese    0.909 200 200.0      0.829 196 193.8      0.640  46  66.3
//! ```

use std::sync::LazyLock;

use icu_segmenter::{WordSegmenter, WordSegmenterBorrowed, options::WordBreakInvariantOptions};

/// Whether a character is written without spaces around it, and a word of its own: Han, Hiragana, Katakana.
#[must_use]
pub fn is_ideograph(character: char) -> bool {
    // two marks among the kana change the sign before them
    matches!(character, '\u{3040}'..='\u{3098}' | '\u{309b}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{20000}'..='\u{3134f}')
}

/// Whether a character is of a script whose words are divided by dictionary.
#[must_use]
pub fn is_unspaced(character: char) -> bool {
    matches!(
        character,
        '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}' | '\u{19e0}'..='\u{19ff}'
            | '\u{a9e0}'..='\u{a9ff}' | '\u{aa60}'..='\u{aa7f}'
    )
}

/// Whether a character stands between words: white space, or a sign that is there for that.
#[must_use]
pub fn is_space(character: char) -> bool {
    character.is_whitespace() || matches!(character, '\u{200b}' | '\u{f0b}' | '\u{f0c}' | '\u{1361}')
}

/// Where the words of `stretch` end, in bytes, in order; `stretch` is of such scripts alone.
///
/// ```
/// # use curate::text::unspaced::ends;
/// assert_eq!(ends("ฝนตกหนัก").collect::<Vec<_>>(), [6, 24]); // rain, falls heavily
/// ```
pub fn ends(stretch: &str) -> impl Iterator<Item = usize> {
    static SEGMENTER: LazyLock<WordSegmenterBorrowed<'static>> =
        LazyLock::new(|| WordSegmenter::new_dictionary(WordBreakInvariantOptions::default()));
    SEGMENTER.segment_str(stretch).filter(|end| *end > 0)
}

/// How many bytes at the beginning of `text` are of scripts that are divided by dictionary. All of them belong into one call of [`ends`]:
/// where a word ends depends on where the one before it did.
#[must_use]
pub fn stretch_length(text: &str) -> usize {
    text.find(|character| !is_unspaced(character)).unwrap_or(text.len())
}

/// Whether there may be words in `text` that no white space divides: false for scripts that put spaces, by the bytes of their letters alone.
#[must_use]
pub fn may_divide(text: &str) -> bool {
    let of_such_scripts = |bytes: &[u8]| match *bytes {
        [0xe0, next] => next >= 0xb8, // U+0E00: Thai, and what comes behind it
        [0xe1, next] => next < 0xb0,  // up to U+1C00: before letters of Latin and Greek with their accents
        [first, _] => first >= 0xe2,
        _ => false,
    };
    text.bytes().any(|byte| byte >= 0xe0) && text.as_bytes().windows(2).any(of_such_scripts)
}

/// Gives `take` the start and the end, in bytes, of the words of `chunk`, which holds no white space. A mark belongs to the word before it,
/// or to the one behind it where there is none before.
///
/// ```
/// # use curate::text::unspaced::pieces;
/// let words = |chunk: &'static str| {
///     let mut words = Vec::new();
///     pieces(chunk, |start, end| words.push(&chunk[start..end]));
///     words
/// };
/// assert_eq!(words("(well-known)"), ["(well-known)"]);
/// assert_eq!(words("「日本、GPT-3も。"), ["「日", "本、", "GPT-3", "も。"]);
/// assert_eq!(words("ฝนตกหนัก!ABC"), ["ฝน", "ตกหนัก!", "ABC"]);
/// ```
pub fn pieces(chunk: &str, mut take: impl FnMut(usize, usize)) {
    if !may_divide(chunk) {
        return take(0, chunk.len());
    }
    // where the piece in hand began; whether it has a word; whether a letter would begin another
    let (mut start, mut has_word, mut is_whole) = (0, false, false);
    let mut at = 0;
    while let Some(character) = chunk[at..].chars().next() {
        let mut begin = |at: usize, start: &mut usize| {
            if *start < at {
                take(*start, at);
            }
            *start = at;
        };
        if is_unspaced(character) {
            let stretch = &chunk[at..at + stretch_length(&chunk[at..])];
            let mut from = 0;
            for end in ends(stretch) {
                if stretch[from..end].chars().any(char::is_alphanumeric) {
                    if has_word {
                        begin(at + from, &mut start);
                    }
                    (has_word, is_whole) = (true, true);
                }
                from = end;
            }
            at += stretch.len();
            continue;
        }
        if is_space(character) {
            begin(at, &mut start);
            start = at + character.len_utf8();
            (has_word, is_whole) = (false, false);
        } else if is_ideograph(character) {
            if has_word {
                begin(at, &mut start);
            }
            (has_word, is_whole) = (true, true);
        } else if character.is_alphanumeric() {
            if is_whole {
                begin(at, &mut start);
            }
            (has_word, is_whole) = (true, false);
        }
        at += character.len_utf8();
    }
    if start < chunk.len() {
        take(start, chunk.len());
    }
}

/// How many words stand in `text`: what stands between white space, divided where a script puts none.
///
/// ```
/// # use curate::text::unspaced::count;
/// assert_eq!(count("It's a well-known -- tune."), 5);
/// assert_eq!(count("日本の本。 ฝนตกหนัก"), 6);
/// ```
#[must_use]
pub fn count(text: &str) -> usize {
    if !may_divide(text) {
        return text.split_whitespace().count();
    }
    let mut words = 0;
    text.split_whitespace().for_each(|chunk| pieces(chunk, |_, _| words += 1));
    words
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::text::{
        normal::NormalForm,
        overlap::PlainWords,
        sameness::Sameness,
        substrings::{SubstringFinder, SubstringUnit},
        tokens::Tokens,
    };

    /// Every kernel finds the same words, in every script.
    #[test]
    fn all_kernels_divide_alike() {
        // of each language the words, which stand without a space where the script puts none
        let texts: [(&str, &[&str]); 12] = [
            (" ", &["the", "rain", "falls", "on", "old", "houses"]),
            (" ", &["дождь", "мой", "идёт", "над", "городом"]),
            (" ", &["المطر", "ينزل", "على", "البيوت"]),
            (" ", &["הגשם", "יורד", "על", "הבתים"]),
            (" ", &["बारिश", "पुराने", "घरों", "पर", "होती", "है"]),
            (" ", &["비가", "오래된", "집", "위에", "내린다"]),
            ("", &["雨", "落", "在", "老", "房", "子", "上"]),
            ("", &["雨", "が", "古", "い", "家", "に", "ふ", "る"]),
            ("", &["ฝน", "ตกหนัก", "วัน", "นี้"]),
            ("", &["ຂ້ອຍ", "ໄປ", "ຕະຫຼາດ"]),
            ("", &["ខ្ញុំ", "ទៅ", "ផ្សារ"]),
            ("\u{f0b}", &["བོད", "ཡིག", "སློབ"]),
        ];
        for (between, words) in texts {
            let text = words.join(between);
            let mut tokens = Tokens::default();
            tokens.take(&text);
            let found: Vec<&str> =
                tokens.all().iter().map(|token| &text[token.start as usize..token.end as usize]).collect();
            assert_eq!(found, words, "words and marks");
            let mut normal = NormalForm::default();
            normal.take(&text);
            assert_eq!(normal.words(), words.len(), "the normal form of {text}");
            let mut plain = PlainWords::default();
            plain.take(&text);
            let found: Vec<&str> =
                plain.words().iter().map(|word| &text[word.start as usize..word.end as usize]).collect();
            assert_eq!(found, words, "n-grams of benchmarks");
            let mut found = Vec::new();
            let take =
                |word: crate::text::substrings::Substring| found.push(&text[word.start as usize..word.end as usize]);
            SubstringFinder::new(SubstringUnit::Words(1), Sameness::Exact).find(&text, |_| true, take);
            assert_eq!(found, words, "repeated n-grams");
            assert_eq!(count(&text), words.len(), "features and rules");
        }
    }

    proptest! {
        /// Pieces follow one another, and leave nothing out but what stands between words.
        #[test]
        fn nothing_is_lost(chunk in "[a-z0-9.,'()\\-—é日の「。ฝนตก๑ฯ\u{200b}་བ]{1,30}") {
            let mut end_before = 0;
            let mut found = String::new();
            pieces(&chunk, |start, end| {
                assert!(end_before <= start && start < end);
                end_before = end;
                found.push_str(&chunk[start..end]);
            });
            let signs: String = chunk.chars().filter(|character| !is_space(*character)).collect();
            prop_assert_eq!(found, signs);
        }
    }
}
