//! The added tokens of a `tokenizer.json`: those that stand for themselves in a text, beside the model's own.

use std::collections::{HashMap, HashSet};

use serde::Deserialize;
use serde_json::{Value, json};

/// An added token, with the words of the file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "the file has these five")]
pub(super) struct AddedToken {
    pub id: u32,
    pub content: String,
    /// It belongs to the model's own words, such as the end of a text, and to no text.
    #[serde(default)]
    pub special: bool,
    /// It is taken only where no letter stands beside it.
    #[serde(default)]
    pub single_word: bool,
    /// It takes the white space in front of it.
    #[serde(default)]
    pub lstrip: bool,
    /// It takes the white space behind it.
    #[serde(default)]
    pub rstrip: bool,
    /// It is looked for in the text's normal form.
    #[serde(default)]
    pub normalized: bool,
}

/// The added tokens of a file, in its order.
///
/// # Errors
/// When an entry is none.
pub(super) fn added_tokens(json: &Value) -> Result<Vec<AddedToken>, String> {
    match &json["added_tokens"] {
        Value::Null => Ok(Vec::new()),
        entries => Vec::deserialize(entries).map_err(|error| format!("`added_tokens`: {error}")),
    }
}

/// Puts the added tokens that the model does not have into its vocabulary, so that they keep the ids that the file gives them: the crate
/// `tokenizers` numbers them anew behind the vocabulary, which is something else where the ids have holes. No merge leads to them, so that
/// they stand in the way of no text.
pub(super) fn keep_ids(json: &mut Value, added: &[AddedToken]) {
    let Some(vocabulary) = json.pointer_mut("/model/vocab").and_then(Value::as_object_mut) else { return };
    let taken: HashSet<u64> = vocabulary.values().filter_map(Value::as_u64).collect();
    for token in added {
        if !vocabulary.contains_key(&token.content) && !taken.contains(&token.id.into()) {
            vocabulary.insert(token.content.clone(), token.id.into());
        }
    }
}

/// The same tokenizer without its special tokens: the one for which a text that quotes them is a text.
///
/// No added token, no entry of the vocabulary and no merge gives a special token any more. It can only encode: ids of others stay as they
/// are.
pub(super) fn without_special(json: &Value, added: &[AddedToken]) -> Value {
    let mut json = json.clone();
    let gone = out_of_reach(&json["model"], added);
    match json.pointer_mut("/model/vocab") {
        Some(Value::Object(vocabulary)) => gone.iter().for_each(|content| drop(vocabulary.remove(*content))),
        // a piece's place is its id: it stays, under a name with a character that Unicode keeps out of texts
        Some(Value::Array(pieces)) => {
            for (id, piece) in pieces.iter_mut().enumerate() {
                if piece[0].as_str().is_some_and(|content| gone.contains(content)) {
                    piece[0] = json!(format!("\u{10ffff}{id}"));
                }
            }
        }
        _ => {}
    }
    if let Some(Value::Array(merges)) = json.pointer_mut("/model/merges") {
        let special = special_contents(added);
        merges.retain(|merge| {
            pair(merge).is_none_or(|(left, right)| {
                let whole = format!("{left}{right}");
                !special.contains(whole.as_str()) && !gone.contains(left) && !gone.contains(right)
            })
        });
    }
    let others: Vec<AddedToken> = added.iter().filter(|token| !token.special).cloned().collect();
    keep_ids(&mut json, &others);
    if let Some(entries) = json["added_tokens"].as_array_mut() {
        entries.retain(|entry| entry["special"] != true);
    }
    json["post_processor"] = Value::Null;
    json
}

/// The special tokens that are taken out of the vocabulary. What stands for what is unknown stays, since the model names it; so does a
/// token of one character, without which that character could not be said.
fn out_of_reach<'a>(model: &Value, added: &'a [AddedToken]) -> HashSet<&'a str> {
    let unknown = model["unk_token"].as_str();
    let special = special_contents(added).into_iter();
    special.filter(|content| Some(*content) != unknown && content.chars().count() > 1).collect()
}

