//! The families `fingerprints` and `normalized_fingerprints`: what the same texts are found by.

use std::sync::Arc;

use datafusion::arrow::{
    array::{ArrayRef, StringViewArray, UInt64Array},
    datatypes::{DataType, Fields},
};
use rayon::prelude::*;

use super::family::{Measure, field};
use crate::text::sameness::{Sameness, TextHasher};

/// How texts become hashes of the form in which they are compared.
pub const VERSION: crate::files::Version = crate::files::Version::new("measure/fingerprints", 2);

/// `text_hash` is the XXH3-128 of the text in the form in which it is compared, as 32 hexadecimal digits; `short_hash` are its lower 64
/// bits, for where a false match in 2^64 does no harm. Both are null where nothing is left of a text: in the exact form for one of white
/// space alone, in the normal form for one without a letter or digit.
pub fn fields() -> Fields {
    Fields::from(vec![field("text_hash", DataType::Utf8View), field("short_hash", DataType::UInt64)])
}

pub struct Fingerprints(pub Sameness);

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
