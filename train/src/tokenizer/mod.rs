//! Byte-level BPE: training it on a mixture, and turning text into ids and back.
//!
//! The file is `tokenizer.json`, as the Python package `tokenizers` writes and reads it. Text is cut as GPT-2 cuts it, every
//! byte has a token, so that nothing is unknown, and `<|endoftext|>` stands between documents.
//!
//! Text becomes ids by an encoder of our own (`byte_level`) where it knows the tokenizer's kind, and by the crate `tokenizers`
//! otherwise; the ids are the same.
//!
//! Source: Sennrich et al. 2016; Radford et al. 2019 (GPT-2) for the cut and the alphabet of bytes.

mod byte_level;
mod classes;
mod cut;
mod merges;
mod specials;
mod word_cache;

use std::path::Path;

use tokenizers::{
    AddedToken, TokenizerImpl,
    decoders::byte_level::ByteLevel as ByteLevelDecoder,
    models::bpe::{BPE, BpeTrainerBuilder},
    normalizers::NormalizerWrapper,
    pre_tokenizers::byte_level::ByteLevel,
    processors::byte_level::ByteLevel as ByteLevelProcessor,
};

use self::byte_level::ByteLevelEncoder;
use crate::error::{Error, Result};

/// What stands behind every document.
pub const END_OF_TEXT: &str = "<|endoftext|>";

type Inner = TokenizerImpl<BPE, NormalizerWrapper, ByteLevel, ByteLevelProcessor, ByteLevelDecoder>;

/// A byte-level BPE tokenizer.
#[derive(Debug)]
pub struct Tokenizer {
    inner: tokenizers::Tokenizer,
    /// None where `inner` alone knows how.
    fast: Option<ByteLevelEncoder>,
    end_of_text: u32,
}

impl Tokenizer {
    /// Trains a tokenizer with `vocabulary` tokens, and writes it to `path`.
    ///
    /// # Errors
    /// When the texts are too few for so many tokens, or the file cannot be written.
    pub fn train<'t>(texts: impl Iterator<Item = &'t str> + Send, vocabulary: usize, path: &Path) -> Result<Self> {
        let least = 256 + 1;
        if vocabulary < least {
            return Err(Error::Tokenizer(format!("a vocabulary has at least {least} tokens, not {vocabulary}")));
        }
        let mut trainer = BpeTrainerBuilder::new()
            .show_progress(false)
            .vocab_size(vocabulary)
            .min_frequency(2)
            .initial_alphabet(ByteLevel::alphabet().into_iter().collect())
            .special_tokens(vec![AddedToken::from(END_OF_TEXT, true)])
            .build();
        let cut = ByteLevel::new(false, true, true);
        let mut inner: Inner = TokenizerImpl::new(BPE::default());
        inner.with_pre_tokenizer(Some(cut)).with_post_processor(Some(cut)).with_decoder(Some(cut));
        inner.train(&mut trainer, texts).map_err(|error| failed(&error))?;
        let json = inner.to_string(true).map_err(|error| failed(&error))?;
        crate::checkpoint::write_whole(path, json.as_bytes())?;
        Self::load(path)
    }

    /// Reads a `tokenizer.json`.
    ///
    /// # Errors
    /// When there is none, or it has no `<|endoftext|>`.
    pub fn load(path: &Path) -> Result<Self> {
        let bytes = std::fs::read(path).map_err(Error::file("read", path))?;
        let damaged = |message: String| Error::Damaged { path: path.to_owned(), message };
        let inner = tokenizers::Tokenizer::from_bytes(&bytes).map_err(|error| damaged(error.to_string()))?;
        let end_of_text =
            inner.token_to_id(END_OF_TEXT).ok_or_else(|| damaged(format!("it has no token {END_OF_TEXT}")))?;
        let fast = ByteLevelEncoder::read(&bytes, |content| inner.token_to_id(content));
        Ok(Self { inner, fast, end_of_text })
    }

    /// How many tokens there are.
    #[must_use]
    pub fn vocabulary(&self) -> usize {
        self.inner.get_vocab_size(true)
    }

    /// The id of `<|endoftext|>`.
    #[must_use]
    pub fn end_of_text(&self) -> u32 {
        self.end_of_text
    }

    /// Whether our own encoder knows this tokenizer's kind; else the crate `tokenizers` encodes, many times slower.
    #[must_use]
    pub fn is_fast(&self) -> bool {
        self.fast.is_some()
    }

    /// The ids of a text.
    ///
    /// # Errors
    /// When the tokenizer's own parts do not fit together.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>> {
        if let Some(fast) = &self.fast {
            return Ok(fast.encode(text));
        }
        let encoding = self.inner.encode_fast(text, false).map_err(|error| failed(&error))?;
        Ok(encoding.get_ids().to_vec())
    }

    /// The ids of each of many texts, on all cores.
    ///
    /// # Errors
    /// When the tokenizer's own parts do not fit together.
    pub fn encode_batch(&self, texts: &[&str]) -> Result<Vec<Vec<u32>>> {
        if let Some(fast) = &self.fast {
            return Ok(fast.encode_batch(texts));
        }
        let encodings = self.inner.encode_batch_fast(texts.to_vec(), false).map_err(|error| failed(&error))?;
        Ok(encodings.into_iter().map(|encoding| encoding.get_ids().to_vec()).collect())
    }

    /// The text of some ids, without `<|endoftext|>`.
    ///
    /// # Errors
    /// When the tokenizer's own parts do not fit together.
    pub fn decode(&self, ids: &[u32]) -> Result<String> {
        self.inner.decode(ids, true).map_err(|error| failed(&error))
    }
}

