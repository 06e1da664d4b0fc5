//! The families `fingerprints` and `normalized_fingerprints`: what the same texts are found by.

use std::sync::Arc;

use datafusion::arrow::{
    array::{ArrayRef, StringViewArray, UInt64Array},
    datatypes::{DataType, Fields},
};
use rayon::prelude::*;

use super::{
    Asked, FamilyConfig,
    family::{FactFamily, Measure, field},
};
use crate::{
    error::Result,
    files::Version,
    text::sameness::{Sameness, TextHasher},
};

/// Texts as hashes of the form in which they are compared.
pub struct Fingerprints(Sameness);

impl FactFamily for Fingerprints {
    type Config = Sameness;

    const VERSION: Version = Version::new("measure/fingerprints", 2);

    fn name(sameness: &Sameness) -> &'static str {
        match sameness {
            Sameness::Exact => "fingerprints",
            Sameness::Normalized => "normalized_fingerprints",
        }
    }

    /// `text_hash` is the XXH3-128 of the text in the form in which it is compared, as 32 hexadecimal digits; `short_hash` are its lower 64
    /// bits, for where a false match in 2^64 does no harm. Both are null where nothing is left of a text: in the exact form for one of white
    /// space alone, in the normal form for one without a letter or digit.
    fn fields() -> Fields {
        Fields::from(vec![field("text_hash", DataType::Utf8View), field("short_hash", DataType::UInt64)])
    }

    fn asked(asked: &Asked<'_>) -> Result<Vec<Sameness>> {
        let is_asked =
            |sameness: &Sameness| asked.configured().any(|config| *config == FamilyConfig::Fingerprints(*sameness));
        Ok([Sameness::Exact, Sameness::Normalized].into_iter().filter(is_asked).collect())
    }

    fn load(sameness: &Sameness) -> Result<Self> {
        Ok(Self(*sameness))
    }
}

impl Measure for Fingerprints {
    fn measure(&self, texts: &[Option<&str>]) -> Vec<ArrayRef> {
        let hasher = || TextHasher::new(self.0);
        let hashes = texts.par_iter().map_init(hasher, |hasher, text| hasher.hash(text.unwrap_or_default()));
        let hashes: Vec<Option<u128>> = hashes.collect();
        #[expect(clippy::cast_possible_truncation, reason = "the lower bits are wanted")]
        let short = hashes.iter().map(|hash| hash.map(|hash| hash as u64)).collect::<UInt64Array>();
        let long = hashes.iter().map(|hash| hash.map(|hash| format!("{hash:032x}")));
        vec![Arc::new(long.collect::<StringViewArray>()), Arc::new(short)]
    }
}
