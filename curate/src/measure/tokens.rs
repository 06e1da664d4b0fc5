//! The family `tokens`.

use std::{path::Path, sync::Arc};

use datafusion::arrow::{
    array::{ArrayRef, UInt64Array},
    datatypes::{DataType, Fields},
};
use rayon::prelude::*;
use tokenizers::Tokenizer;

use super::family::{Measure, field};
use crate::{
    error::{Error, Result},
    files::{Version, read_json},
};

/// How tokens are counted.
pub const VERSION: Version = Version::new("measure/tokens", 1);

pub fn fields() -> Fields {
    Fields::from(vec![field("tokens", DataType::UInt64)])
}

/// Counts the tokens of a `tokenizer.json`, without special ones.
pub struct Tokens(Tokenizer);

impl Tokens {
    pub fn load(path: &Path) -> Result<Self> {
        let damaged = |error: tokenizers::Error| Error::Damaged { path: path.to_owned(), message: error.to_string() };
        // the crate panics where a part of the file is no JSON
        let _: serde_json::Value = read_json(path)?;
        let mut tokenizer = Tokenizer::from_file(path).map_err(damaged)?;
        // a file may ask for texts of one length, which is for batches of a model and not for counting
        tokenizer.with_truncation(None).map_err(damaged)?.with_padding(None);
        Ok(Self(tokenizer))
    }
}

impl Measure for Tokens {
    fn measure(&self, texts: &[Option<&str>]) -> Vec<ArrayRef> {
        let count = |text: Option<&str>| {
            // a tokenizer without a token for what it does not know gives nothing for it
            text.map(|text| self.0.encode_fast(text, false).map_or(0, |encoding| encoding.len() as u64))
        };
        let counts: Vec<Option<u64>> = texts.par_iter().copied().map(count).collect();
        vec![Arc::new(UInt64Array::from(counts))]
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_tokenizer_that_is_no_json_is_named() {
        let folder = tempfile::tempdir().expect("the temporary folder can be written");
        let path = folder.path().join("tokenizer.json");
        let text = r#"{"version": "1.0", "decoder": {"type": "ByteLevel", add": true}}"#;
        fs::write(&path, text).expect("the file can be written");
        let error = Tokens::load(&path).err().expect("it is no JSON").to_string();
        assert!(error.contains("tokenizer.json is damaged") && error.contains("column"), "{error}");
    }
}
