//! What tokens say, and what they are called in answers: by what they say, and where that is no character, by their bytes.

use std::{borrow::Cow, fmt::Write as _};

use rayon::prelude::*;
use serde::{Serialize, Serializer, ser::SerializeMap as _};

use crate::{generate::continuous::TokenScore, tokenizer::Tokenizer};

/// What stands for a log-probability that is no number, as in OpenAI's answers for what is impossible: JSON knows no infinity.
const IMPOSSIBLE: f32 = -9999.0;

/// A log-probability that JSON has.
pub fn finite(logprob: f32) -> f32 {
    if logprob.is_finite() { logprob } else { IMPOSSIBLE }
}

/// The bytes of every token, made once: threads that wait for clients compute nothing.
#[derive(Debug)]
pub struct TokenTable {
    /// `[vocab_size]`.
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    /// What it says; the name of a special token.
    bytes: Box<[u8]>,
    is_special: bool,
}

impl TokenTable {
    /// - `vocab_size`: ids that the model knows, some of which the tokenizer may not have
    pub fn new(tokenizer: &Tokenizer, vocab_size: usize) -> Self {
        let rows = u32::try_from(tokenizer.vocab_size().max(vocab_size)).expect("ids have 32 bits");
        let entry = |id: u32| {
            let name = tokenizer.token(id).filter(|_| tokenizer.is_special(id));
            let is_special = name.is_some();
            Entry { bytes: name.map_or_else(|| tokenizer.token_bytes(id), String::into_bytes).into(), is_special }
        };
        Self { entries: (0..rows).into_par_iter().map(entry).collect() }
    }

    fn entry(&self, id: u32) -> Option<&Entry> {
        self.entries.get(id as usize)
    }

    /// Whether a token is a special one, which says nothing in a text.
    pub fn is_special(&self, id: u32) -> bool {
        self.entry(id).is_some_and(|entry| entry.is_special)
    }

    /// The bytes of a token in a text.
    pub fn bytes(&self, id: u32) -> &[u8] {
        if self.is_special(id) { &[] } else { self.bytes_with_special(id) }
    }

    /// The bytes of a token, where a special token says its name.
    pub fn bytes_with_special(&self, id: u32) -> &[u8] {
        self.entry(id).map_or(&[][..], |entry| &entry.bytes[..])
    }

    /// A token's name: what it says; `bytes:\xe6\x97` where that is a part of a character, so that no two parts are called the same.
    ///
    /// Source: the form that OpenAI's completions have.
    pub fn name(&self, id: u32) -> Cow<'_, str> {
        let bytes = self.bytes_with_special(id);
        match std::str::from_utf8(bytes) {
            Ok(text) => text.into(),
            Err(_) => {
                let mut name = "bytes:".to_owned();
                for byte in bytes {
                    let _ = write!(name, "\\x{byte:02x}");
                }
                name.into()
            }
        }
    }

    /// The text of some ids, in which special tokens say their names.
    pub fn text(&self, ids: &[u32]) -> String {
        let bytes: Vec<u8> = ids.iter().flat_map(|id| self.bytes_with_special(*id)).copied().collect();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

/// The likeliest tokens in a place by their names, the one that stands there among them.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedTop(pub Vec<(String, f32)>);

impl NamedTop {
    pub fn new(table: &TokenTable, score: &TokenScore) -> Self {
        let own = (score.id, score.logprob);
        let is_listed = score.top.iter().any(|(id, _)| *id == score.id);
        let mut names: Vec<(String, f32)> = Vec::with_capacity(score.top.len() + 1);
        // the one that stands there keeps its name, whatever others are called
        let kept = table.name(score.id).into_owned();
        for (id, logprob) in score.top.iter().chain((!is_listed).then_some(&own)) {
            let mut name = if *id == score.id { kept.clone() } else { table.name(*id).into_owned() };
            let is_taken = *id != score.id && name == kept || names.iter().any(|(other, _)| *other == name);
            if is_taken {
                name = format!("token_id:{id}");
            }
            names.push((name, finite(*logprob)));
        }
        Self(names)
    }
}

impl Serialize for NamedTop {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, logprob) in &self.0 {
            map.serialize_entry(name, logprob)?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use serde_json::{Value, json};

    use super::*;
    use crate::tokenizer::FILE;

    /// A tokenizer of the bytes and of `ab`, with a special token behind a gap.
    fn tokenizer() -> (tempfile::TempDir, Tokenizer) {
        let folder = tempfile::tempdir().expect("the temporary folder can be written");
        let path = folder.path().join(FILE);
        Tokenizer::train(["ab ab ab"; 20].into_iter(), 260, 0, &path).expect("the texts suffice");
        let mut json: Value = serde_json::from_slice(&fs::read(&path).expect("it was written")).expect("it is JSON");
        let mut special = json["added_tokens"][0].clone();
        (special["id"], special["content"]) = (json!(400), json!("日"));
        json["added_tokens"].as_array_mut().expect("a list").push(special);
        fs::write(&path, json.to_string()).expect("it can be written");
        let tokenizer = Tokenizer::load(&path).expect("it is sound");
        (folder, tokenizer)
    }

    /// Names of tokens that are parts of characters are their bytes; no two tokens of a place have one name; what JSON does not have is not
    /// written.
    #[test]
    fn names_are_told_apart() {
        let (_folder, tokenizer) = tokenizer();
        let table = TokenTable::new(&tokenizer, 300);
        let bytes = tokenizer.encode("é").expect("it encodes any text");
        let [first, second] = bytes[..] else { panic!("two bytes, {bytes:?}") };
        assert_eq!(table.name(first), "bytes:\\xc3");
        let end = tokenizer.end_of_text();
        assert_eq!((table.name(end), table.bytes(end)), ("<|endoftext|>".into(), &[][..]));
        assert_eq!(table.text(&[first, second, end, 9_999]), "é<|endoftext|>");
        let id = tokenizer.encode("a").expect("it encodes any text")[0];
        let score = TokenScore {
            id,
            logprob: -3.5,
            top: vec![(first, -1.0), (second, f32::NEG_INFINITY), (400, -2.0), (9_999, -2.5), (9_998, -2.75)],
        };
        let top = NamedTop::new(&table, &score);
        let names: Vec<&str> = top.0.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["bytes:\\xc3", "bytes:\\xa9", "日", "", "token_id:9998", "a"]);
        let json = serde_json::to_value(&top).expect("it is JSON");
        assert_eq!((&json["bytes:\\xa9"], &json["a"]), (&json!(-9999.0), &json!(-3.5)));
        // the likeliest is known by its number, which is written in both places alike
        let written = serde_json::to_string(&finite(-0.123_456_79)).expect("a number");
        let greedy = TokenScore { id: first, logprob: -0.123_456_79, top: vec![(first, -0.123_456_79)] };
        let json = serde_json::to_string(&NamedTop::new(&table, &greedy)).expect("it is JSON");
        assert_eq!(json, format!("{{\"bytes:\\\\xc3\":{written}}}"));
    }
}