fn failed(error: &tokenizers::Error) -> Error {
    Error::Tokenizer(error.to_string())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn trained() -> (tempfile::TempDir, Tokenizer) {
        let folder = tempfile::tempdir().expect("the temporary folder can be written");
        let texts = ["the cat sat on the mat, the cat sat", "the hat of the cat", "it's 1999, 日本  日本\n\n"];
        let tokenizer =
            Tokenizer::train(texts.into_iter().cycle().take(60), 320, &folder.path().join("tokenizer.json"))
                .expect("the texts suffice");
        (folder, tokenizer)
    }

    #[test]
    fn any_text_comes_back_as_it_was() -> Result<()> {
        let (_folder, tokenizer) = trained();
        for text in ["the cat", "Grüße, 日本! 🎉\n\n\ttabs  and  spaces ", "", "\u{0}\u{7f}"] {
            assert_eq!(tokenizer.decode(&tokenizer.encode(text)?)?, text);
        }
        assert!(tokenizer.encode(" cat")?.len() == 1, "a frequent word is one token");
        Ok(())
    }

    /// Our encoder and the crate's give the same ids, one by one and many at once, special tokens and long runs among them.
    #[test]
    fn ids_are_those_of_the_crate() {
        let (_folder, tokenizer) = trained();
        assert!(tokenizer.is_fast());
        let some = prop_oneof![
            Just("<|endoftext|>".to_owned()),
            Just("<|endof".to_owned()),
            "[ the cats'0日\n]{0,40}",
            "\\PC{0,12}",
            Just("at".repeat(150)),
            Just("the cat ".repeat(9_000)),
        ];
        let config = ProptestConfig { cases: 24, ..ProptestConfig::default() };
        proptest!(config, |(texts in proptest::collection::vec(some, 0..8))| {
            let text = texts.concat();
            let whole = tokenizer.inner.encode_fast(text.as_str(), false).expect("the crate encodes any text");
            prop_assert_eq!(tokenizer.encode(&text).expect("it encodes any text"), whole.get_ids());
            let parts: Vec<&str> = [&*text].into_iter().chain(texts.iter().map(String::as_str)).collect();
            let each = tokenizer.encode_batch(&parts).expect("it encodes any text");
            prop_assert_eq!(&each[0], whole.get_ids());
            for (part, ids) in parts.iter().zip(each) {
                let expected = tokenizer.inner.encode_fast(*part, false).expect("the crate encodes any text");
                prop_assert_eq!(ids, expected.get_ids());
            }
        });
    }

    /// A tokenizer of another kind is left to the crate.
    #[test]
    fn what_our_encoder_does_not_do_is_left_to_the_crate() -> Result<()> {
        let (folder, tokenizer) = trained();
        let path = folder.path().join("tokenizer.json");
        let bytes = std::fs::read(&path).expect("it was written");
        let changes: [fn(&mut Value); 5] = [
            |json| json["normalizer"] = json!({"type": "Lowercase"}),
            |json| json["pre_tokenizer"]["add_prefix_space"] = json!(true),
            |json| json["pre_tokenizer"]["use_regex"] = json!(false),
            |json| json["model"]["dropout"] = json!(0.1),
            |json| json["added_tokens"][0]["lstrip"] = json!(true),
        ];
        for change in changes {
            let mut json: Value = serde_json::from_slice(&bytes).expect("it is JSON");
            change(&mut json);
            std::fs::write(&path, json.to_string()).expect("it can be written");
            let other = Tokenizer::load(&path)?;
            assert!(!other.is_fast());
            let text = "The cat sat";
            let expected = other.inner.encode_fast(text, false).expect("the crate encodes any text");
            if json["model"]["dropout"].is_null() {
                assert_eq!(other.encode_batch(&[text])?, [expected.get_ids()]);
            }
            assert_eq!(other.end_of_text(), tokenizer.end_of_text());
        }
        Ok(())
    }
}
