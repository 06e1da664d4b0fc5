//! Passages: documents, or pieces of them, that are found one by one.

use std::ops::Range;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How documents are cut into passages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PassagesConfig {
    /// Words of a passage. By default a document is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub words: Option<usize>,
    /// Words at the end of a passage with which the next begins, too: half of a passage at most.
    #[serde(default)]
    pub overlap: usize,
}

impl PassagesConfig {
    /// What is wrong with the numbers, if something is: the key, and the message.
    #[must_use]
    pub fn fault(&self) -> Option<(&'static str, String)> {
        match *self {
            Self { words: Some(0), .. } => Some(("words", "it has to be 1 or more".into())),
            Self { words: Some(words), overlap } if overlap > words / 2 => {
                Some(("overlap", format!("it is at most half of the {words} words of a passage, and is {overlap}")))
            }
            Self { words: None, overlap: 1.. } => {
                Some(("overlap", "a document that is one passage overlaps with none".into()))
            }
            Self { .. } => None,
        }
    }

    /// The document of a passage, by their ids.
    #[must_use]
    pub fn document<'i>(&self, passage: &'i str) -> &'i str {
        match self.words {
            // behind the last colon stands where the passage begins and ends
            Some(_) => passage.rsplit_once(':').map_or(passage, |(document, _)| document),
            None => passage,
        }
    }

    /// Where the passages of a text begin and end, in bytes, without the white space around them. A text without a word has none.
    #[must_use]
    pub fn cut(&self, text: &str) -> Vec<Range<usize>> {
        let words: Vec<Range<usize>> = words(text).collect();
        let size = self.words.unwrap_or(words.len()).max(1);
        let step = size - self.overlap.min(size - 1);
        // a passage that would only repeat the end of the one before is none
        let begins =
            (0..words.len()).step_by(step).take_while(|begin| *begin == 0 || begin + self.overlap < words.len());
        begins.map(|begin| words[begin].start..words[(begin + size).min(words.len()) - 1].end).collect()
    }
}

/// What stands between white space.
fn words(text: &str) -> impl Iterator<Item = Range<usize>> {
    text.split_whitespace().map(move |word| {
        let begin = word.as_ptr().addr() - text.as_ptr().addr();
        begin..begin + word.len()
    })
}

/// A passage.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Passage {
    /// That of its document, with where it stands there, such as `doc:0-613`; that of the document alone, where it is whole.
    pub id: String,
    /// That of its document.
    pub document: String,
    /// Where it begins in the document's text, in bytes.
    pub begin: u64,
    /// Where it ends.
    pub end: u64,
    /// The document's title; empty where it has none.
    pub title: String,
    /// What it says.
    pub text: String,
    /// Where the document is from.
    pub source: Option<String>,
    /// When it was written or read.
    pub date: Option<String>,
    /// Its language.
    pub language: Option<String>,
}

impl Passage {
    /// Bytes of what it says.
    pub(super) fn bytes(&self) -> usize {
        self.title.len() + self.text.len()
    }

    /// What it is found by: the title and the text.
    #[must_use]
    pub fn searched(&self) -> String {
        if self.title.is_empty() { self.text.clone() } else { format!("{}\n{}", self.title, self.text) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cut(words: Option<usize>, overlap: usize, text: &str) -> Vec<&str> {
        PassagesConfig { words, overlap }.cut(text).into_iter().map(|range| &text[range]).collect()
    }

    #[test]
    fn passages_have_so_many_words() {
        let text = " a b  c\nd é f g ";
        assert_eq!(cut(None, 0, text), ["a b  c\nd é f g"]);
        assert_eq!(cut(Some(3), 0, text), ["a b  c", "d é f", "g"]);
        assert_eq!(cut(Some(3), 1, text), ["a b  c", "c\nd é", "é f g"]);
        assert_eq!(cut(Some(7), 3, text), ["a b  c\nd é f g"]);
        assert_eq!(cut(Some(3), 0, " \n"), [""; 0]);
    }

    proptest! {
        /// Each word is in a passage, each passage but the last has the size, and neighbours have the overlap in common.
        #[test]
        fn no_word_is_lost(count in 1usize..60, size in 1usize..12, overlap in 0usize..6) {
            prop_assume!(overlap <= size / 2);
            let text: String = (0..count).map(|word| format!("w{word} ")).collect();
            let passages: Vec<Vec<&str>> = cut(Some(size), overlap, &text).into_iter().map(|passage| passage.split(' ').collect()).collect();
            let mut all: Vec<&str> = passages[0].clone();
            for pair in passages.windows(2) {
                prop_assert_eq!(pair[0].len(), size);
                prop_assert_eq!(&pair[0][size - overlap..], &pair[1][..overlap]);
                prop_assert!(pair[1].len() > overlap, "it has something of its own");
                all.extend(&pair[1][overlap..]);
            }
            prop_assert_eq!(all, text.split_whitespace().collect::<Vec<_>>());
        }
    }
}
