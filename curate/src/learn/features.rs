//! Hashed counts of words, and of bigrams.
//!
//! ```text
//! text -> words, between white space or divided -> lower case -> MurmurHash3 modulo 2^bits -> counts
//! ```
//!
//! As counts of words these are the features of Spark's `Tokenizer` and `HashingTF`, which GPT-3's filter was made of, and of its
//! `NGram` where bigrams are counted, too. Spark knows white space alone: to it a sentence of Thai or Chinese is one word.
//!
//! Useful for: telling texts by their words, at any size of vocabulary. Not useful for: which word it was; hashes meet.
//!
//! Source: Brown et al. 2020 (GPT-3), appendix A; Du et al. 2022 (`GLaM`), section 3.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::text::{hashing::murmur3, unspaced};

/// Spark's seed.
const SEED: u32 = 42;

/// Tags by which words of one feature are told apart: what is left of their hashes.
pub const TAGS: u32 = 64;

/// How texts become features.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct HashedWords {
    /// The number of features is two to this power, from 8 to 30.
    pub bits: u32,
    /// Count bigrams, too.
    pub bigrams: bool,
    /// Count the empty words between two spaces, as Spark does: blank lines are a feature, then.
    pub empty_words: bool,
    /// What a count is divided by.
    pub scale: Scale,
    /// Divide what stands between white space into words where a script puts none; see [`crate::text::unspaced`]. Models that do not say so
    /// were trained without, and are used as they were trained.
    #[serde(default)]
    pub divide: bool,
}

/// What counts are divided by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scale {
    /// Nothing: a long text has large features, and so a score near 0 or 1.
    Counts,
    /// Their Euclidean norm, so that a book and a page can be compared.
    Unit,
}

/// Features that others have used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FeaturesPreset {
    /// GPT-3's: counts of words in Spark's default of 2^18 features.
    Gpt3,
    /// Words and bigrams, as in `GLaM`, by their norm, in 2^20 features.
    Glam,
}

impl FeaturesPreset {
    /// Its features.
    #[must_use]
    pub fn features(self) -> HashedWords {
        match self {
            Self::Gpt3 => {
                HashedWords { bits: 18, bigrams: false, empty_words: true, scale: Scale::Counts, divide: false }
            }
            Self::Glam => HashedWords { bits: 20, bigrams: true, empty_words: false, scale: Scale::Unit, divide: true },
        }
    }
}

impl Default for HashedWords {
    fn default() -> Self {
        FeaturesPreset::Glam.features()
    }
}

/// The features of one text, in rising order of their numbers. Reused from text to text.
#[derive(Debug, Default, Clone)]
pub struct Features {
    /// Feature and value.
    pub entries: Vec<(u32, f32)>,
    /// Hashes of all words and bigrams, each turned so that its feature stands in the high bits; in rising order, as the entries are.
    hashes: Vec<u32>,
    /// The words in lower case, with a space before each but the first, and where each begins and ends.
    lower: Vec<u8>,
    words: Vec<(usize, usize)>,
}

impl HashedWords {
    /// How many features there are.
    #[must_use]
    pub fn count(self) -> usize {
        1 << self.bits
    }

    /// Takes the features of `text`, dropping what was in `features` before.
    pub fn take(self, text: &str, features: &mut Features) {
        self.hash(text, features);
        let Features { entries, hashes, .. } = features;
        hashes.sort_unstable();
        entries.clear();
        let turned = self.turned();
        for same in hashes.chunk_by(|one, next| one >> turned == next >> turned) {
            entries.push((same[0] >> turned, same.len() as f32));
        }
        if self.scale == Scale::Unit {
            let squares: f64 = entries.iter().map(|(_, count)| f64::from(*count) * f64::from(*count)).sum();
            let norm = squares.sqrt();
            #[expect(clippy::cast_possible_truncation, reason = "a fraction of 1")]
            entries.iter_mut().for_each(|(_, count)| *count = (f64::from(*count) / norm) as f32);
        }
    }

