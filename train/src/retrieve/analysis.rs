//! From a text to the terms that it is found by.
//!
//! ```text
//! text -> NFKC -> words, in lower case -> without stop words, if one wants -> stems, if one wants -> terms
//! ```
//!
//! A word is a run of letters, digits, marks and underscores, of two characters at least. Scripts that put no space between words (Chinese,
//! Japanese, Thai and their like) give pairs of neighbouring characters in the place of words, as a search for one of two characters has it.
//!
//! Source: the words of `bm25s`, Lucene's English stop words, the stemmers of Snowball, and pairs as of Lucene's analyzer for Chinese, Japanese and Korean.

use std::{borrow::Cow, fmt, str::FromStr};

use frostem::{Algorithm, Stemmer};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use unicode_normalization::{IsNormalized, UnicodeNormalization as _, is_nfkc_quick};

/// The fewest characters of a word.
const SHORTEST: usize = 2;

/// Lucene's, in the order of the alphabet.
const ENGLISH_STOP_WORDS: [&str; 33] = [
    "a", "an", "and", "are", "as", "at", "be", "but", "by", "for", "if", "in", "into", "is", "it", "no", "not", "of",
    "on", "or", "such", "that", "the", "their", "then", "there", "these", "they", "this", "to", "was", "will", "with",
];

/// How texts become terms. Questions have to be read as the passages were.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AnalysisConfig {
    /// The language whose stems words are cut to. By default they stay whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stemmer: Option<StemmerLanguage>,
    /// Whether English stop words are left out.
    #[serde(default)]
    pub stop_words: bool,
}

impl AnalysisConfig {
    /// What is wrong, if something is: the key, and the message.
    #[must_use]
    pub fn fault(&self) -> Option<(&'static str, String)> {
        let language = self.stemmer.filter(|language| self.stop_words && *language != StemmerLanguage::English)?;
        Some(("stop-words", format!("they are English ones, and stems are of {language}")))
    }
}

/// A language with a stemmer of Snowball.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "each is its language")]
pub enum StemmerLanguage {
    Arabic,
    Armenian,
    Basque,
    Catalan,
    Czech,
    Danish,
    Dutch,
    English,
    Esperanto,
    Estonian,
    Finnish,
    French,
    German,
    Greek,
    Hindi,
    Hungarian,
    Indonesian,
    Irish,
    Italian,
    Lithuanian,
    Nepali,
    Norwegian,
    Persian,
    Polish,
    Portuguese,
    Romanian,
    Russian,
    Serbian,
    Sesotho,
    Spanish,
    Swedish,
    Tamil,
    Turkish,
    Ukrainian,
    Yiddish,
}

impl fmt::Display for StemmerLanguage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(formatter)
    }
}

impl FromStr for StemmerLanguage {
    type Err = serde::de::value::Error;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::deserialize(serde::de::value::StrDeserializer::new(name))
    }
}

impl StemmerLanguage {
    fn stemmer(self) -> Stemmer {
        Stemmer::new(match self {
            Self::Arabic => Algorithm::Arabic,
            Self::Armenian => Algorithm::Armenian,
            Self::Basque => Algorithm::Basque,
            Self::Catalan => Algorithm::Catalan,
            Self::Czech => Algorithm::Czech,
            Self::Danish => Algorithm::Danish,
            Self::Dutch => Algorithm::Dutch,
            Self::English => Algorithm::English,
            Self::Esperanto => Algorithm::Esperanto,
            Self::Estonian => Algorithm::Estonian,
            Self::Finnish => Algorithm::Finnish,
            Self::French => Algorithm::French,
            Self::German => Algorithm::German,
            Self::Greek => Algorithm::Greek,
            Self::Hindi => Algorithm::Hindi,
            Self::Hungarian => Algorithm::Hungarian,
            Self::Indonesian => Algorithm::Indonesian,
            Self::Irish => Algorithm::Irish,
            Self::Italian => Algorithm::Italian,
            Self::Lithuanian => Algorithm::Lithuanian,
            Self::Nepali => Algorithm::Nepali,
            Self::Norwegian => Algorithm::Norwegian,
            Self::Persian => Algorithm::Persian,
            Self::Polish => Algorithm::Polish,
            Self::Portuguese => Algorithm::Portuguese,
            Self::Romanian => Algorithm::Romanian,
            Self::Russian => Algorithm::Russian,
            Self::Serbian => Algorithm::Serbian,
            Self::Sesotho => Algorithm::Sesotho,
            Self::Spanish => Algorithm::Spanish,
            Self::Swedish => Algorithm::Swedish,
            Self::Tamil => Algorithm::Tamil,
            Self::Turkish => Algorithm::Turkish,
            Self::Ukrainian => Algorithm::Ukrainian,
            Self::Yiddish => Algorithm::Yiddish,
        })
    }
}

/// The same, ready.
pub struct Analysis {
    config: AnalysisConfig,
    stemmer: Option<Stemmer>,
}

