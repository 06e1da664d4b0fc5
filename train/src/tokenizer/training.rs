//! Training a tokenizer on texts.

use std::path::Path;

use system::AtomicFile;
use tokenizers::{
    AddedToken, TokenizerImpl,
    decoders::byte_level::ByteLevel as ByteLevelDecoder,
    models::bpe::{BPE, BpeTrainerBuilder},
    normalizers::NormalizerWrapper,
    pre_tokenizers::byte_level::ByteLevel,
    processors::byte_level::ByteLevel as ByteLevelProcessor,
};

use super::{Tokenizer, TokenizerConfig, ends::END_OF_TEXT, failed, names::Names, sentinel};
use crate::error::{Error, Result};

type Inner = TokenizerImpl<BPE, NormalizerWrapper, ByteLevel, ByteLevelProcessor, ByteLevelDecoder>;

impl Tokenizer {
    /// Trains a tokenizer with `vocab_size` tokens, and writes it to `path`.
    ///
    /// - `extra_ids`: how many of them are sentinels of span corruption, `<extra_id_0>` and so on, as T5's tokenizers have 100
    ///
    /// # Errors
    /// When the texts are too few for so many tokens, or the file cannot be written.
    pub fn train<'t>(
        texts: impl Iterator<Item = &'t str> + Send,
        vocab_size: usize,
        extra_ids: usize,
        path: &Path,
    ) -> Result<Self> {
        let least = 256 + 1 + extra_ids;
        if vocab_size < least {
            return Err(Error::Tokenizer(format!("a vocabulary has at least {least} tokens, not {vocab_size}")));
        }
        let special = [END_OF_TEXT.to_owned()].into_iter().chain((0..extra_ids).map(sentinel));
        let mut trainer = BpeTrainerBuilder::new()
            .show_progress(false)
            .vocab_size(vocab_size)
            .min_frequency(2)
            .initial_alphabet(ByteLevel::alphabet().into_iter().collect())
            .special_tokens(special.map(|token| AddedToken::from(token, true)).collect())
            .build();
        let cut = ByteLevel::new(false, true, true);
        let mut inner: Inner = TokenizerImpl::new(BPE::default());
        inner.with_pre_tokenizer(Some(cut)).with_post_processor(Some(cut)).with_decoder(Some(cut));
        inner.train(&mut trainer, texts).map_err(|error| failed(&error))?;
        let json = inner.to_string(true).map_err(|error| failed(&error))?;
        AtomicFile::write_whole(path, json.as_bytes())?;
        Self::new(json.into_bytes(), path, Names::default(), TokenizerConfig::default())
    }
}
