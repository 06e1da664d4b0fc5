//! What the files beside a `tokenizer.json` say of it: which tokens begin and end a text.
//!
//! ```text
//! FOLDER/tokenizer_config.json     eos_token, bos_token (a text, or an object with `content`), add_bos_token, and words for others
//!        special_tokens_map.json   the same names, in older folders
//!        generation_config.json    eos_token_id, bos_token_id: a number, or a list, each of which ends what is generated
//!        config.json               the same
//!        chat_template.jinja       how a conversation is written; else `chat_template` of tokenizer_config.json: a text, or a list of them
//!                                  by name
//! ```

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use schemas::byte_order_mark::without_mark;
use serde_json::{Map, Value, json};
use system::AtomicFile;

use crate::error::{Error, Result};

const TOKENIZER: &str = "tokenizer_config.json";
const OLDER: &str = "special_tokens_map.json";
const GENERATION: &str = "generation_config.json";
const MODEL: &str = "config.json";
const TEMPLATE: &str = "chat_template.jinja";
/// The template that is meant where no name is said.
pub(super) const DEFAULT_TEMPLATE: &str = "default";

/// The names that a chat template may use for tokens.
const SPECIAL_TOKENS: [&str; 7] =
    ["bos_token", "eos_token", "unk_token", "pad_token", "sep_token", "cls_token", "mask_token"];

/// The files of a folder, as far as they are there.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Names {
    folder: PathBuf,
    /// `tokenizer_config.json`, with the names that only the older file has.
    tokenizer: Map<String, Value>,
    /// `generation_config.json`.
    generation: Map<String, Value>,
    /// `config.json`.
    model: Map<String, Value>,
    template: Option<Vec<u8>>,
}

impl Names {
    /// Reads the files of a folder.
    ///
    /// # Errors
    /// When one is there and cannot be read, or is no JSON object.
    pub(super) fn read(folder: &Path) -> Result<Self> {
        let mut tokenizer = object(&folder.join(TOKENIZER))?;
        for (name, value) in object(&folder.join(OLDER))? {
            if tokenizer.get(&name).is_none_or(Value::is_null) {
                tokenizer.insert(name, value);
            }
        }
        let (generation, model) = (object(&folder.join(GENERATION))?, object(&folder.join(MODEL))?);
        Ok(Self { folder: folder.to_owned(), tokenizer, generation, model, template: bytes(&folder.join(TEMPLATE))? })
    }

    /// The token that is called by a name, such as `eos_token`.
    ///
    /// # Errors
    /// When the name stands for something else than a token.
    pub(super) fn token(&self, name: &str) -> Result<Option<&str>> {
        let value = self.tokenizer.get(name).unwrap_or(&Value::Null);
        match (value, value["content"].as_str().or(value.as_str())) {
            (Value::Null, _) => Ok(None),
            (_, Some(token)) => Ok(Some(token)),
            _ => {
                Err(self
                    .fault(TOKENIZER, format!("`{name}` is {value}, and neither a text nor an object with `content`")))
            }
        }
    }