    /// Gives `take` every word and bigram of a text in lower case, with its feature.
    pub fn each_ngram(self, text: &str, features: &mut Features, mut take: impl FnMut(&str, u32)) {
        self.hash(text, features);
        let Features { hashes, lower, words, .. } = features;
        let ngrams = words.iter().copied().chain(words.windows(2).map(|pair| (pair[0].0, pair[1].1)));
        for ((start, end), hash) in ngrams.zip(hashes) {
            if let Ok(ngram) = std::str::from_utf8(&lower[start..end]) {
                take(ngram, *hash >> self.turned());
            }
        }
    }

    /// Gives `see` the feature and the tag of every word and bigram that was taken last, in rising order of features, without the empty
    /// word, which is none. Words that share a feature seldom share their tag as well: it is one of 64.
    pub fn each_tag(self, features: &Features, mut see: impl FnMut(u32, u32)) {
        let turned = self.turned();
        let empty = murmur3(&[], SEED).rotate_left(turned);
        for hash in features.hashes.iter().filter(|hash| **hash != empty) {
            see(hash >> turned, hash & (TAGS - 1));
        }
    }

    /// By how many bits a hash is turned, so that its low bits, which are its feature, are the high ones.
    fn turned(self) -> u32 {
        u32::BITS - self.bits
    }

