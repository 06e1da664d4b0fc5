//! Which tokens begin and end the texts of a model.
//!
//! ```text
//! the end of a document      the configuration's `end_of_text`; else `eos_token` of tokenizer_config.json; else the first `eos_token_id` of
//!                            generation_config.json or config.json; else `<|endoftext|>`
//! the end of what is         that, and every `eos_token_id`: a model that was made for talk has several
//!   generated                and one that was tuned on conversations has the token that ends a turn among them
//! before every text          `bos_token`, where `add_bos_token` says so; where it says nothing, what the tokenizer itself puts there
//! ```

use super::{added::AddedToken, names::Names};
use crate::error::Error;

/// What stands behind every document of a tokenizer that is trained here.
pub const END_OF_TEXT: &str = "<|endoftext|>";

/// The tokens that begin and end texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ends {
    /// Stands behind every document.
    pub end: u32,
    /// Each ends what is generated; `end` is the first.
    pub stops: Vec<u32>,
    /// Stands before every text, where the model was trained so.
    pub begin: Option<u32>,
    /// What is called the beginning, whether or not it stands there.
    pub bos: Option<u32>,
    /// The padding, where one is named.
    pub padding: Option<u32>,
}

/// What is wrong: with a file beside the tokenizer, or with the tokenizer.
#[derive(Debug)]
pub(super) enum Fault {
    Names(Error),
    Tokenizer(String),
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Names(error)
    }
}

impl Ends {
    /// - `wanted`: the end that the configuration asks for
    pub(super) fn new(
        inner: &tokenizers::Tokenizer,
        added: &[AddedToken],
        names: &Names,
        wanted: Option<&str>,
    ) -> Result<Self, Fault> {
        let id = |name: &str, content: &str| {
            inner.token_to_id(content).ok_or_else(|| {
                let message = format!("it has no token `{content}`, which `{name}` names; {}", special(added));
                Fault::Tokenizer(message)
            })
        };
        let of_ids = |name: &str| -> Result<Vec<u32>, Fault> {
            Ok(names.ids(name)?.into_iter().filter(|id| inner.id_to_token(*id).is_some()).collect())
        };
        let eos_ids = of_ids("eos_token_id")?;
        let named = names.token("eos_token")?.map(|content| id("eos_token", content)).transpose()?;
        let (end, stops) = match wanted {
            Some(content) => (id("end_of_text", content)?, Vec::new()),
            None => (
                named.or(eos_ids.first().copied()).or(inner.token_to_id(END_OF_TEXT)).ok_or_else(|| nameless(added))?,
                eos_ids,
            ),
        };
        let stops = [end].into_iter().chain(stops.into_iter().filter(|id| *id != end)).collect();
        let bos = names.token("bos_token")?.map(|content| id("bos_token", content)).transpose()?;
        let bos = bos.or(of_ids("bos_token_id")?.first().copied());
        let begin = match names.adds_begin() {
            Some(false) => None,
            Some(true) => Some(bos.ok_or_else(|| {
                Fault::Tokenizer("`add_bos_token` of tokenizer_config.json is true, and no `bos_token` is named".into())
            })?),
            None => put_before(inner)?,
        };
        // nothing is padded with it here: a name that no token has is none
        let padding = names.token("pad_token")?.and_then(|content| inner.token_to_id(content));
        Ok(Self { end, stops, begin, bos: bos.or(begin), padding })
    }
}

fn nameless(added: &[AddedToken]) -> Fault {
    Fault::Tokenizer(format!(
        "nothing names the token that ends a text, and there is no `{END_OF_TEXT}`; {}; name it by `end_of_text` in [data], or by `eos_token` \
         in a tokenizer_config.json beside it",
        special(added)
    ))
}

