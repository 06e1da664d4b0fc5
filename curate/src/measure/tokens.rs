//! The family `tokens`.

use std::{
    fs,
    path::Path,
    sync::{Arc, Once},
};

use datafusion::arrow::{
    array::{ArrayRef, UInt64Array},
    datatypes::{DataType, Fields},
};
use rayon::prelude::*;
use schemars::JsonSchema;
use schemas::byte_order_mark::without_mark;
use serde::Deserialize;
use serde_json::Value;
use system::contained::{Panicked, contained};
use tokenizers::{ModelWrapper, Tokenizer};

use super::{
    Asked, ModelFile,
    family::{FactFamily, Measure, field},
};
use crate::{
    error::{Error, Result},
    files::{Text, Version},
};

/// The tokenizer that counts tokens.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenFacts {
    /// A `tokenizer.json`.
    #[schemars(with = "String")]
    pub tokenizer: Text,
}

/// Counts the tokens of a `tokenizer.json`, without special ones.
pub struct Tokens(Tokenizer);

impl FactFamily for Tokens {
    type Config = ModelFile;

    const VERSION: Version = Version::new("measure/tokens", 2);

    fn name(_: &ModelFile) -> &'static str {
        "tokens"
    }

    fn fields() -> Fields {
        Fields::from(vec![field("tokens", DataType::UInt64)])
    }

    fn asked(asked: &Asked<'_>) -> Result<Vec<ModelFile>> {
        let Some(TokenFacts { tokenizer }) = &asked.facts.tokens else { return Ok(vec![]) };
        Ok(vec![ModelFile::named(tokenizer, asked.files)?])
    }

    fn description(tokenizer: &ModelFile) -> String {
        tokenizer.path.display().to_string()
    }

    fn load(tokenizer: &ModelFile) -> Result<Self> {
        Self::read(&tokenizer.path)
    }
}

impl Tokens {
    fn read(path: &Path) -> Result<Self> {
        let damaged = |message: String| Error::Damaged { path: path.to_owned(), message };
        let bytes = fs::read(path).map_err(Error::file("read", path))?;
        let text = without_mark(&bytes).map_err(damaged)?;
        // the crate panics where a part of the file is no JSON
        let _: Value = serde_json::from_slice(text).map_err(|error| damaged(error.to_string()))?;
        // and where merges do not fit the prefix of a word's later pieces
        let read = contained(|| Tokenizer::from_bytes(text));
        let read =
            read.map_err(|Panicked(panic)| damaged(format!("the crate `tokenizers` cannot read it: {panic}")))?;
        let failed = |error: tokenizers::Error| damaged(error.to_string());
        let mut tokenizer = read.map_err(failed)?;
        // a file may ask for texts of one length, which is for batches of a model and not for counting
        tokenizer.with_truncation(None).map_err(failed)?.with_padding(None);
        without_dropout(&mut tokenizer, path);
        Ok(Self(tokenizer))
    }
}

/// Turns BPE dropout off, by which the crate leaves out merges by chance whenever a text is encoded: a text has one number of tokens.
///
/// Source: Provilkov et al. 2020 (BPE-dropout), section 3: it is for training, and the merges are all there at inference.
fn without_dropout(tokenizer: &mut Tokenizer, path: &Path) {
    static SAID: Once = Once::new();
    let ModelWrapper::BPE(bpe) = tokenizer.get_model() else { return };
    let Some(dropout) = bpe.dropout else { return };
    let mut whole = bpe.clone();
    whole.dropout = None;
    tokenizer.with_model(whole);
    if dropout > 0.0 {
        SAID.call_once(|| tracing::warn!("{}: its BPE dropout of {dropout} is off", path.display()));
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
    use super::*;

    /// A file whose model drops every merge, and which begins with a byte order mark.
    #[test]
    fn no_merge_is_dropped_by_chance() -> Result<()> {
        let folder = tempfile::tempdir().expect("the temporary folder can be written");
        let path = folder.path().join("tokenizer.json");
        let text = r#"{"version": "1.0", "added_tokens": [], "model":
            {"type": "BPE", "dropout": 1.0, "vocab": {"a": 0, "b": 1, "ab": 2}, "merges": ["a b"]}}"#;
        fs::write(&path, format!("\u{feff}{text}")).expect("the file can be written");
        let Tokens(tokenizer) = Tokens::read(&path)?;
        assert_eq!(tokenizer.encode_fast("ab", false).expect("it has these letters").get_ids(), [2]);
        Ok(())
    }

    /// Over both of these the crate panics.
    #[test]
    fn a_tokenizer_that_is_none_is_named() {
        let folder = tempfile::tempdir().expect("the temporary folder can be written");
        let path = folder.path().join("tokenizer.json");
        let no_json = r#"{"version": "1.0", "decoder": {"type": "ByteLevel", add": true}}"#;
        let no_merge = r###"{"version": "1.0", "added_tokens": [], "model": {"type": "BPE", "continuing_subword_prefix": "##",
            "vocab": {"a": 0, "b": 1, "ab": 2}, "merges": ["a b"]}}"###;
        for (text, message) in [(no_json, "column"), (no_merge, "the crate `tokenizers` cannot read it")] {
            fs::write(&path, text).expect("the file can be written");
            let error = Tokens::read(&path).err().expect("it is no tokenizer").to_string();
            assert!(error.contains("tokenizer.json is damaged") && error.contains(message), "{error}");
        }
    }
}
