//! The family `bands`: what near-duplicates are found by.

use std::sync::Arc;

use datafusion::arrow::{
    array::{ArrayRef, ListBuilder, UInt64Builder},
    datatypes::{DataType, Field, Fields},
};
use rayon::prelude::*;
use xxhash_rust::xxh3::xxh3_64;

use super::{
    BandsConfig,
    family::{Measure, field},
};
use crate::text::{minhash::MinHash, normal::NormalForm, shingles::Shingler};

/// How texts become bands.
pub const VERSION: crate::files::Version = crate::files::Version::new("measure/bands", 1);

/// `bands` holds a hash of the text's normal form, then one for each band of its signature. A text that is shorter than a
/// shingle has the first alone, and so is like none but its equals; one without a letter or digit has none, and is null.
pub fn fields() -> Fields {
    let item = Arc::new(Field::new("item", DataType::UInt64, true));
    Fields::from(vec![field("bands", DataType::List(item))])
}

/// Computes the hashes of one text after the other.
#[derive(Debug, Clone)]
pub struct BandHasher {
    functions: Arc<MinHash>,
    shingler: Shingler,
    normal: NormalForm,
    shingles: Vec<u64>,
    signature: Vec<u32>,
}

impl BandHasher {
    /// A hasher for one shape.
    #[must_use]
    pub fn new(config: BandsConfig) -> Self {
        Self {
            functions: Arc::new(MinHash::new(config.bands, config.rows)),
            shingler: Shingler::new(config.shingle),
            normal: NormalForm::default(),
            shingles: Vec::new(),
            signature: Vec::new(),
        }
    }

    /// Adds the hashes of `text` to `bands`, as many as it has: none, one, or one more than there are bands.
    pub fn push(&mut self, text: &str, bands: &mut Vec<u64>) {
        self.normal.take(text);
        if self.normal.words() == 0 {
            return;
        }
        bands.push(xxh3_64(self.normal.bytes()));
        self.shingler.take(&self.normal, &mut self.shingles);
        self.functions.sign(&self.shingles, &mut self.signature);
        self.functions.bands(&self.signature, bands);
    }
}

pub struct Bands(BandHasher);

impl Bands {
    pub fn new(config: BandsConfig) -> Self {
        Self(BandHasher::new(config))
    }
}

impl Measure for Bands {
    fn measure(&self, texts: &[Option<&str>]) -> Vec<ArrayRef> {
        let bands_of = |hasher: &mut BandHasher, text: Option<&str>| {
            let mut bands = Vec::new();
            hasher.push(text.unwrap_or_default(), &mut bands);
            (!bands.is_empty()).then_some(bands)
        };
        let found: Vec<Option<Vec<u64>>> =
            texts.par_iter().map_init(|| self.0.clone(), |hasher, text| bands_of(hasher, *text)).collect();
        let mut bands = ListBuilder::new(UInt64Builder::new());
        found.into_iter().for_each(|of_text| bands.append_option(of_text.map(|bands| bands.into_iter().map(Some))));
        vec![Arc::new(bands.finish())]
    }
}
