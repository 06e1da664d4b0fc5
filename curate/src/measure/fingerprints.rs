//! The family `fingerprints`: what exact duplicates are found by.

use std::sync::Arc;

use datafusion::arrow::{
    array::{ArrayRef, StringViewArray, UInt64Array},
    datatypes::{DataType, Fields},
};
use rayon::prelude::*;
use xxhash_rust::xxh3::xxh3_128;

use super::family::{Measure, field};
use crate::text::normal::NormalForm;

/// How texts become hashes of their normal form.
pub const VERSION: crate::files::Version = crate::files::Version::new("measure/fingerprints", 1);

/// `text_hash` is the XXH3-128 of the text's normal form, as 32 hexadecimal digits; `short_hash` are its lower 64 bits, for
/// where a false match in 2^64 does no harm. Both are null for a text without a letter or digit.
pub fn fields() -> Fields {
    Fields::from(vec![field("text_hash", DataType::Utf8View), field("short_hash", DataType::UInt64)])
}

pub struct Fingerprints;

impl Measure for Fingerprints {
    fn measure(&self, texts: &[Option<&str>]) -> Vec<ArrayRef> {
        let hash = |normal: &mut NormalForm, text: Option<&str>| {
            normal.take(text.unwrap_or_default());
            (!normal.bytes().is_empty()).then(|| xxh3_128(normal.bytes()))
        };
        let hashes: Vec<Option<u128>> =
            texts.par_iter().map_init(NormalForm::default, |normal, text| hash(normal, *text)).collect();
        #[expect(clippy::cast_possible_truncation, reason = "the lower bits are wanted")]
        let short = hashes.iter().map(|hash| hash.map(|hash| hash as u64)).collect::<UInt64Array>();
        let long = hashes.iter().map(|hash| hash.map(|hash| format!("{hash:032x}")));
        vec![Arc::new(long.collect::<StringViewArray>()), Arc::new(short)]
    }
}
