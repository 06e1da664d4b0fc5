//! Reading a tokenizer, and the files beside it.

use std::path::Path;

use schemas::byte_order_mark::without_mark;
use serde_json::Value;
use system::contained::{Panicked, contained};

use super::{
    Tokenizer, TokenizerConfig,
    added::{AddedToken, Ids, added_tokens, keep_ids, without_special},
    byte_level::ByteLevelEncoder,
    ends::{self, Ends},
    names::Names,
};
use crate::error::{Error, Result};

impl Tokenizer {
    /// Reads a `tokenizer.json` and the files beside it that say more of it: `tokenizer_config.json`, `generation_config.json`,
    /// `config.json`.
    ///
    /// # Errors
    /// When there is none, it is damaged, or nothing names the token that ends a text.
    pub fn load(path: &Path) -> Result<Self> {
        Self::load_with(path, TokenizerConfig::default())
    }

    /// The same with what the files leave open.
    ///
    /// # Errors
    /// As [`Self::load`], and when there is no such token.
    pub fn load_with(path: &Path, config: TokenizerConfig) -> Result<Self> {
        let bytes = std::fs::read(path).map_err(Error::file("read", path))?;
        let names = Names::read(path.parent().unwrap_or(Path::new("")))?;
        Self::new(bytes, path, names, config)
    }

    /// From the bytes of a file at `path`, and what stands beside it.
    pub(super) fn new(mut bytes: Vec<u8>, path: &Path, names: Names, config: TokenizerConfig) -> Result<Self> {
        let damaged = |message: String| Error::Damaged { path: path.to_owned(), message };
        // it goes on without the mark: most programs read no JSON behind one
        let mark = bytes.len() - without_mark(&bytes).map_err(damaged)?.len();
        bytes.drain(..mark);
        let mut json: Value = serde_json::from_slice(&bytes).map_err(|error| damaged(error.to_string()))?;
        let added = added_tokens(&json).map_err(damaged)?;
        // a file may say that texts are cut and filled to a length: that is for others who ask for it, and loses text
        let parts = json.as_object_mut().ok_or_else(|| damaged("it is no object".into()))?;
        ["truncation", "padding"].iter().for_each(|part| drop(parts.remove(*part)));
        keep_ids(&mut json, &added);
        let dropout = without_dropout(&mut json);
        let read = |json: &Value| -> Result<tokenizers::Tokenizer> {
            // the crate panics where merges do not fit the prefix of a word's later pieces
            let read = contained(|| tokenizers::Tokenizer::from_bytes(json.to_string()));
            let read =
                read.map_err(|Panicked(panic)| damaged(format!("the crate `tokenizers` cannot read it: {panic}")))?;
            read.map_err(|error| damaged(error.to_string()))
        };
        let inner = read(&json)?;
        let other = added.iter().find(|token| inner.token_to_id(&token.content).is_some_and(|id| id != token.id));
        if let Some(AddedToken { id, content, .. }) = other {
            let found = inner.token_to_id(content).unwrap_or_default();
            let message = format!("`{content}` has the id {id} among `added_tokens`, and {found} in the vocabulary");
            return Err(damaged(message));
        }
        let fast = ByteLevelEncoder::read(&json, &added);
        let ordinary = if fast.is_none() && added.iter().any(|token| token.special) {
            Some(read(&without_special(&json, &added))?)
        } else {
            None
        };
        let ids = Ids::new(&inner.get_vocab(true));
        let ends = Ends::new(&inner, &added, &names, config.end_of_text.as_deref()).map_err(|fault| match fault {
            ends::Fault::Names(error) => error,
            ends::Fault::Tokenizer(message) => Error::Tokenizer(format!("{}: {message}", path.display())),
        })?;
        let named = |id: u32| (content(&inner, &added, id), id);
        let (end, bos) = (named(ends.end), ends.bos.map(named));
        let names = names.ending(&end, &ends.stops, bos.as_ref());
        let unknown = json["model"]["unk_token"].as_str().map(str::to_owned);
        let added = added.into_iter().map(|token| (token.id, token)).collect();
        Ok(Self { inner, ordinary, fast, added, ids, ends, names, config, unknown, dropout, bytes })
    }
}

/// What a token says.
fn content(inner: &tokenizers::Tokenizer, added: &[AddedToken], id: u32) -> String {
    let of = added.iter().find(|token| token.id == id).map(|token| token.content.clone());
    of.or_else(|| inner.id_to_token(id)).unwrap_or_default()
}

/// Turns BPE dropout off. Returns what it was, where it is above 0.
///
/// The crate drops merges by chance whenever a text is encoded, at the rate that the file names. That makes a model robust which sees a text in
/// other pieces each time. Ids that are made once and kept would be one draw, which no second run repeats.
///
/// Source: Provilkov et al. 2020 (BPE-dropout), section 3: it is for training, and the merges are all there at inference.
fn without_dropout(json: &mut Value) -> Option<f64> {
    let dropout = json.pointer_mut("/model/dropout").filter(|dropout| dropout.is_number())?;
    dropout.take().as_f64().filter(|dropout| *dropout > 0.0)
}
