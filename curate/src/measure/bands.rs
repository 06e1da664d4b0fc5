//! The family `bands`: what near-duplicates are found by.

use std::sync::Arc;

use datafusion::arrow::{
    array::{ArrayRef, ListBuilder, UInt64Builder},
    datatypes::{DataType, Field, Fields},
};
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::family::{Measure, field};
use crate::text::{minhash::MinHash, normal::NormalForm};

/// The shape of MinHash signatures. Two documents of Jaccard similarity J share a band with probability
/// 1 - (1 - J^rows)^bands.
///
/// The default is FineWeb's: 14 bands of 8 on runs of 5 words (Penedo et al. 2024), which finds a similarity of 0.75 with
/// probability 0.77, and one of 0.9 always.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct BandsConfig {
    /// Words in a shingle, 1 or more. A shorter document is like no other.
    pub shingle_words: usize,
    /// Bands, 1 or more.
    pub bands: usize,
    /// Hashes in a band, 1 or more.
    pub rows: usize,
}

impl Default for BandsConfig {
    fn default() -> Self {
        Self { shingle_words: 5, bands: 14, rows: 8 }
    }
}

/// `bands` holds one hash for each band; null for a text that is shorter than a shingle.
pub fn fields() -> Fields {
    let item = Arc::new(Field::new("item", DataType::UInt64, true));
    Fields::from(vec![field("bands", DataType::List(item))])
}

pub struct Bands(MinHash);

impl Bands {
    pub fn new(config: BandsConfig) -> Self {
        Self(MinHash::new(config.shingle_words, config.bands, config.rows))
    }
}

impl Measure for Bands {
    fn measure(&self, texts: &[Option<&str>]) -> Vec<ArrayRef> {
        let bands_of = |(normal, signature): &mut (NormalForm, Vec<u64>), text: Option<&str>| {
            normal.take(text.unwrap_or_default());
            self.0.sign(normal, signature).then(|| {
                let mut bands = Vec::new();
                self.0.bands(signature, &mut bands);
                bands
            })
        };
        let found: Vec<Option<Vec<u64>>> =
            texts.par_iter().map_init(Default::default, |buffers, text| bands_of(buffers, *text)).collect();
        let mut bands = ListBuilder::new(UInt64Builder::new());
        found.into_iter().for_each(|of_text| bands.append_option(of_text.map(|bands| bands.into_iter().map(Some))));
        vec![Arc::new(bands.finish())]
    }
}
