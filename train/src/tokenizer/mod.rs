//! Byte-level BPE: training it on a mixture, and turning text into ids and back.
//!
//! The file is `tokenizer.json`, as the Python package `tokenizers` writes and reads it. Text is cut as GPT-2 cuts it, every
//! byte has a token, so that nothing is unknown, and `<|endoftext|>` stands between documents.
//!
//! Source: Sennrich et al. 2016; Radford et al. 2019 (GPT-2) for the cut and the alphabet of bytes.

use std::path::Path;

use tokenizers::{
    AddedToken, TokenizerImpl,
    decoders::byte_level::ByteLevel as ByteLevelDecoder,
    models::bpe::{BPE, BpeTrainerBuilder},
    normalizers::NormalizerWrapper,
    pre_tokenizers::byte_level::ByteLevel,
    processors::byte_level::ByteLevel as ByteLevelProcessor,
};

use crate::error::{Error, Result};

/// What stands behind every document.
pub const END_OF_TEXT: &str = "<|endoftext|>";

/// Documents that are encoded together, on all cores.
const BATCH: usize = 1024;

type Inner = TokenizerImpl<BPE, NormalizerWrapper, ByteLevel, ByteLevelProcessor, ByteLevelDecoder>;

/// A byte-level BPE tokenizer.
#[derive(Debug)]
pub struct Tokenizer {
    inner: tokenizers::Tokenizer,
    end_of_text: u32,
}

impl Tokenizer {
    /// Trains a tokenizer with `vocabulary` tokens, and writes it to `path`.
    ///
    /// # Errors
    /// When the texts are too few for so many tokens, or the file cannot be written.
    pub fn train<'t>(texts: impl Iterator<Item = &'t str> + Send, vocabulary: usize, path: &Path) -> Result<Self> {
        let failed = |error: tokenizers::Error| Error::Tokenizer(error.to_string());
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
        inner.train(&mut trainer, texts).map_err(failed)?;
        let json = inner.to_string(true).map_err(failed)?;
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
        let inner = tokenizers::Tokenizer::from_bytes(bytes).map_err(|error| damaged(error.to_string()))?;
        let end_of_text =
            inner.token_to_id(END_OF_TEXT).ok_or_else(|| damaged(format!("it has no token {END_OF_TEXT}")))?;
        Ok(Self { inner, end_of_text })
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

    /// The ids of a text.
    ///
    /// # Errors
    /// When the tokenizer's own parts do not fit together.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>> {
        let encoding = self.inner.encode_fast(text, false).map_err(|error| Error::Tokenizer(error.to_string()))?;
        Ok(encoding.get_ids().to_vec())
    }

    /// The ids of many texts one after the other, each with `<|endoftext|>` behind it; on all cores.
    ///
    /// # Errors
    /// When the tokenizer's own parts do not fit together.
    pub fn encode_all(&self, texts: &[String]) -> Result<Vec<u32>> {
        let mut ids = Vec::new();
        for batch in texts.chunks(BATCH) {
            let inputs: Vec<&str> = batch.iter().map(String::as_str).collect();
            let encodings =
                self.inner.encode_batch_fast(inputs, false).map_err(|error| Error::Tokenizer(error.to_string()))?;
            for encoding in encodings {
                ids.extend_from_slice(encoding.get_ids());
                ids.push(self.end_of_text);
            }
        }
        Ok(ids)
    }

    /// The text of some ids, without `<|endoftext|>`.
    ///
    /// # Errors
    /// When the tokenizer's own parts do not fit together.
    pub fn decode(&self, ids: &[u32]) -> Result<String> {
        self.inner.decode(ids, true).map_err(|error| Error::Tokenizer(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trained() -> (tempfile::TempDir, Tokenizer) {
        let folder = tempfile::tempdir().expect("the temporary folder can be written");
        let texts = ["the cat sat on the mat, the cat sat", "the hat of the cat"];
        let tokenizer =
            Tokenizer::train(texts.into_iter().cycle().take(40), 300, &folder.path().join("tokenizer.json"))
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

    #[test]
    fn documents_end_with_the_end_of_text() -> Result<()> {
        let (_folder, tokenizer) = trained();
        let ids = tokenizer.encode_all(&["the".into(), "cat".into()])?;
        assert_eq!(ids.iter().filter(|id| **id == tokenizer.end_of_text()).count(), 2);
        assert_eq!(ids.last(), Some(&tokenizer.end_of_text()));
        Ok(())
    }
}
