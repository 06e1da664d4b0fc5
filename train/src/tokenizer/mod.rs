//! Byte-level BPE: training it on a mixture, and turning text into ids and back.
//!
//! The file is `tokenizer.json`, as the Python package `tokenizers` writes and reads it. In those that are trained here, text is cut as GPT-2
//! cuts it, every byte has a token, so that nothing is unknown, and `<|endoftext|>` stands between documents; in those of others, the token
//! that the files beside it name (`names`).
//!
//! Text becomes ids by an encoder of our own (`byte_level`) where it knows the tokenizer's kind, and by the crate `tokenizers`
//! otherwise; the ids are the same. A text that quotes a special token is text, unless that is asked for: a page cannot end a document.
//!
//! Source: Sennrich et al. 2016; Radford et al. 2019 (GPT-2) for the cut and the alphabet of bytes.

mod added;
mod byte_level;
mod chat_template;
mod classes;
mod config;
mod decode;
mod ends;
mod extension;
mod jinja;
mod loading;
mod marked;
mod merges;
mod names;
mod pre_tokenizer;
mod specials;
mod token_text;
mod training;
mod word_cache;

use std::{collections::HashMap, path::Path};

use serde_json::{Map, Value, json};
use system::{AtomicFile, sha256};

use self::{
    added::{AddedToken, Ids},
    byte_level::ByteLevelEncoder,
    ends::Ends,
    names::Names,
};
pub use self::{
    chat_template::{ChatTemplate, Message, PLAIN_NAME, Part, RenderedConversation},
    config::TokenizerConfig,
    ends::END_OF_TEXT,
    marked::{Marks, Piece},
};
use crate::error::{Error, Result};

/// The name of the file in a model's folder.
pub const FILE: &str = "tokenizer.json";

/// A byte-level BPE tokenizer, or one of others.
#[derive(Debug)]
pub struct Tokenizer {
    inner: tokenizers::Tokenizer,
    /// The same without special tokens, where `fast` does not encode.
    ordinary: Option<tokenizers::Tokenizer>,
    /// None where the crate alone knows how.
    fast: Option<ByteLevelEncoder>,
    added: HashMap<u32, AddedToken>,
    ids: Ids,
    ends: Ends,
    names: Names,
    config: TokenizerConfig,
    /// The token for what is unknown, where the model has one.
    unknown: Option<String>,
    /// The BPE dropout that the file asks for, where it is above 0; it is off.
    dropout: Option<f64>,
    bytes: Vec<u8>,
}

impl Tokenizer {
    /// Rows of an embedding with one for every id: one more than the highest, though there may be ids that no token has.
    #[must_use]
    pub fn vocab_size(&self) -> usize {
        self.ids.rows()
    }

    /// The ids below `rows` that no token has: those of holes, and of a table that was filled up to a rounder number.
    #[must_use]
    pub fn unused(&self, rows: usize) -> Vec<u32> {
        self.ids.unused(rows)
    }

    /// The id of the token that ends a document.
    #[must_use]
    pub fn end_of_text(&self) -> u32 {
        self.ends.end
    }

    /// The ids that each end what is generated.
    #[must_use]
    pub fn ends(&self) -> &[u32] {
        &self.ends.stops
    }

    /// The id that stands before the first of a document: the one that the tokenizer puts in front of every text, or that of the end of
    /// the text before.
    #[must_use]
    pub fn before_text(&self) -> u32 {
        self.ends.begin.unwrap_or(self.ends.end)
    }

    /// The token of an id.
    #[must_use]
    pub fn token(&self, id: u32) -> Option<String> {
        match self.added.get(&id) {
            Some(added) => Some(added.content.clone()),
            None => self.inner.id_to_token(id),
        }
    }

    /// Whether our own encoder knows this tokenizer's kind; else the crate `tokenizers` encodes, many times slower.
    #[must_use]
    pub fn is_fast(&self) -> bool {
        self.fast.is_some()
    }

    /// What one should know of the tokenizer, if there is anything.
    #[must_use]
    pub fn note(&self) -> Option<String> {
        let dropout = self.dropout?;
        Some(format!("the tokenizer's BPE dropout of {dropout} is off: a text has the same tokens each time"))
    }

