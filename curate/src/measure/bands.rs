//! The family `bands`: what near-duplicates are found by.

use std::sync::Arc;

use datafusion::arrow::{
    array::{ArrayRef, ListBuilder, UInt64Builder},
    datatypes::{DataType, Field, Fields},
};
use rayon::prelude::*;
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use super::{
    Asked, BandsConfig,
    family::{FactFamily, Measure, field},
};
use crate::{
    error::Result,
    files::Version,
    text::{exact::ExactForm, minhash::MinHash, normal::NormalForm, shingles::Shingler},
};

/// How texts become bands. The second divides words as [`crate::text::unspaced`] does, keeps the marks that carry letters, and
/// compares texts that are shorter than a shingle by their exact form.
pub const VERSION: Version = Version::new("measure/bands", 2);

/// The seed of the hashes of texts that are shorter than a shingle.
const SHORT: u64 = 1;

/// Computes the hashes of one text after the other.
#[derive(Debug, Clone)]
pub struct BandHasher {
    functions: Arc<MinHash>,
    shingler: Shingler,
    normal: NormalForm,
    exact: ExactForm,
    shingles: Vec<u64>,
    signature: Vec<u32>,
}

impl BandHasher {
    /// A hasher with these parameters.
    #[must_use]
    pub fn new(config: BandsConfig) -> Self {
        Self {
            functions: Arc::new(MinHash::new(config.bands, config.rows)),
            shingler: Shingler::new(config.shingle),
            normal: NormalForm::default(),
            exact: ExactForm::default(),
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
        self.shingler.take(&self.normal, &mut self.shingles);
        bands.push(match self.shingles.as_slice() {
            // apart from the normal forms of others
            [] => xxh3_64_with_seed(self.exact.take(text), SHORT),
            _ => xxh3_64(self.normal.bytes()),
        });
        self.functions.sign(&self.shingles, &mut self.signature);
        self.functions.bands(&self.signature, bands);
    }
}

/// Texts as the bands of their signatures.
pub struct Bands(BandHasher);

impl FactFamily for Bands {
    type Config = BandsConfig;

    const VERSION: Version = VERSION;

    fn name(_: &BandsConfig) -> &'static str {
        "bands"
    }

    /// `bands` holds a hash of the whole text, then one for each band of its signature. The first is that of the text's normal form, whose
    /// equals share all bands, too; but a text that is shorter than a shingle has that of its exact form, and none else: of so few words
    /// nothing may be taken away (`C++` is no `C#`). A text without a letter or digit has none, and is null.
    fn fields() -> Fields {
        let item = Arc::new(Field::new("item", DataType::UInt64, true));
        Fields::from(vec![field("bands", DataType::List(item))])
    }

    fn asked(asked: &Asked<'_>) -> Result<Vec<BandsConfig>> {
        let choice = asked.facts.bands.as_ref();
        let config =
            choice.map(|choice| choice.get_ref().config().map_err(|message| asked.files.fault(choice.span(), message)));
        let default = || asked.needs("bands").then(BandsConfig::default);
        Ok(config.transpose()?.or_else(default).into_iter().collect())
    }

    fn description(config: &BandsConfig) -> String {
        format!("{} bands of {} on shingles of {}", config.bands, config.rows, config.shingle)
    }

    fn load(config: &BandsConfig) -> Result<Self> {
        Ok(Self(BandHasher::new(*config)))
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