    /// The tokens that have a name of their own.
    ///
    /// # Errors
    /// When a name stands for something else than a token.
    pub(super) fn special_tokens(&self) -> Result<BTreeMap<&'static str, String>> {
        let named = |name| Ok(self.token(name)?.map(|token| (name, token.to_owned())));
        SPECIAL_TOKENS.into_iter().filter_map(|name| named(name).transpose()).collect()
    }

    /// Where the chat template of a name stands, and its text; the file beside the others is called `default`, and goes before them.
    ///
    /// # Errors
    /// When it is no text.
    pub(super) fn chat_template(&self, name: &str) -> Result<Option<(String, String)>> {
        let own = self.template.as_ref().filter(|_| name == DEFAULT_TEMPLATE);
        if let Some(bytes) = own {
            let path = self.folder.join(TEMPLATE);
            let text = std::str::from_utf8(bytes)
                .map_err(|error| Error::Damaged { path: path.clone(), message: format!("it is not UTF-8: {error}") })?;
            return Ok(Some((path.display().to_string(), text.to_owned())));
        }
        let templates = self.tokenizer.get("chat_template").unwrap_or(&Value::Null);
        let found = match templates {
            Value::Null => return Ok(None),
            Value::Array(named) => match named.iter().find(|template| template["name"] == name) {
                Some(template) => &template["template"],
                None => return Ok(None),
            },
            _ if name != DEFAULT_TEMPLATE => return Ok(None),
            template => template,
        };
        let place = format!("`{name}` in {}", self.folder.join(TOKENIZER).display());
        let text = found.as_str().ok_or_else(|| {
            let message = "`chat_template` is neither a text nor a list of objects with `name` and `template`";
            self.fault(TOKENIZER, message.into())
        })?;
        Ok(Some((place, text.to_owned())))
    }

    /// The same with another chat template.
    pub(super) fn with_chat_template(self, template: &str) -> Self {
        Self { template: Some(template.as_bytes().to_vec()), ..self }
    }

    /// The same where each of some ids ends what is generated.
    pub(super) fn with_stops(mut self, stops: &[u32]) -> Self {
        let ids = if let [one] = stops { json!(one) } else { json!(stops) };
        self.generation.insert("eos_token_id".into(), ids);
        self
    }

    /// Whether a token is put in front of every text; none where nothing is said of it.
    pub(super) fn adds_begin(&self) -> Option<bool> {
        self.tokenizer.get("add_bos_token")?.as_bool()
    }

    /// The ids that are called by a name, such as `eos_token_id`, in `generation_config.json` and then in `config.json`.
    ///
    /// # Errors
    /// When the name stands for something else than ids.
    pub(super) fn ids(&self, name: &str) -> Result<Vec<u32>> {
        let mut ids = Vec::new();
        for (file, object) in [(GENERATION, &self.generation), (MODEL, &self.model)] {
            let value = object.get(name).unwrap_or(&Value::Null);
            let entries = match value {
                Value::Null => &[],
                Value::Array(entries) => entries.as_slice(),
                entry => std::slice::from_ref(entry),
            };
            for entry in entries {
                let id = entry.as_u64().and_then(|id| u32::try_from(id).ok());
                let id = id.ok_or_else(|| {
                    self.fault(file, format!("`{name}` is {value}, and neither an id nor a list of ids"))
                })?;
                if !ids.contains(&id) {
                    ids.push(id);
                }
            }
        }
        Ok(ids)
    }

    /// An error that names one of the files.
    fn fault(&self, file: &str, message: String) -> Error {
        Error::Damaged { path: self.folder.join(file), message }
    }

    /// The same with other ends: texts end with `end`, what is generated with each of `stops`, which has it, and `begin` is called their beginning.
    pub(super) fn ending(mut self, end: &(String, u32), stops: &[u32], begin: Option<&(String, u32)>) -> Self {
        if let Some((_, id)) = begin {
            self.generation.insert("bos_token_id".into(), json!(id));
        }
        let begin = begin.map(|(content, _)| ("bos_token", content));
        for (name, content) in [("eos_token", &end.0)].into_iter().chain(begin) {
            // an object has more to say of the same token
            if self.tokenizer.get(name).and_then(|token| token["content"].as_str()) != Some(content) {
                self.tokenizer.insert(name.into(), content.as_str().into());
            }
        }
        self.with_stops(stops)
    }

    /// Writes them into a folder, where they are read again; but for `config.json`, of which the ids stand in `generation_config.json`
    /// then.
    ///
    /// # Errors
    /// When one cannot be written.
    pub(super) fn write(&self, folder: &Path) -> Result<()> {
        write_config(folder, &self.tokenizer)?;
        if let Some(template) = &self.template {
            AtomicFile::write_whole(&folder.join(TEMPLATE), template)?;
        }
        Ok(AtomicFile::write_whole(&folder.join(GENERATION), &pretty(&self.generation))?)
    }

    /// The same for programs of others, which want more words in `tokenizer_config.json`: those of `defaults`, where there are none.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub(super) fn write_for_others(&self, folder: &Path, defaults: &Map<String, Value>) -> Result<()> {
        let mut tokenizer = self.tokenizer.clone();
        // "without limit" is written as 10^30, which is no length that others could read
        if tokenizer.get("model_max_length").is_some_and(|length| length.as_u64().is_none()) {
            tokenizer.remove("model_max_length");
        }
        for (name, value) in defaults {
            if tokenizer.get(name).is_none_or(Value::is_null) {
                tokenizer.insert(name.clone(), value.clone());
            }
        }
        // code of the model's own does not come along
        tokenizer.remove("auto_map");
        self.write(folder)?;
        write_config(folder, &tokenizer)
    }
}

fn write_config(folder: &Path, tokenizer: &Map<String, Value>) -> Result<()> {
    Ok(AtomicFile::write_whole(&folder.join(TOKENIZER), &pretty(tokenizer))?)
}

fn pretty(object: &Map<String, Value>) -> Vec<u8> {
    serde_json::to_vec_pretty(object).expect("an object is JSON")
}

/// The bytes of a file, if it is there.
fn bytes(path: &Path) -> Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::file("read", path)(error)),
    }
}

/// The object of a JSON file; an empty one if there is no file.
fn object(path: &Path) -> Result<Map<String, Value>> {
    let Some(bytes) = bytes(path)? else { return Ok(Map::new()) };
    let damaged = |message: String| Error::Damaged { path: path.to_owned(), message };
    let text = without_mark(&bytes).map_err(damaged)?;
    match serde_json::from_slice(text).map_err(|error| damaged(error.to_string()))? {
        Value::Object(object) => Ok(object),
        other => Err(damaged(format!("an object was expected, and it begins with {:.20}", other.to_string()))),
    }
}