impl fmt::Debug for Analysis {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.config.fmt(formatter)
    }
}

impl Analysis {
    /// Makes terms as a configuration says.
    #[must_use]
    pub fn new(config: AnalysisConfig) -> Self {
        Self { config, stemmer: config.stemmer.map(StemmerLanguage::stemmer) }
    }

    /// The configuration.
    #[must_use]
    pub fn config(&self) -> AnalysisConfig {
        self.config
    }

    /// Gives the terms of a text, in its order, each as often as it stands there.
    ///
    /// - `word`: memory for a word, whatever is in it
    pub fn terms(&self, text: &str, word: &mut String, mut term: impl FnMut(&str)) {
        // the same letters in another form are the same
        let is_normal = text.is_ascii() || is_nfkc_quick(text.chars()) == IsNormalized::Yes;
        let text: Cow<'_, str> = if is_normal { text.into() } else { text.nfkc().collect::<String>().into() };
        // the character before, of a script without spaces, and whether it is part of a pair by now
        let mut unspaced: Option<(char, bool)> = None;
        word.clear();
        let mut characters = 0;
        for character in text.chars() {
            if is_unspaced(character) {
                self.give_word(word, &mut characters, &mut term);
                if let Some((before, _)) = unspaced {
                    word.extend([before, character]);
                    term(word);
                    word.clear();
                }
                unspaced = Some((character, unspaced.is_some()));
                continue;
            }
            give_alone(&mut unspaced, word, &mut term);
            if character.is_ascii_alphanumeric() || character == '_' {
                word.push(character.to_ascii_lowercase());
                characters += 1;
            } else if !character.is_ascii() && is_of_word(character) {
                // a sigma at the end of a word is a sigma
                word.extend(character.to_lowercase().map(|letter| if letter == 'ς' { 'σ' } else { letter }));
                characters += 1;
            } else {
                self.give_word(word, &mut characters, &mut term);
            }
        }
        self.give_word(word, &mut characters, &mut term);
        give_alone(&mut unspaced, word, &mut term);
    }

    /// Ends a word: gives it, if it is to be given.
    fn give_word(&self, word: &mut String, characters: &mut usize, term: &mut impl FnMut(&str)) {
        let is_given = *characters >= SHORTEST
            && !(self.config.stop_words && ENGLISH_STOP_WORDS.binary_search(&word.as_str()).is_ok());
        if is_given {
            match &self.stemmer {
                Some(stemmer) => term(&stemmer.stem(word)),
                None => term(word),
            }
        }
        word.clear();
        *characters = 0;
    }
}

/// Ends a run of a script without spaces: a character that stood alone is a term of its own.
fn give_alone(unspaced: &mut Option<(char, bool)>, word: &mut String, term: &mut impl FnMut(&str)) {
    if let Some((character, false)) = unspaced.take() {
        word.push(character);
        term(word);
        word.clear();
    }
}

fn is_of_word(character: char) -> bool {
    character.is_alphanumeric() || unicode_normalization::char::is_combining_mark(character)
}

/// Whether a script puts no space between words: Chinese and Japanese characters, Thai, Lao, Burmese, Khmer.
fn is_unspaced(character: char) -> bool {
    matches!(character,
        '\u{0e01}'..='\u{0eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}' | '\u{3005}'..='\u{3007}' | '\u{3041}'..='\u{30ff}' | '\u{31f0}'..='\u{31ff}'
        | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{ff66}'..='\u{ff9f}' | '\u{20000}'..='\u{3ffff}')
        && is_of_word(character)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(config: AnalysisConfig, text: &str) -> Vec<String> {
        let mut found = Vec::new();
        Analysis::new(config).terms(text, &mut String::from("what was there"), |term| found.push(term.to_owned()));
        found
    }

    #[test]
    fn words_are_runs_of_letters() {
        let plain = |text: &str| terms(AnalysisConfig::default(), text).join(" ");
        assert_eq!(plain("The GPT-3's 2,048 tokens: a_b, É è ÉTÉ."), "the gpt 048 tokens a_b été");
        assert_eq!(plain("हिन्दी भाषा"), "हिन्दी भाषा");
        assert_eq!(plain("x"), "");
        assert_eq!(plain("cafe\u{301} ＡＢ"), "café ab");
        assert_eq!(plain("ΔΡΟΜΟΣ δρόμος"), "δρομοσ δρόμοσ");
        assert_eq!(plain("人々"), "人々");
        assert_eq!(plain("東京都 is 京, GPU版"), "東京 京都 is 京 gpu 版");
    }

    #[test]
    fn stop_words_go_and_stems_stay() {
        assert!(ENGLISH_STOP_WORDS.is_sorted());
        let english = AnalysisConfig { stemmer: Some(StemmerLanguage::English), stop_words: true };
        assert_eq!(terms(english, "The studies of running were not in it"), ["studi", "run", "were"]);
        // which Snowball tells apart since its third version
        assert_eq!(terms(english, "universities, the universe"), ["universiti", "univers"]);
    }
}