    /// Everything that decides which ids a document becomes, as 64 hexadecimal digits: the bytes of the file, the token that ends a document,
    /// and whether special tokens are looked for.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let Self { config: TokenizerConfig { special_tokens_in_text, .. }, ends, .. } = self;
        // ids that an earlier version drew by chance are not these
        let dropout = if self.dropout.is_some() { " without dropout" } else { "" };
        sha256(format!("{} {} {special_tokens_in_text}{dropout}", self.sha256(), ends.end).as_bytes())
    }

    /// SHA-256 of the file.
    #[must_use]
    pub fn sha256(&self) -> String {
        sha256(&self.bytes)
    }

    /// What of a document's ids the files and the configuration decide, beside the tokenizer itself.
    #[must_use]
    pub fn identity(&self) -> Value {
        let mut identity = serde_json::json!({
            "end_of_text": self.ends.end, "before_text": self.before_text(),
            "special_tokens_in_text": self.config.special_tokens_in_text,
        });
        if self.dropout.is_some() {
            identity["dropout"] = "off".into();
        }
        identity
    }

    /// The ids of a document, without its end.
    ///
    /// # Errors
    /// When the tokenizer's own parts do not fit together.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>> {
        match &self.fast {
            _ if self.config.special_tokens_in_text => self.encode_with_special(text),
            Some(fast) => Ok(fast.encode(text)),
            None => by_crate(self.ordinary.as_ref().unwrap_or(&self.inner), text),
        }
    }

    /// The ids of a text in which special tokens are those tokens, and nothing is put in front of it.
    ///
    /// # Errors
    /// When the tokenizer's own parts do not fit together.
    pub fn encode_with_special(&self, text: &str) -> Result<Vec<u32>> {
        match self.fast.as_ref().and_then(|fast| fast.encode_with_special(text)) {
            Some(ids) => Ok(ids),
            None => by_crate(&self.inner, text),
        }
    }

    /// The ids of each of many documents, on all cores.
    ///
    /// # Errors
    /// When the tokenizer's own parts do not fit together.
    pub fn encode_batch(&self, texts: &[&str]) -> Result<Vec<Vec<u32>>> {
        let special = self.config.special_tokens_in_text;
        let fast = self.fast.as_ref().and_then(|fast| {
            if special { fast.encode_batch_with_special(texts) } else { Some(fast.encode_batch(texts)) }
        });
        if let Some(ids) = fast {
            return Ok(ids);
        }
        let inner = self.ordinary.as_ref().filter(|_| !special).unwrap_or(&self.inner);
        let encodings = inner.encode_batch_fast(texts.to_vec(), false).map_err(|error| failed(&error))?;
        Ok(encodings.into_iter().map(|encoding| encoding.get_ids().to_vec()).collect())
    }

    /// The ids of a prompt: special tokens in it are those tokens, as in `transformers`, and what stands before every text of the model
    /// stands before it.
    ///
    /// # Errors
    /// When the tokenizer's own parts do not fit together.
    pub fn prompt(&self, text: &str) -> Result<Vec<u32>> {
        let ids = self.encode_with_special(text)?;
        let begin = self.ends.begin.filter(|begin| ids.first() != Some(begin));
        Ok(begin.into_iter().chain(ids).collect())
    }

    /// The ids of what an encoder reads: a prompt with its end.
    ///
    /// # Errors
    /// When the tokenizer's own parts do not fit together.
    pub fn source(&self, text: &str) -> Result<Vec<u32>> {
        let mut ids = self.prompt(text)?;
        ids.push(self.end_of_text());
        Ok(ids)
    }

    /// The text of some ids, without special tokens. Ids that no token has say nothing.
    ///
    /// # Errors
    /// When the tokenizer's own parts do not fit together.
    pub fn decode(&self, ids: &[u32]) -> Result<String> {
        decode::decode(&self.inner, &self.added, ids).map_err(|error| failed(&error))
    }

    /// What some new ids say behind a prompt: a decoder may leave out white space at the beginning of a text, where here is none.
    ///
    /// # Errors
    /// When the tokenizer's own parts do not fit together.
    pub fn continuation(&self, prompt: &[u32], new: &[u32]) -> Result<String> {
        let (before, whole) = (self.decode(prompt)?, self.decode(&[prompt, new].concat())?);
        match whole.strip_prefix(&before) {
            Some(rest) => Ok(rest.to_owned()),
            None => self.decode(new),
        }
    }

    /// Writes the file and what is known of it into a folder, where [`Self::load`] finds it.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn save(&self, folder: &Path) -> Result<()> {
        AtomicFile::write_whole(&folder.join(FILE), &self.bytes)?;
        self.names.write(folder)
    }

    /// The same for programs of others, which want to be told more.
    ///
    /// - `defaults`: words of `tokenizer_config.json` that are written where the tokenizer came without
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn export(&self, folder: &Path, defaults: &Map<String, Value>) -> Result<()> {
        AtomicFile::write_whole(&folder.join(FILE), &self.bytes)?;
        self.names.write_for_others(folder, defaults)
    }

    /// The same for an encoder of texts, which are read up to a token that ends them: it is put there by whoever reads the folder, too.
    ///
    /// # Errors
    /// When a file cannot be written, or the tokenizer's own parts do not fit together.
    pub fn export_ended(&self, folder: &Path, defaults: &Map<String, Value>) -> Result<()> {
        let mut json: Value = serde_json::from_slice(&self.bytes).map_err(|error| failed(&error.into()))?;
        json["post_processor"] = self.ended_texts()?;
        // texts are read without the white space around them
        let strip = json!({"type": "Strip", "strip_left": true, "strip_right": true});
        json["normalizer"] = match json["normalizer"].take() {
            Value::Null => strip,
            own => json!({"type": "Sequence", "normalizers": [strip, own]}),
        };
        let bytes = serde_json::to_vec(&json).expect("a value is JSON");
        AtomicFile::write_whole(&folder.join(FILE), &bytes)?;
        self.names.write_for_others(folder, defaults)
    }

    /// What puts a text between the tokens that begin and end it, as the format has it.
    fn ended_texts(&self) -> Result<Value> {
        let name = |id: u32| self.token(id).unwrap_or_default();
        let (begin, end) = (self.prompt("")?, self.end_of_text());
        let special = |id: &u32| json!({"SpecialToken": {"id": name(*id), "type_id": 0}});
        let of = |texts: &[(&str, u32)]| -> Vec<Value> {
            let one = |(text, type_id): &(&str, u32)| json!({"Sequence": {"id": text, "type_id": type_id}});
            let begin = begin.iter().map(special);
            begin.chain(texts.iter().flat_map(|text| [one(text), special(&end)])).collect()
        };
        let tokens = begin
            .iter()
            .chain([&end])
            .map(|id| (name(*id), json!({"id": name(*id), "ids": [id], "tokens": [name(*id)]})));
        Ok(json!({
            "type": "TemplateProcessing", "single": of(&[("A", 0)]), "pair": of(&[("A", 0), ("B", 1)]),
            "special_tokens": tokens.collect::<Map<String, Value>>(),
        }))
    }

    /// The token that stands for what is unknown, where the model has one.
    #[must_use]
    pub fn unknown(&self) -> Option<&str> {
        self.unknown.as_deref()
    }

    /// The padding, or the end of a text where no token is named so. T5's decoder begins with it.
    #[must_use]
    pub fn padding(&self) -> u32 {
        self.ends.padding.unwrap_or(self.ends.end)
    }

    /// The sentinels of span corruption that it has: the ids of `<extra_id_0>`, `<extra_id_1>` and so on.
    ///
    /// Source: Raffel et al. 2020, section 3.1.4; their names in `transformers`.
    #[must_use]
    pub fn sentinels(&self) -> Vec<u32> {
        (0..).map_while(|number| self.inner.token_to_id(&sentinel(number))).collect()
    }

    /// The id that is called the beginning of a text, whether or not it is put there.
    #[must_use]
    pub fn bos(&self) -> Option<u32> {
        self.ends.bos
    }
}