/// What the special tokens say.
pub(super) fn special_contents(added: &[AddedToken]) -> HashSet<&str> {
    added.iter().filter(|token| token.special).map(|token| token.content.as_str()).collect()
}

/// The two tokens of a merge, in either of the ways in which files write it.
pub(super) fn pair(merge: &Value) -> Option<(&str, &str)> {
    match merge {
        Value::String(pair) => pair.split_once(' '),
        pair => Some((pair[0].as_str()?, pair[1].as_str()?)),
    }
}

/// Which token each id has: those of the model and those that were added.
#[derive(Debug)]
pub(super) struct Ids {
    /// By id; the last has a token.
    known: Vec<bool>,
}

impl Ids {
    /// - `vocabulary`: tokens with their ids
    pub(super) fn new(vocabulary: &HashMap<String, u32>) -> Self {
        let rows = vocabulary.values().max().map_or(0, |last| *last as usize + 1);
        let mut known = vec![false; rows];
        vocabulary.values().for_each(|id| known[*id as usize] = true);
        Self { known }
    }

    /// One more than the highest id.
    pub(super) fn rows(&self) -> usize {
        self.known.len()
    }

    pub(super) fn is_known(&self, id: u32) -> bool {
        self.known.get(id as usize).is_some_and(|known| *known)
    }

    /// The ids below `rows` that no token has.
    pub(super) fn unused(&self, rows: usize) -> Vec<u32> {
        let rows = u32::try_from(rows).expect("a vocabulary can be numbered");
        (0..rows).filter(|id| !self.is_known(*id)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn added(id: u32, content: &str, special: bool) -> Value {
        json!({
            "id": id, "content": content, "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": special,
        })
    }

    /// Text that quotes a special token becomes none of them where merges lead to it, where a whole word is looked up first, and where the
    /// best division of a text is looked for; and it is all there.
    #[test]
    fn no_text_becomes_a_special_token() {
        let pieces = ["<unk>", "</s>", "▁", "<", "/", "s", ">", "</", "</s", "a"];
        let vocabulary: serde_json::Map<String, Value> =
            pieces.iter().zip(0..).map(|(piece, id)| ((*piece).into(), json!(id))).collect();
        let merges = json!([["<", "/"], ["</", "s"], ["</s", ">"]]);
        let pair = |ignore: bool| {
            json!({
                "type": "BPE", "dropout": null, "unk_token": "<unk>", "continuing_subword_prefix": null, "end_of_word_suffix": null,
                "fuse_unk": false, "byte_fallback": false, "ignore_merges": ignore, "vocab": vocabulary, "merges": merges,
            })
        };
        let scores: Vec<Value> =
            pieces.iter().map(|piece| json!([piece, if *piece == "</s>" { 0.0 } else { -2.0 }])).collect();
        let unigram = json!({"type": "Unigram", "unk_id": 0, "vocab": scores, "byte_fallback": false});
        for model in [pair(false), pair(true), unigram] {
            let json = json!({
                "version": "1.0", "truncation": null, "padding": null, "normalizer": null, "pre_tokenizer": null,
                "post_processor": null, "decoder": null, "model": model,
                "added_tokens": [added(0, "<unk>", true), added(1, "</s>", true), added(10, "<|", false), added(12, "<b>", true)],
            });
            let tokens = added_tokens(&json).expect("they can be read");
            let mut kept = json.clone();
            keep_ids(&mut kept, &tokens);
            let of = |json: &Value, text: &str| {
                let inner = tokenizers::Tokenizer::from_bytes(json.to_string()).expect("it can be read");
                let encoding = inner.encode_fast(text, false).expect("it encodes any text");
                encoding.get_ids().to_vec()
            };
            assert_eq!(of(&kept, "</s>a"), [1, 9], "{model}");
            let ordinary = without_special(&json, &tokens);
            assert_eq!(of(&ordinary, "</s>"), [8, 6], "{model}");
            assert_eq!(of(&ordinary, "a</s><|")[..3], [9, 8, 6], "{model}");
            assert_eq!(of(&ordinary, "<|").len(), 1, "an ordinary added token is one: {model}");
        }
    }
}