    /// The hashes of all words of a text, then those of all bigrams.
    fn hash(self, text: &str, features: &mut Features) {
        let turned = self.turned();
        let Features { hashes, lower, words, .. } = features;
        hashes.clear();
        lower.clear();
        words.clear();
        // as Java divides at `\s`: by white space of ASCII alone, with an empty word between two spaces and before the first, and none
        // behind the last; a text of nothing is one empty word
        let is_space = |letter: char| matches!(letter, '\t'..='\r' | ' ');
        let kept = text.trim_end_matches(is_space);
        if kept.is_empty() && !text.is_empty() {
            return;
        }
        for word in kept.split(is_space) {
            if word.is_empty() && !self.empty_words {
                continue;
            }
            let mut take = |word: &str| {
                if !words.is_empty() {
                    lower.push(b' ');
                }
                let start = lower.len();
                if word.is_ascii() {
                    lower.extend_from_slice(word.as_bytes());
                    lower[start..].make_ascii_lowercase();
                } else {
                    lower.extend_from_slice(word.to_lowercase().as_bytes());
                }
                words.push((start, lower.len()));
                hashes.push(murmur3(&lower[start..], SEED).rotate_left(turned));
            };
            if self.divide && unspaced::may_divide(word) {
                unspaced::pieces(word, |start, end| take(&word[start..end]));
            } else {
                take(word);
            }
        }
        if self.bigrams {
            hashes.extend(words.windows(2).map(|pair| murmur3(&lower[pair[0].0..pair[1].1], SEED).rotate_left(turned)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Counted = &'static [(u32, f32)];

    /// What Spark 4.3.0 makes of some texts: `Tokenizer`, `NGram` and `HashingTF` with their defaults.
    const SPARK: [(&str, Counted, Counted); 16] = [
        ("", &[(249_180, 1.0)], &[]),
        (
            "The end of THE road",
            &[(95_889, 2.0), (103_821, 1.0), (156_917, 1.0), (219_087, 1.0)],
            &[(75_703, 1.0), (160_671, 1.0), (189_240, 1.0), (198_523, 1.0)],
        ),
        ("a  b", &[(107_107, 1.0), (148_981, 1.0), (249_180, 1.0)], &[(97_412, 1.0), (192_118, 1.0)]),
        (
            " lead and trail  ",
            &[(15_377, 1.0), (185_228, 1.0), (219_915, 1.0), (249_180, 1.0)],
            &[(56_738, 1.0), (61_444, 1.0), (220_065, 1.0)],
        ),
        (
            "tab\tand\nline\r\nbreak",
            &[(110_078, 1.0), (124_348, 1.0), (173_057, 1.0), (219_915, 1.0), (249_180, 1.0)],
            &[(35_068, 1.0), (104_722, 1.0), (155_194, 1.0), (170_123, 1.0)],
        ),
        (
            "Don't stop, e-mail me@x.org!",
            &[(7221, 1.0), (42_659, 1.0), (133_026, 1.0), (262_031, 1.0)],
            &[(85_965, 1.0), (94_571, 1.0), (204_419, 1.0)],
        ),
        ("Été à l'École", &[(172_493, 1.0), (201_803, 1.0), (207_973, 1.0)], &[(183_564, 1.0), (190_059, 1.0)]),
        (
            "数学 是 美丽 的",
            &[(88_970, 1.0), (167_514, 1.0), (185_535, 1.0), (186_026, 1.0)],
            &[(79_451, 1.0), (120_630, 1.0), (126_411, 1.0)],
        ),
        ("数学是美丽的", &[(98_742, 1.0)], &[]),
        ("ΟΔΟΣ ὁδός Straße", &[(43_272, 1.0), (60_415, 1.0), (106_737, 1.0)], &[(32_277, 1.0), (140_609, 1.0)]),
        ("İstanbul", &[(91_910, 1.0)], &[]),
        ("no\u{a0}break\u{2003}space", &[(178_358, 1.0)], &[]),
        (
            "emoji 😀 😀 ok",
            &[(137_813, 1.0), (197_907, 2.0), (198_197, 1.0)],
            &[(73_104, 1.0), (79_795, 1.0), (89_830, 1.0)],
        ),
        ("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", &[(79_325, 1.0)], &[]),
        (
            "1 22 333 4444 55555",
            &[(52_525, 1.0), (92_651, 1.0), (138_742, 1.0), (142_796, 1.0), (163_353, 1.0)],
            &[(8424, 1.0), (126_060, 1.0), (176_763, 1.0), (245_847, 1.0)],
        ),
        ("   ", &[], &[]),
    ];

    #[test]
    fn features_are_sparks() {
        let mut features = Features::default();
        let gpt3 = FeaturesPreset::Gpt3.features();
        for (text, words, bigrams) in SPARK {
            gpt3.take(text, &mut features);
            assert_eq!(features.entries, words, "the words of {text:?}");
            // with bigrams the features of both are added up
            HashedWords { bigrams: true, ..gpt3 }.take(text, &mut features);
            let mut both = words.to_vec();
            for (bigram, count) in bigrams {
                match both.iter_mut().find(|(feature, _)| feature == bigram) {
                    Some((_, sum)) => *sum += count,
                    None => both.push((*bigram, *count)),
                }
            }
            both.sort_unstable_by_key(|(feature, _)| *feature);
            assert_eq!(features.entries, both, "the bigrams of {text:?}");
        }
    }

    /// A sentence without spaces has the features of its words, but for models that were trained when it was one word.
    #[test]
    fn words_without_spaces_are_divided() {
        let taken = |features: HashedWords, text: &str| {
            let mut buffer = Features::default();
            features.take(text, &mut buffer);
            buffer.entries
        };
        let divided = HashedWords::default();
        assert_eq!(taken(divided, "数学是美丽的 ฝนตกหนัก"), taken(divided, "数 学 是 美 丽 的 ฝน ตกหนัก"));
        let stored = r#"{"bits": 20, "bigrams": true, "empty_words": false, "scale": "unit"}"#;
        let earlier: HashedWords = serde_json::from_str(stored).expect("a model's features");
        assert_eq!(taken(earlier, "ฝนตกหนัก").len(), 1);
        assert_eq!(HashedWords { divide: true, ..earlier }, divided);
    }

    #[test]
    fn case_is_ignored_and_counts_have_norm_one() {
        let mut features = Features::default();
        HashedWords { bigrams: false, ..HashedWords::default() }.take("The end the END of it", &mut features);
        let squares: f32 = features.entries.iter().map(|(_, value)| value * value).sum();
        assert!((squares - 1.0).abs() < 1e-6);
        assert_eq!(features.entries.len(), 4);
        assert!(features.entries.is_sorted_by(|one, next| one.0 < next.0));
    }
}