/// What a sentinel of span corruption is called.
fn sentinel(number: usize) -> String {
    format!("<extra_id_{number}>")
}

fn by_crate(inner: &tokenizers::Tokenizer, text: &str) -> Result<Vec<u32>> {
    let encoding = inner.encode_fast(text, false).map_err(|error| failed(&error))?;
    Ok(encoding.get_ids().to_vec())
}

fn failed(error: &tokenizers::Error) -> Error {
    Error::Tokenizer(error.to_string())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use schemas::byte_order_mark::UTF_8;
    use serde_json::{Value, json};

    use super::{
        added::{added_tokens, keep_ids, without_special},
        *,
    };

    pub(super) fn trained() -> (tempfile::TempDir, Tokenizer) {
        let folder = tempfile::tempdir().expect("the temporary folder can be written");
        let texts = ["the cat sat on the mat, the cat sat", "the hat of the cat", "it's 1999, 日本  日本\n\n"];
        let tokenizer =
            Tokenizer::train(texts.into_iter().cycle().take(60), 320, 0, &folder.path().join("tokenizer.json"))
                .expect("the texts suffice");
        (folder, tokenizer)
    }

    #[test]
    fn any_text_comes_back_as_it_was() -> Result<()> {
        let (_folder, tokenizer) = trained();
        for text in ["the cat", "Grüße, 日本! 🎉\n\n\ttabs  and  spaces ", "", "\u{0}\u{7f}", "a <|endoftext|> b"]
        {
            assert_eq!(tokenizer.decode(&tokenizer.encode(text)?)?, text);
        }
        assert!(tokenizer.encode(" cat")?.len() == 1, "a frequent word is one token");
        Ok(())
    }

    /// The file of a tokenizer, changed, and what is read of it.
    pub(super) fn changed(folder: &Path, change: impl FnOnce(&mut Value)) -> Result<Tokenizer> {
        let bytes = std::fs::read(folder.join(FILE)).expect("it was written");
        let mut json: Value = serde_json::from_slice(&bytes).expect("it is JSON");
        change(&mut json);
        let other = folder.join("other");
        std::fs::create_dir_all(&other).expect("the folder can be made");
        std::fs::write(other.join(FILE), json.to_string()).expect("it can be written");
        Tokenizer::load(&other.join(FILE))
    }

    /// What the crate makes of a file, with its special tokens and without.
    fn by_the_crate(tokenizer: &Tokenizer) -> [tokenizers::Tokenizer; 2] {
        let mut json: Value = serde_json::from_slice(&tokenizer.bytes).expect("it is JSON");
        let added = added_tokens(&json).expect("they can be read");
        let ordinary = without_special(&json, &added);
        keep_ids(&mut json, &added);
        [json, ordinary].map(|json| tokenizers::Tokenizer::from_bytes(json.to_string()).expect("it can be read"))
    }

    /// Our encoder and the crate's give the same ids, one by one and many at once, special tokens, added ones and long runs among
    /// them, whether special tokens are looked for or not.
    #[test]
    fn ids_are_those_of_the_crate() {
        let (folder, _) = trained();
        let tokenizer = changed(folder.path(), |json| {
            let tokens = json["added_tokens"].as_array_mut().expect("a list");
            for (number, (content, normalized)) in [("<|end", false), ("endoft", true), ("é ", true)].iter().enumerate()
            {
                tokens.push(json!({
                    "id": 320 + number, "content": content, "single_word": false, "lstrip": false, "rstrip": false,
                    "normalized": normalized, "special": false,
                }));
            }
        });
        let tokenizer = tokenizer.expect("it can be read");
        assert!(tokenizer.is_fast());
        let [with, without] = by_the_crate(&tokenizer);
        let some = prop_oneof![
            Just("<|endoftext|>".to_owned()),
            Just("<|endof".to_owned()),
            Just("é ".to_owned()),
            "[ the cats'0日\n]{0,40}",
            "\\PC{0,12}",
            Just("at".repeat(150)),
            Just("the cat ".repeat(9_000)),
        ];
        let config = ProptestConfig { cases: 24, ..ProptestConfig::default() };
        let of = |inner: &tokenizers::Tokenizer, text: &str| by_crate(inner, text).expect("the crate encodes any text");
        proptest!(config, |(texts in proptest::collection::vec(some, 0..8))| {
            let text = texts.concat();
            let whole = of(&without, &text);
            prop_assert_eq!(&tokenizer.encode(&text).expect("it encodes any text"), &whole);
            prop_assert_eq!(tokenizer.prompt(&text).expect("it encodes any text"), of(&with, &text));
            prop_assert!(!whole.contains(&tokenizer.end_of_text()));
            let parts: Vec<&str> = [&*text].into_iter().chain(texts.iter().map(String::as_str)).collect();
            let each = tokenizer.encode_batch(&parts).expect("it encodes any text");
            prop_assert_eq!(&each[0], &whole);
            for (part, ids) in parts.iter().zip(each) {
                prop_assert_eq!(ids, of(&without, part));
            }
        });
    }

    /// A tokenizer of another kind is left to the crate.
    #[test]
    fn what_our_encoder_does_not_do_is_left_to_the_crate() -> Result<()> {
        let (folder, tokenizer) = trained();
        let changes: [fn(&mut Value); 4] = [
            |json| json["normalizer"] = json!({"type": "Lowercase"}),
            |json| json["pre_tokenizer"]["add_prefix_space"] = json!(true),
            |json| json["pre_tokenizer"]["use_regex"] = json!(false),
            |json| {
                let mut token = json["added_tokens"][0].clone();
                for (name, value) in [("content", json!("cat sat")), ("id", json!(999)), ("special", json!(false))] {
                    token[name] = value;
                }
                token["lstrip"] = json!(true);
                json["added_tokens"].as_array_mut().expect("a list").push(token);
            },
        ];
        for change in changes {
            let other = changed(folder.path(), change)?;
            assert!(!other.is_fast());
            let text = "The  cat sat <|endoftext|> cat";
            let [with, without] = by_the_crate(&other);
            assert_eq!(other.encode_batch(&[text])?, [by_crate(&without, text)?]);
            assert_eq!(other.prompt(text)?, by_crate(&with, text)?);
            assert!(!other.encode(text)?.contains(&tokenizer.end_of_text()));
            assert!(other.prompt(text)?.contains(&tokenizer.end_of_text()));
            assert_eq!(other.end_of_text(), tokenizer.end_of_text());
        }
        Ok(())
    }

    /// Windows' editors put a mark before the first character of a file: it is no part of it, and goes no further. Another encoding is named.
    #[test]
    fn a_byte_order_mark_is_passed_over() -> Result<()> {
        let (folder, tokenizer) = trained();
        let (path, config) = (folder.path().join(FILE), folder.path().join("tokenizer_config.json"));
        let write = |path: &Path, bytes: &[u8]| std::fs::write(path, bytes).expect("the file can be written");
        write(&path, &[UTF_8, &tokenizer.bytes[..]].concat());
        write(&config, &[UTF_8, b"{\"eos_token\": \"a\"}"].concat());
        let marked = Tokenizer::load(&path)?;
        assert_eq!((&marked.bytes, marked.token(marked.end_of_text()).as_deref()), (&tokenizer.bytes, Some("a")));
        write(&path, b"\xff\xfe{\0}\0");
        let error = Tokenizer::load(&path).expect_err("it is no UTF-8").to_string();
        assert!(error.contains("tokenizer.json is damaged: by its byte order mark it is in UTF-16LE"), "{error}");
        Ok(())
    }

    /// A file that says how long texts may be says it to others: nothing is cut off here.
    #[test]
    fn no_text_is_cut_or_filled() -> Result<()> {
        let (folder, tokenizer) = trained();
        let other = changed(folder.path(), |json| {
            json["normalizer"] = json!({"type": "NFC"});
            json["truncation"] =
                json!({"direction": "Right", "max_length": 2, "strategy": "LongestFirst", "stride": 0});
            json["padding"] = json!({
                "strategy": {"Fixed": 9}, "direction": "Right", "pad_to_multiple_of": null, "pad_id": 0, "pad_type_id": 0,
                "pad_token": "<|endoftext|>",
            });
        })?;
        assert!(!other.is_fast());
        let text = "the hat of the cat";
        assert_eq!(other.encode_batch(&["a", text])?, tokenizer.encode_batch(&["a", text])?);
        Ok(())
    }

    /// Ids with holes: a table has a row for each up to the highest, added tokens keep the ids that the file gives them, and ids without a
    /// token are known, and say nothing.
    #[test]
    fn a_vocabulary_may_have_holes() -> Result<()> {
        let (folder, tokenizer) = trained();
        let size = tokenizer.vocab_size();
        for normalizer in [Value::Null, json!({"type": "NFC"})] {
            let other = changed(folder.path(), |json| {
                json["normalizer"] = normalizer;
                let mut token = json["added_tokens"][0].clone();
                for (name, value) in [("content", json!("<sum>")), ("id", json!(size + 5)), ("special", json!(false))] {
                    token[name] = value;
                }
                json["added_tokens"].as_array_mut().expect("a list").push(token);
            })?;
            let last = u32::try_from(size).expect("small") + 5;
            assert_eq!(other.vocab_size(), size + 6);
            assert_eq!(other.encode("a<sum>")?.last(), Some(&last));
            assert_eq!(other.decode(&[last, last - 1, last])?, "<sum><sum>");
            let holes: Vec<u32> = (last - 5..last).collect();
            assert_eq!(other.unused(size + 6), holes);
            assert_eq!(other.unused(size + 8), [holes, vec![last + 1, last + 2]].concat());
        }
        let fault =
            changed(folder.path(), |json| json["added_tokens"][0]["id"] = json!(7)).expect_err("it has two ids");
        assert!(fault.to_string().contains("`<|endoftext|>` has the id 7 among `added_tokens`, and 0"), "{fault}");
        Ok(())
    }
}
