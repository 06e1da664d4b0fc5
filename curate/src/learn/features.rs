//! Hashed counts of words.
//!
//! Words are what stands between white space, in lower case; a word's feature is its MurmurHash3 (seed 42) modulo the number
//! of features. So far this is Spark's `Tokenizer` and `HashingTF`, which GPT-3's filter was made of. A text's counts are divided
//! by their Euclidean norm, so that a book and a page can be compared.
//!
//! Source: Brown et al. 2020 (GPT-3), appendix A; Spark's default of 2^18 features.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::text::hashing::murmur3;

/// Spark's seed.
const SEED: u32 = 42;

/// How texts become features.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct HashedWords {
    /// The number of features is two to this power, from 8 to 30.
    pub bits: u32,
}

impl Default for HashedWords {
    fn default() -> Self {
        Self { bits: 18 }
    }
}

/// The features of one text, in rising order of their numbers. Reused from text to text.
#[derive(Debug, Default, Clone)]
pub struct Features {
    /// Feature and value.
    pub entries: Vec<(u32, f32)>,
    hashes: Vec<u32>,
    lower: String,
}

impl HashedWords {
    /// How many features there are.
    #[must_use]
    pub fn count(self) -> usize {
        1 << self.bits
    }

    /// Takes the features of `text`, dropping what was in `features` before.
    pub fn take(self, text: &str, features: &mut Features) {
        let mask = (1u32 << self.bits) - 1;
        let Features { entries, hashes, lower } = features;
        hashes.clear();
        for word in text.split_whitespace() {
            let hash = if word.bytes().any(|byte| !byte.is_ascii() || byte.is_ascii_uppercase()) {
                lower.clear();
                word.chars().flat_map(char::to_lowercase).for_each(|letter| lower.push(letter));
                murmur3(lower.as_bytes(), SEED)
            } else {
                murmur3(word.as_bytes(), SEED)
            };
            hashes.push(hash & mask);
        }
        hashes.sort_unstable();
        entries.clear();
        for same in hashes.chunk_by(|one, next| one == next) {
            entries.push((same[0], same.len() as f32));
        }
        let squares: f64 = entries.iter().map(|(_, count)| f64::from(*count) * f64::from(*count)).sum();
        let norm = squares.sqrt();
        #[expect(clippy::cast_possible_truncation, reason = "a fraction of 1")]
        entries.iter_mut().for_each(|(_, count)| *count = (f64::from(*count) / norm) as f32);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_is_ignored_and_counts_have_norm_one() {
        let mut features = Features::default();
        HashedWords::default().take("The end the END of it", &mut features);
        let squares: f32 = features.entries.iter().map(|(_, value)| value * value).sum();
        assert!((squares - 1.0).abs() < 1e-6);
        assert_eq!(features.entries.len(), 4);
        assert!(features.entries.is_sorted_by(|one, next| one.0 < next.0));
    }
}
