//! What single tokens say: a character may be spread over several, so that they say bytes.

use std::{collections::HashMap, sync::LazyLock};

use tokenizers::decoders::DecoderWrapper;

use super::{Tokenizer, byte_level::alphabet};

/// The bytes that stand behind the characters of a vocabulary of bytes.
static BYTES: LazyLock<HashMap<char, u8>> = LazyLock::new(|| alphabet().zip(0..=255).collect());

impl Tokenizer {
    /// Whether a token has an id.
    #[must_use]
    pub fn is_known(&self, id: u32) -> bool {
        self.ids.is_known(id)
    }

    /// Whether an id is that of a special token, such as the end of a text, which says nothing.
    #[must_use]
    pub fn is_special(&self, id: u32) -> bool {
        self.added.get(&id).is_some_and(|added| added.special)
    }

    /// The id of a special token by what it is called.
    #[must_use]
    pub fn special(&self, content: &str) -> Option<u32> {
        self.inner.token_to_id(content).filter(|id| self.is_special(*id))
    }

    /// The bytes that a token says behind other text. Those of several ids in a row are the text of [`Self::decode`] as UTF-8, where that says
    /// characters; special tokens, and ids that no token has, say nothing.
    #[must_use]
    pub fn token_bytes(&self, id: u32) -> Vec<u8> {
        if self.is_special(id) {
            return Vec::new();
        }
        let Some(token) = self.token(id) else { return Vec::new() };
        if self.added.contains_key(&id) {
            return token.into_bytes();
        }
        if matches!(self.inner.get_decoder(), Some(DecoderWrapper::ByteLevel(_)))
            && let Some(bytes) = token.chars().map(|character| BYTES.get(&character).copied()).collect()
        {
            return bytes;
        }
        let text = |ids: &[u32]| self.decode(ids).unwrap_or_default();
        let alone = text(&[id]);
        if let Some(byte) = fallback(&token).filter(|_| alone != token) {
            return vec![byte];
        }
        // a decoder may leave out white space at the beginning of a text
        let before = self.encode("a").ok().and_then(|ids| ids.last().copied());
        let behind = before.and_then(|before| Some(text(&[before, id]).strip_prefix(&text(&[before]))?.to_owned()));
        behind.unwrap_or(alone).into_bytes()
    }
}

/// The byte of a token such as `<0x0A>`, by which a model says characters that it has no token for.
fn fallback(token: &str) -> Option<u8> {
    let digits = token.strip_prefix("<0x")?.strip_suffix('>')?;
    if digits.len() == 2 { u8::from_str_radix(digits, 16).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::{
        error::Result,
        tokenizer::{
            Tokenizer,
            tests::{changed, trained},
        },
    };

    fn bytes(tokenizer: &Tokenizer, ids: &[u32]) -> Vec<u8> {
        ids.iter().flat_map(|id| tokenizer.token_bytes(*id)).collect()
    }

    #[test]
    fn tokens_say_the_bytes_of_a_text() -> Result<()> {
        let (folder, tokenizer) = trained();
        for text in ["the cat", "Grüße, 日本! 🎉\n\n\ttabs  and  spaces ", "\u{0}\u{7f}"] {
            assert_eq!(bytes(&tokenizer, &tokenizer.encode(text)?), text.as_bytes());
        }
        let end = tokenizer.end_of_text();
        assert_eq!((bytes(&tokenizer, &[end, 9_999]), tokenizer.special("<|endoftext|>")), (vec![], Some(end)));
        assert!(tokenizer.is_special(end) && tokenizer.is_known(end) && !tokenizer.is_known(9_999));
        let with = changed(folder.path(), |json| {
            let tokens = json["added_tokens"].as_array_mut().expect("a list");
            tokens.push(json!({
                "id": 320, "content": "Öl", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": false,
            }));
        })?;
        assert_eq!(bytes(&with, &[320]), "Öl".as_bytes());
        Ok(())
    }

    /// The same where bytes are a last resort, and white space at the beginning is left out.
    #[test]
    fn tokens_of_other_decoders_say_bytes() -> Result<()> {
        let pieces = ["<unk>", "<s>", "</s>", "▁", "a", "▁b", "<0xE6>", "<0x97>", "<0xA5>"];
        let vocabulary: serde_json::Map<String, serde_json::Value> =
            pieces.iter().zip(0..).map(|(piece, id)| ((*piece).into(), json!(id))).collect();
        let added = |id: u32, content: &str| {
            json!({
                "id": id, "content": content, "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true,
            })
        };
        let (folder, _) = trained();
        let tokenizer = changed(folder.path(), |json| {
            *json = json!({
                "version": "1.0", "truncation": null, "padding": null, "post_processor": null, "normalizer": null,
                "added_tokens": [added(0, "<unk>"), added(1, "<s>"), added(2, "</s>"), added(9, "<|endoftext|>")],
                "pre_tokenizer": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": false},
                "decoder": {"type": "Sequence", "decoders": [
                    {"type": "Replace", "pattern": {"String": "▁"}, "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"},
                    {"type": "Strip", "content": " ", "start": 1, "stop": 0},
                ]},
                "model": {
                    "type": "BPE", "dropout": null, "unk_token": "<unk>", "continuing_subword_prefix": null, "end_of_word_suffix": null,
                    "fuse_unk": true, "byte_fallback": true, "ignore_merges": false, "vocab": vocabulary, "merges": [],
                },
            });
        })?;
        assert_eq!(bytes(&tokenizer, &[4, 5, 1, 6, 7, 8]), "a b日".as_bytes());
        Ok(())
    }
}