/// The tokens that are marked special, in words.
fn special(added: &[AddedToken]) -> String {
    const SHOWN: usize = 8;
    let special: Vec<&AddedToken> = added.iter().filter(|token| token.special).collect();
    let shown: Vec<String> =
        special.iter().take(SHOWN).map(|AddedToken { content, id, .. }| format!("`{content}` ({id})")).collect();
    match special.len() {
        0 => "none of its tokens is marked special".into(),
        SHOWN.. if special.len() > SHOWN => {
            format!("marked special are {} and {} more", shown.join(", "), special.len() - SHOWN)
        }
        _ => format!("marked special are {}", shown.join(", ")),
    }
}

/// What the tokenizer's last part puts in front of a text.
fn put_before(inner: &tokenizers::Tokenizer) -> Result<Option<u32>, Fault> {
    let of = |special| {
        let encoding = inner.encode_fast("a", special).map_err(|error| Fault::Tokenizer(error.to_string()))?;
        Ok::<_, Fault>(encoding.get_ids().to_vec())
    };
    let (with, without) = (of(true)?, of(false)?);
    let place = (0..=with.len().saturating_sub(without.len())).find(|place| with[*place..].starts_with(&without));
    match &with[..place.unwrap_or(0)] {
        [] => Ok(None),
        [begin] => Ok(Some(*begin)),
        several => {
            Err(Fault::Tokenizer(format!("it puts {} tokens in front of a text, where one can be", several.len())))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use serde_json::{Value, json};

    use crate::{
        error::Result,
        tokenizer::{FILE, Tokenizer, TokenizerConfig, tests::trained},
    };

    /// A folder with a tokenizer that knows `</s>`, `<s>` and `<e>` by 320, 321 and 322, and no `<|endoftext|>`; and what lies beside it.
    fn folder(files: &[(&str, Value)], change: impl FnOnce(&mut Value)) -> tempfile::TempDir {
        let (folder, _) = trained();
        let path = folder.path().join(FILE);
        let mut json: Value = serde_json::from_slice(&fs::read(&path).expect("it was written")).expect("it is JSON");
        let token = json["added_tokens"][0].clone();
        let tokens = (320..).zip(["</s>", "<s>", "<e>"]).map(|(id, content)| {
            let mut token = token.clone();
            (token["id"], token["content"]) = (json!(id), json!(content));
            token
        });
        json["added_tokens"] = tokens.collect();
        let vocabulary = json["model"]["vocab"].as_object_mut().expect("an object");
        vocabulary.remove("<|endoftext|>");
        change(&mut json);
        fs::write(path, json.to_string()).expect("it can be written");
        for (name, content) in files {
            fs::write(folder.path().join(name), content.to_string()).expect("it can be written");
        }
        folder
    }

    /// What lies beside a tokenizer.
    type Files = Vec<(&'static str, Value)>;

    fn load(folder: &tempfile::TempDir, end: Option<&str>) -> Result<Tokenizer> {
        let config = TokenizerConfig { end_of_text: end.map(str::to_owned), special_tokens_in_text: false };
        Tokenizer::load_with(&folder.path().join(FILE), config)
    }

    /// Where the end of a text is named, in the order in which one goes before the other; generation stops at each.
    #[test]
    fn the_end_is_the_one_that_the_model_has() -> Result<()> {
        let names = |token: Value| ("tokenizer_config.json", json!({"eos_token": token}));
        let generation = |ids: Value| ("generation_config.json", json!({"eos_token_id": ids}));
        let config = |ids: Value| ("config.json", json!({"eos_token_id": ids}));
        let older = ("special_tokens_map.json", json!({"eos_token": "<e>"}));
        let cases: [(Files, Option<&str>, u32, &[u32]); 8] = [
            (vec![names(json!("</s>"))], None, 320, &[320]),
            (vec![names(json!({"content": "</s>", "lstrip": false}))], None, 320, &[320]),
            (vec![older.clone()], None, 322, &[322]),
            (vec![names(json!("</s>")), older], None, 320, &[320]),
            (vec![config(json!(320))], None, 320, &[320]),
            (vec![config(json!(320)), generation(json!([322, 320, 9_999]))], None, 322, &[322, 320]),
            (vec![names(json!("</s>")), generation(json!([321, 322]))], None, 320, &[320, 321, 322]),
            (vec![names(json!("</s>"))], Some("<e>"), 322, &[322]),
        ];
        for (files, wanted, end, stops) in cases {
            let folder = folder(&files, |_| {});
            let tokenizer = load(&folder, wanted)?;
            assert_eq!((tokenizer.end_of_text(), tokenizer.ends()), (end, stops), "{files:?}");
            // what is saved says the same, without the configuration
            let copy = tempfile::tempdir().expect("the temporary folder can be written");
            tokenizer.save(copy.path())?;
            let again = load(&copy, None)?;
            assert_eq!((again.end_of_text(), again.ends()), (end, stops), "{files:?}");
        }
        Ok(())
    }

    /// An end that is not named or not there is an error that says what to do.
    #[test]
    fn an_end_that_is_missing_is_asked_for() {
        let fault = |files: &[(&str, Value)], end| load(&folder(files, |_| {}), end).expect_err("no end").to_string();
        let none = fault(&[], None);
        assert!(
            none.contains("marked special are `</s>` (320), `<s>` (321), `<e>` (322); name it by `end_of_text`"),
            "{none}"
        );
        let other = fault(&[("tokenizer_config.json", json!({"eos_token": "<eos>"}))], None);
        assert!(other.contains("no token `<eos>`, which `eos_token` names"), "{other}");
        let wanted = fault(&[], Some("<end>"));
        assert!(wanted.contains("no token `<end>`, which `end_of_text` names"), "{wanted}");
        let number = fault(&[("config.json", json!({"eos_token_id": "2"}))], None);
        assert!(number.contains("config.json is damaged: `eos_token_id` is \"2\""), "{number}");
        let begin = fault(&[("tokenizer_config.json", json!({"eos_token": "</s>", "add_bos_token": true}))], None);
        assert!(begin.contains("no `bos_token` is named"), "{begin}");
    }

    /// What stands before every text: as the configuration says, else as the tokenizer does.
    #[test]
    fn a_text_begins_as_the_model_has_it() -> Result<()> {
        let template = |json: &mut Value| {
            json["post_processor"] = json!({
                "type": "TemplateProcessing",
                "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
                    {"SpecialToken": {"id": "<e>", "type_id": 0}}],
                "pair": [],
                "special_tokens": {"<s>": {"id": "<s>", "ids": [321], "tokens": ["<s>"]}, "<e>": {"id": "<e>", "ids": [322], "tokens": ["<e>"]}},
            });
        };
        let names = |adds: Value| {
            [("tokenizer_config.json", json!({"eos_token": "</s>", "bos_token": "<s>", "add_bos_token": adds}))]
        };
        let first =
            |tokenizer: Tokenizer| Ok::<_, crate::error::Error>((tokenizer.before_text(), tokenizer.prompt("")?));
        assert_eq!(first(load(&folder(&names(Value::Null), template), None)?)?, (321, vec![321]));
        assert_eq!(first(load(&folder(&names(json!(false)), template), None)?)?, (320, vec![]));
        assert_eq!(first(load(&folder(&names(json!(true)), |_| {}), None)?)?, (321, vec![321]));
        let tokenizer = load(&folder(&names(Value::Null), |_| {}), None)?;
        assert_eq!(tokenizer.bos(), Some(321), "it has a name");
        assert_eq!(first(tokenizer)?, (320, vec![]));
        let tokenizer = load(&folder(&names(json!(true)), |_| {}), None)?;
        assert_eq!(tokenizer.prompt("<s>the")?, tokenizer.prompt("the")?, "one beginning is enough");
        assert!(!tokenizer.encode("the")?.contains(&321), "documents are said from their first word on");
        Ok(())
    }
}
