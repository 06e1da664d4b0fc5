//! Whether a tokenizer is that of a model, or that with tokens added: the same texts have the same ids.

use serde_json::{Map, Value};

use super::{Tokenizer, added::pair};

/// The parts that decide the ids of a text, beside the vocabulary.
const PARTS: [&str; 3] = ["normalizer", "pre_tokenizer", "model"];

impl Tokenizer {
    /// What stands against this tokenizer being another with tokens added, in words, if something does: a token of the other that has another
    /// id here, or another way of cutting a text.
    #[must_use]
    pub fn differs_from(&self, other: &Self) -> Option<String> {
        if self.bytes == other.bytes {
            return None;
        }
        let mut known: Vec<(String, u32)> = other.inner.get_vocab(true).into_iter().collect();
        known.sort_unstable_by_key(|(_, id)| *id);
        for (token, id) in known {
            match self.inner.token_to_id(&token) {
                Some(found) if found == id => {}
                Some(found) => return Some(format!("`{token}` has the id {id} there, and {found} here")),
                None => return Some(format!("`{token}` has the id {id} there, and is no token here")),
            }
        }
        let parts = |tokenizer: &Self| -> Value { serde_json::from_slice(&tokenizer.bytes).unwrap_or_default() };
        let (here, there) = (parts(self), parts(other));
        let other = PARTS.into_iter().find(|part| comparable(&here[part]) != comparable(&there[part]))?;
        Some(format!("its `{other}` in tokenizer.json is another"))
    }
}

/// A part without what changes no id: names of no value, the vocabulary, dropout, and the way in which merges are written.
fn comparable(part: &Value) -> Value {
    let Some(entries) = part.as_object() else { return part.clone() };
    let mut kept = Map::new();
    for (name, value) in entries {
        let says_nothing = value.is_null() || *value == Value::Bool(false);
        if says_nothing || name == "dropout" || (name == "vocab" && value.is_object()) {
            continue;
        }
        let value = match (name.as_str(), value.as_array()) {
            ("merges", Some(merges)) => merges
                .iter()
                .map(|merge| pair(merge).map_or(merge.clone(), |(left, right)| [left, right].into()))
                .collect(),
            _ => value.clone(),
        };
        kept.insert(name.clone(), value);
    }
    Value::Object(kept)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        error::Result,
        tokenizer::{
            FILE,
            tests::{changed, trained},
        },
    };

    #[test]
    fn added_tokens_make_no_other_tokenizer() -> Result<()> {
        let (folder, trained) = trained();
        let add = |json: &mut Value| {
            let mut token = json["added_tokens"][0].clone();
            (token["id"], token["content"]) = (json!(320), json!("<pad>"));
            json["added_tokens"].as_array_mut().expect("a list").push(token);
        };
        let more = changed(folder.path(), add)?;
        assert_eq!(more.differs_from(&trained), None);
        let fault = trained.differs_from(&more).expect("it lacks one");
        assert_eq!(fault, "`<pad>` has the id 320 there, and is no token here");
        let written = changed(folder.path(), |json| {
            let merges = json["model"]["merges"].as_array_mut().expect("a list");
            for merge in merges {
                *merge = pair(merge).map(|(left, right)| format!("{left} {right}")).expect("a pair").into();
            }
        })?;
        assert_eq!(written.differs_from(&trained), None, "merges may be written as texts");
        let cut = changed(folder.path(), |json| json["pre_tokenizer"]["add_prefix_space"] = json!(true))?;
        assert_eq!(cut.differs_from(&trained).as_deref(), Some("its `pre_tokenizer` in tokenizer.json is another"));
        let fewer = changed(folder.path(), |json| drop(json["model"]["merges"].as_array_mut().expect("a list").pop()))?;
        assert_eq!(fewer.differs_from(&trained).as_deref(), Some("its `model` in tokenizer.json is another"));
        let other = std::fs::read_to_string(folder.path().join(FILE)).expect("it was written");
        let mut other: Value = serde_json::from_str(&other).expect("it is JSON");
        let vocabulary = other["model"]["vocab"].as_object_mut().expect("an object");
        let (one, another) = (vocabulary["a"].clone(), vocabulary["b"].clone());
        let swapped = changed(folder.path(), |json| {
            (json["model"]["vocab"]["a"], json["model"]["vocab"]["b"]) = (another, one.clone());
        })?;
        let fault = swapped.differs_from(&trained).expect("two ids are swapped");
        assert!(fault.starts_with(&format!("`a` has the id {one} there, and ")), "{fault}");
        Ok(())
    }
}
