//! Tokenizers with tokens added: whether one is that of a model with more tokens, so that the same texts have the same ids; and making one.

use std::path::Path;

use serde_json::{Map, Value, json};

use super::{FILE, Tokenizer, added::pair};
use crate::error::Result;

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

    /// This tokenizer with the special tokens of `contents` that it does not know yet, and which those are, each with its id. The ids of all
    /// others stay.
    ///
    /// - `rows`: of the model's token embedding; new ids begin behind them where the file can say so, so that each has a new row
    ///
    /// # Errors
    /// When the tokenizer's own parts do not fit together.
    pub fn with_special_tokens(&self, contents: &[&str], rows: usize) -> Result<(Self, Vec<(String, u32)>)> {
        let mut json: Value = serde_json::from_slice(&self.bytes).unwrap_or_default();
        // a vocabulary that is a list numbers what is added itself
        let may_have_holes = json["model"]["vocab"].is_object();
        let first = if may_have_holes { self.vocab_size().max(rows) } else { self.vocab_size() };
        let unknown = contents.iter().filter(|content| self.inner.token_to_id(content).is_none());
        let ids = first..;
        let new: Vec<(String, u32)> = unknown
            .zip(ids)
            .map(|(content, id)| ((*content).to_owned(), u32::try_from(id).expect("a vocabulary can be numbered")))
            .collect();
        let entries = new.iter().map(|(content, id)| {
            json!({
                "id": id, "content": content, "single_word": false, "lstrip": false, "rstrip": false, "normalized": false,
                "special": true,
            })
        });
        match json["added_tokens"].as_array_mut() {
            Some(added) => added.extend(entries),
            None => json["added_tokens"] = entries.collect(),
        }
        // the same bytes where nothing is new
        let bytes = if new.is_empty() { self.bytes.clone() } else { json.to_string().into_bytes() };
        let more = Self::new(bytes, Path::new(FILE), self.names.clone(), self.config.clone())?;
        Ok((more, new))
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
    use crate::tokenizer::tests::{changed, trained};

    /// What is new stands behind the rows of the model, is one token, and is found again in what is saved.
    #[test]
    fn tokens_that_are_unknown_are_added() -> Result<()> {
        let (folder, trained) = trained();
        let (more, new) = trained.with_special_tokens(&["<|start|>", "<|endoftext|>", "<|extract|>"], 324)?;
        assert_eq!(new, [("<|start|>".to_owned(), 324), ("<|extract|>".to_owned(), 325)]);
        assert_eq!((more.vocab_size(), more.differs_from(&trained)), (326, None));
        assert_eq!(more.prompt("<|start|>the")?, [&[324][..], &trained.encode("the")?].concat());
        assert_eq!(more.encode("<|start|>the")?, trained.encode("<|start|>the")?, "a page that quotes it is a page");
        more.save(folder.path())?;
        let again = Tokenizer::load(&folder.path().join(FILE))?;
        assert_eq!((again.sha256(), again.end_of_text()), (more.sha256(), trained.end_of_text()));
        let (same, none) = again.with_special_tokens(&["<|extract|>"], 999)?;
        assert_eq!((same.sha256(), none), (more.sha256(), vec![]));
        Ok(())
    }

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
