//! What tokens are called in answers: by what they say, and where that is no character, by their bytes.

use std::fmt::Write as _;

use serde::{Serialize, Serializer, ser::SerializeMap as _};

use crate::{generate::continuous::TokenScore, tokenizer::Tokenizer};

/// What stands for a log-probability that is no number, as in OpenAI's answers for what is all but impossible: JSON knows no infinity.
const IMPOSSIBLE: f32 = -9999.0;

/// A log-probability that JSON has.
pub fn finite(logprob: f32) -> f32 {
    if logprob.is_finite() { logprob } else { IMPOSSIBLE }
}

/// The bytes of a token, where a special token says its name.
pub fn bytes(tokenizer: &Tokenizer, id: u32) -> Vec<u8> {
    match tokenizer.token(id) {
        Some(content) if tokenizer.is_special(id) => content.into_bytes(),
        _ => tokenizer.token_bytes(id),
    }
}

/// A token's name: what it says; `bytes:\xe6\x97` where that is a part of a character, so that no two parts are called the same.
///
/// Source: the form that OpenAI's completions have.
pub fn name(tokenizer: &Tokenizer, id: u32) -> String {
    match String::from_utf8(bytes(tokenizer, id)) {
        Ok(text) => text,
        Err(error) => {
            let mut name = "bytes:".to_owned();
            for byte in error.as_bytes() {
                let _ = write!(name, "\\x{byte:02x}");
            }
            name
        }
    }
}

/// The likeliest tokens in a place by their names, the one that stands there among them.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedTop(pub Vec<(String, f32)>);

impl NamedTop {
    pub fn new(tokenizer: &Tokenizer, score: &TokenScore) -> Self {
        let own = (score.id, score.logprob);
        let is_listed = score.top.iter().any(|(id, _)| *id == score.id);
        let mut names: Vec<(String, f32)> = Vec::with_capacity(score.top.len() + 1);
        // the one that stands there keeps its name, whatever others are called
        let kept = name(tokenizer, score.id);
        for (id, logprob) in score.top.iter().chain((!is_listed).then_some(&own)) {
            let mut name = if *id == score.id { kept.clone() } else { name(tokenizer, *id) };
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
        let bytes = tokenizer.encode("é").expect("it encodes any text");
        let [first, second] = bytes[..] else { panic!("two bytes, {bytes:?}") };
        assert_eq!(name(&tokenizer, first), "bytes:\\xc3");
        assert_eq!(name(&tokenizer, tokenizer.end_of_text()), "<|endoftext|>");
        let id = tokenizer.encode("a").expect("it encodes any text")[0];
        let score = TokenScore {
            id,
            logprob: -3.5,
            top: vec![(first, -1.0), (second, f32::NEG_INFINITY), (400, -2.0), (9_999, -2.5), (9_998, -2.75)],
        };
        let top = NamedTop::new(&tokenizer, &score);
        let names: Vec<&str> = top.0.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["bytes:\\xc3", "bytes:\\xa9", "日", "", "token_id:9998", "a"]);
        let json = serde_json::to_value(&top).expect("it is JSON");
        assert_eq!((&json["bytes:\\xa9"], &json["a"]), (&json!(-9999.0), &json!(-3.5)));
        // the likeliest is known by its number, which is written in both places alike
        let written = serde_json::to_string(&finite(-0.123_456_79)).expect("a number");
        let greedy = TokenScore { id: first, logprob: -0.123_456_79, top: vec![(first, -0.123_456_79)] };
        let json = serde_json::to_string(&NamedTop::new(&tokenizer, &greedy)).expect("it is JSON");
        assert_eq!(json, format!("{{\"bytes:\\\\xc3\":{written}}}"));
    }
}
