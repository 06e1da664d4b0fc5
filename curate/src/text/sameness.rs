//! By what texts are the same, and the hashes that say so.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::{xxh3_64, xxh3_128};

use super::{exact::ExactForm, normal::NormalForm};

/// By what texts are the same.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Sameness {
    /// By every byte, but for composition and white space; see [`super::exact`].
    #[default]
    Exact,
    /// By letters alone: case, accents, punctuation and signs are taken away, and every number is the same; see [`super::normal`].
    Normalized,
}

/// Takes hashes that are equal where texts are the same. Keeps its buffers from text to text.
#[derive(Debug, Default, Clone)]
pub struct TextHasher {
    sameness: Sameness,
    exact: ExactForm,
    normal: NormalForm,
}

impl TextHasher {
    /// A hasher of one kind.
    #[must_use]
    pub fn new(sameness: Sameness) -> Self {
        Self { sameness, ..Self::default() }
    }

    /// XXH3-128 of the form in which `text` is compared; none where nothing is left of it.
    pub fn hash(&mut self, text: &str) -> Option<u128> {
        let bytes = self.form(text);
        (!bytes.is_empty()).then(|| xxh3_128(bytes))
    }

    /// XXH3-64 of the same, of a substring; none for one without a letter or digit.
    pub fn substring_hash(&mut self, substring: &str) -> Option<u64> {
        if self.sameness == Sameness::Exact && !substring.chars().any(char::is_alphanumeric) {
            return None;
        }
        let bytes = self.form(substring);
        (!bytes.is_empty()).then(|| xxh3_64(bytes))
    }

    fn form<'a>(&'a mut self, text: &'a str) -> &'a [u8] {
        match self.sameness {
            Sameness::Exact => self.exact.take(text),
            Sameness::Normalized => {
                self.normal.take(text);
                self.normal.bytes()
            }
        }
    }
}
