//! Models from and to folders of Hugging Face.
//!
//! ```text
//! FOLDER/config.json         the shape
//!        model.safetensors   weights, or model.safetensors.index.json with the names of several such files
//!        tokenizer.json      and tokenizer_config.json, which says what ends a text
//! ```

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

use super::pretrain::shape_of;
use crate::{
    checkpoint::{self, Checkpoint, Identity, State, Which, write_whole},
    error::{Error, Result},
    model::{Named, interchange},
    tokenizer::{END_OF_TEXT, Tokenizer},
};

/// Writes the model of a training as a folder that `transformers` loads. Returns the step of its checkpoint.
///
/// # Errors
/// When there is no checkpoint, its family has no counterpart, or a file cannot be written.
pub fn export(out: &Path, which: Which, folder: &Path) -> Result<u64> {
    let checkpoint = checkpoint::find(out, which)?;
    let tokenizer_path = out.join("tokenizer.json");
    let tokenizer = Tokenizer::load(&tokenizer_path)?;
    let shape = shape_of(&checkpoint, &out.join("checkpoints"))?;
    let (config, tensors) = interchange::export(&shape, &checkpoint.model, tokenizer.end_of_text())
        .map_err(|message| Error::Interchange { path: out.to_owned(), message })?;
    let tensors = tensors.iter().map(|named| (named.name.clone(), named.shape.clone(), &named.values));
    let tokenizer_config = json!({
        "tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": shape.context, "bos_token": END_OF_TEXT,
        "eos_token": END_OF_TEXT, "clean_up_tokenization_spaces": false,
    });
    let bytes = fs::read(&tokenizer_path).map_err(Error::file("read", &tokenizer_path))?;
    write_whole(&folder.join("model.safetensors"), &checkpoint::to_bytes(tensors))?;
    write_whole(&folder.join("config.json"), &pretty(&config))?;
    write_whole(&folder.join("tokenizer_config.json"), &pretty(&tokenizer_config))?;
    write_whole(&folder.join("tokenizer.json"), &bytes)?;
    Ok(checkpoint.state.step)
}

fn pretty(json: &Value) -> Vec<u8> {
    serde_json::to_vec_pretty(json).expect("a value is JSON")
}

/// Reads a folder of Hugging Face into the folder of a training that took no step yet. Returns its parameters.
///
/// # Errors
/// When a file is missing or damaged, the model computes what models do not compute here, or `out` holds a training.
pub fn import(folder: &Path, out: &Path) -> Result<usize> {
    if !checkpoint::checkpoints(out)?.is_empty() {
        return Err(Error::AlreadyTrained { path: out.to_owned() });
    }
    let config_path = folder.join("config.json");
    let other = |message: String| Error::Interchange { path: folder.to_owned(), message };
    let model = interchange::described(&json_file(&config_path)?).map_err(other)?;
    let shape = model.shape().map_err(other)?;
    let model_numbers = interchange::import(&shape, &tensors(folder)?).map_err(other)?;
    let parameters = model_numbers.iter().map(|named| named.values.len()).sum();
    let tokenizer = folder.join("tokenizer.json");
    let tokenizer = match fs::read(&tokenizer) {
        Ok(bytes) => {
            write_whole(&out.join("tokenizer.json"), &bytes)?;
            checkpoint::sha256(&bytes)
        }
        // a model may come without: whoever wants text from it is told so
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(Error::file("read", tokenizer)(error)),
    };
    let identity = Identity { config: json!({"model": model}), tokenizer, mixture: String::new(), threads: 0 };
    let checkpoint = Checkpoint {
        state: State::default(),
        due: true,
        identity,
        logs: BTreeMap::new(),
        model: model_numbers,
        moments: Vec::new(),
    };
    checkpoint::save(out, &checkpoint)?;
    Ok(parameters)
}

fn json_file(path: &Path) -> Result<Value> {
    let bytes = fs::read(path).map_err(Error::file("read", path))?;
    serde_json::from_slice(&bytes).map_err(|error| Error::Damaged { path: path.to_owned(), message: error.to_string() })
}

/// All tensors of a folder, of one file or of several.
fn tensors(folder: &Path) -> Result<BTreeMap<String, Named>> {
    let mut tensors = BTreeMap::new();
    for path in files(folder)? {
        let bytes = fs::read(&path).map_err(Error::file("read", &path))?;
        tensors.extend(checkpoint::from_bytes(&bytes, &path)?);
    }
    Ok(tensors)
}

fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let index = folder.join("model.safetensors.index.json");
    if !index.is_file() {
        return Ok(vec![folder.join("model.safetensors")]);
    }
    let json = json_file(&index)?;
    let names: Option<BTreeSet<&str>> =
        json["weight_map"].as_object().map(|map| map.values().filter_map(Value::as_str).collect());
    let names =
        names.ok_or_else(|| Error::Damaged { path: index.clone(), message: "it has no `weight_map`".into() })?;
    Ok(names.into_iter().map(|name| folder.join(name)).collect())
}
