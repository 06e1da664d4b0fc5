//! Ids back to text.
//!
//! The crate `tokenizers` gives what added tokens say to the decoder as if the model had made it: with an alphabet of bytes, the `Ö` of an
//! added token becomes the byte that it stands for. Here an added token goes through the decoder as a character that it leaves alone, and
//! comes out as what it is.

use std::collections::HashMap;

use tokenizers::Decoder as _;

use super::added::AddedToken;

/// The character that stands for an added token on its way through the decoder: one that Unicode keeps out of texts.
const PLACE: char = '\u{10fffe}';

/// The text of some ids, without special tokens, as `skip_special_tokens` of `transformers` has it. Ids that no token has say nothing.
///
/// - `added`: the added tokens by id
pub(super) fn decode(
    inner: &tokenizers::Tokenizer,
    added: &HashMap<u32, AddedToken>,
    ids: &[u32],
) -> Result<String, tokenizers::Error> {
    let (mut tokens, mut contents) = (Vec::with_capacity(ids.len()), Vec::new());
    for id in ids {
        let Some(token) = inner.id_to_token(*id) else { continue };
        match added.get(id) {
            Some(added) if added.special => {}
            // one that was looked for in the text's normal form is turned back by the decoder
            Some(added) if added.content == token => {
                contents.push(added.content.as_str());
                tokens.push(PLACE.to_string());
            }
            _ => tokens.push(token),
        }
    }
    let text = match inner.get_decoder() {
        Some(decoder) => decoder.decode(tokens)?,
        None => tokens.join(" "),
    };
    if contents.is_empty() {
        return Ok(text);
    }
    let parts: Vec<&str> = text.split(PLACE).collect();
    if parts.len() != contents.len() + 1 {
        // the ids say that very character: its bytes can stand among others
        return inner.decode(ids, true);
    }
    let whole = parts.iter().zip(contents.into_iter().chain([""])).flat_map(|(part, content)| [*part, content]);
    Ok(whole.collect())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::{
        error::Result,
        tokenizer::{FILE, Tokenizer, tests::trained},
    };

    fn added(id: u32, content: &str, special: bool) -> Value {
        json!({
            "id": id, "content": content, "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": special,
        })
    }

    fn written(json: &Value) -> Result<Tokenizer> {
        let folder = tempfile::tempdir().expect("the temporary folder can be written");
        let path = folder.path().join(FILE);
        std::fs::write(&path, json.to_string()).expect("it can be written");
        Tokenizer::load(&path)
    }

    /// Letters that stand for a byte in the alphabet of bytes, and others, are what they are in an added token; those of texts are bytes.
    #[test]
    fn an_added_token_says_what_it_is() -> Result<()> {
        let (folder, _) = trained();
        let bytes = std::fs::read(folder.path().join(FILE)).expect("it was written");
        let mut json: Value = serde_json::from_slice(&bytes).expect("it is JSON");
        let tokens = json["added_tokens"].as_array_mut().expect("a list");
        let contents = ["ilÖveyou", "ĠÖ", "日本", "\u{10fffe}", "<|im_start|>"];
        tokens.extend((320..).zip(contents).map(|(id, content)| added(id, content, content.starts_with('<'))));
        let tokenizer = written(&json)?;
        assert!(tokenizer.is_fast());
        for text in ["ilÖveyou", "Ö ilÖveyouÖ ilÖveyou", "a日本bĠÖ日", "\u{10ffff}\u{10fffe}", "Ġ", "ĠÖ"] {
            assert_eq!(tokenizer.decode(&tokenizer.encode(text)?)?, text);
        }
        assert_eq!(
            tokenizer.decode(&tokenizer.prompt("<|im_start|>a<|endoftext|>")?)?,
            "a",
            "special tokens say nothing"
        );
        // a character that is cut in two by an added token is none
        let halves: Vec<u32> = tokenizer.encode("é")?;
        if let [first, second] = halves[..] {
            assert_eq!(tokenizer.decode(&[first, 320, second])?, "\u{fffd}ilÖveyou\u{fffd}");
        }
        Ok(())
    }

    /// The same with a decoder that leaves out white space at the beginning, as Llama's does: it is there within a text.
    #[test]
    fn an_added_token_says_what_it_is_to_other_decoders() -> Result<()> {
        let pieces = ["<unk>", "<s>", "</s>", "▁", "a", "b", "<0x41>"];
        let vocabulary: serde_json::Map<String, Value> =
            pieces.iter().zip(0..).map(|(piece, id)| ((*piece).into(), json!(id))).collect();
        let json = json!({
            "version": "1.0", "truncation": null, "padding": null, "post_processor": null,
            "added_tokens": [
                added(0, "<unk>", true), added(1, "<s>", true), added(2, "</s>", true), added(7, "<0x42>", false), added(8, "a▁b", false),
                added(9, "<|endoftext|>", true),
            ],
            "normalizer": null,
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
        let tokenizer = written(&json)?;
        assert_eq!(tokenizer.decode(&tokenizer.encode("ab<0x42> a▁b b")?)?, "ab<0x42> a▁b b");
        assert_eq!(tokenizer.decode(&[6, 7])?, "A<0x42>");
        let prompt = tokenizer.prompt("a")?;
        assert_eq!(tokenizer.continuation(&prompt, &[3, 5, 2])?, " b");
        Ok(())
    }
}
