//! Models from and to folders of Hugging Face.
//!
//! ```text
//! FOLDER/config.json         the architecture
//!        model.safetensors   weights, or several files and model.safetensors.index.json
//!        tokenizer.json      and tokenizer_config.json, generation_config.json, which say what begins and ends a text
//! ```

use std::{collections::BTreeMap, path::Path};

use serde_json::{Map, Value, json};
use system::AtomicFile;

use super::{
    encoder_config::EncoderConfig,
    huggingface_folder::{CONFIG, HuggingFaceFolder, WEIGHTS},
    peft_folder,
    recorded::{configured, model_of},
    sentence_folder,
    trained_model::whole,
};
use crate::{
    checkpoint::{self, Checkpoint, Identity, State, Which},
    error::{Error, Result},
    model::{
        Adapters, Architecture, Family, NamedTensor, encoders_of,
        huggingface::{self, SpecialTokens},
        is_beside, is_of_head, language_model,
    },
    tokenizer::{self, Tokenizer},
};

/// Writes the model of a training as a folder that `transformers` loads; adapters are merged into it. Encoders become such a folder that
/// `sentence-transformers` loads, or two in `query` and `passage`. Returns the step of its checkpoint.
///
/// # Errors
/// When there is no checkpoint, its family has no counterpart, or a file cannot be written.
pub fn export(out: &Path, which: Which, folder: &Path) -> Result<u64> {
    let checkpoint = whole(out, which)?;
    let tokenizer = Tokenizer::load(&out.join(tokenizer::FILE))?;
    let path = out.join("checkpoints");
    let (family, architecture) = model_of(&checkpoint.identity, &path)?;
    let write = |folder: &Path, parameters: &[NamedTensor]| -> Result<()> {
        let bos = tokenizer.bos().unwrap_or(tokenizer.end_of_text());
        let special = SpecialTokens { bos, eos: tokenizer.ends(), pad: tokenizer.padding() };
        let (config, tensors) = huggingface::export(family, &architecture, parameters, special)
            .map_err(|message| Error::HuggingFace { path: out.to_owned(), message })?;
        checkpoint::write_tensors(&folder.join(WEIGHTS), &tensors)?;
        let config = serde_json::to_vec_pretty(&config).expect("a value is JSON");
        Ok(AtomicFile::write_whole(&folder.join(CONFIG), &config)?)
    };
    let words = words_for_others(&tokenizer, family, &architecture);
    if !checkpoint.identity.config["encoder"].is_null() {
        let config: EncoderConfig = configured(&checkpoint.identity, "encoder", &path)?;
        let step = checkpoint.state.step;
        for (name, parameters) in encoders_of(checkpoint.model) {
            let folder = if config.shared { folder.to_owned() } else { folder.join(name) };
            std::fs::create_dir_all(&folder).map_err(Error::file("make the folder", &folder))?;
            write(&folder, &parameters)?;
            sentence_folder::write(&folder, config.encoders(), &architecture, &tokenizer, words.clone())?;
        }
        return Ok(step);
    }
    // what stands beside a policy is no part of it
    if checkpoint.model.iter().any(|named| is_of_head(&named.name) && !is_beside(&named.name)) {
        let message = "it holds a classifier or a reward model, whose head no folder of a language model has; `train pretrain` with `model.from` and \
                       `--until 0` makes a training of its language model alone";
        return Err(Error::HuggingFace { path: out.to_owned(), message: message.into() });
    }
    write(folder, &language_model(checkpoint.model))?;
    tokenizer.export(folder, &words)?;
    Ok(checkpoint.state.step)
}

/// Writes the adapters of a training as a folder that PEFT loads. Returns the step of its checkpoint.
///
/// # Errors
/// When there is no checkpoint, it holds no adapters, or these are not all that makes its model of the one that they are for.
pub fn export_adapter(out: &Path, which: Which, folder: &Path) -> Result<u64> {
    let checkpoint = checkpoint::find(out, which)?;
    let path = out.join("checkpoints");
    let failed = |message| Error::HuggingFace { path: out.to_owned(), message };
    let Some(base) = &checkpoint.identity.base else {
        return Err(failed("it was trained without adapters; without `--adapter` the whole model is exported".into()));
    };
    if base.new_rows > 0 {
        let message = format!(
            "its tokenizer has tokens that the model in {} has no rows for, and an adapter does not hold these {} rows; without `--adapter` the \
             whole model is exported",
            base.folder.display(),
            base.new_rows
        );
        return Err(failed(message));
    }
    if let Some(adapter) = &base.adapter {
        let message = format!(
            "its adapters are for the model in {} with the adapter in {} merged into it, which no folder holds; without `--adapter` the whole \
             model is exported",
            base.folder.display(),
            adapter.display()
        );
        return Err(failed(message));
    }
    let (family, architecture) = model_of(&checkpoint.identity, &path)?;
    let adapters = Adapters::new(configured(&checkpoint.identity, "lora", &path)?, family, &architecture);
    let weights = adapters.and_then(|adapters| adapters.with_weights(language_model(checkpoint.model)));
    let weights = weights.map_err(|message| Error::Damaged { path, message })?;
    peft_folder::write(folder, &weights, (family, &architecture), &base.folder)?;
    Ok(checkpoint.state.step)
}

/// What other programs want to find in `tokenizer_config.json`. Where a tokenizer has no token for what is unknown, folders of the GPTs name
/// the end of a text, as those of the hub do: `CTranslate2` does not load one without.
fn words_for_others(tokenizer: &Tokenizer, family: Family, architecture: &Architecture) -> Map<String, Value> {
    let token = |id| tokenizer.token(id).map_or(Value::Null, Value::from);
    let end = token(tokenizer.end_of_text());
    let unknown = match tokenizer.unknown() {
        Some(token) => token.into(),
        None if huggingface::end_is_unknown(family) => end.clone(),
        None => Value::Null,
    };
    let padding = if architecture.has_encoder() { token(tokenizer.padding()) } else { Value::Null };
    let words = json!({
        "tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": architecture.context_length, "eos_token": end,
        "bos_token": token(tokenizer.bos().unwrap_or(tokenizer.end_of_text())), "unk_token": unknown,
        "pad_token": padding, "clean_up_tokenization_spaces": false,
    });
    let Value::Object(words) = words else { return Map::new() };
    words.into_iter().filter(|(_, word)| !word.is_null()).collect()
}

/// What was read of a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// Parameters.
    pub parameters: usize,
    /// What one should know.
    pub notes: Vec<String>,
}

/// Reads a folder of Hugging Face into the folder of a training that took no step yet.
///
/// # Errors
/// When a file is missing or damaged, the model computes what models do not compute here, or `out` holds a training.
pub fn import(folder: &Path, out: &Path) -> Result<Imported> {
    if !checkpoint::checkpoints(out)?.is_empty() {
        return Err(Error::AlreadyTrained { path: out.to_owned() });
    }
    let read = HuggingFaceFolder::open(folder)?;
    let huggingface::Imported { config, vocab_size, notes, .. } = &read.model;
    let mut notes = notes.clone();
    let parameters = read.model.names().filter_map(|name| read.parameter(name).transpose());
    let model = parameters.collect::<Result<Vec<NamedTensor>>>()?;
    let parameters = model.iter().map(|named| named.values.len()).sum();
    let path = folder.join(tokenizer::FILE);
    let hash = if path.exists() {
        let tokenizer = Tokenizer::load(&path)?;
        if tokenizer.vocab_size() > *vocab_size {
            let last = tokenizer.vocab_size() - 1;
            let message = format!("its tokenizer has ids up to {last}, and its model knows {vocab_size} tokens");
            return Err(Error::HuggingFace { path: folder.to_owned(), message });
        }
        tokenizer.save(out)?;
        notes.push(ends(&tokenizer));
        notes.extend(tokenizer.note());
        tokenizer.sha256()
    } else {
        // a model may come without: whoever wants text from it is told so
        String::new()
    };
    let checkpoint = Checkpoint {
        state: State::default(),
        due: true,
        identity: Identity {
            config: json!({"model": config}),
            tokenizer: hash,
            mixture: String::new(),
            threads: 0,
            weights: String::new(),
            base: None,
        },
        logs: BTreeMap::new(),
        model,
        unaveraged: Vec::new(),
        optimizer: Vec::new(),
        memory: Vec::new(),
    };
    checkpoint::save(out, &checkpoint)?;
    Ok(Imported { parameters, notes })
}

/// What begins and ends the texts of a tokenizer, in words.
fn ends(tokenizer: &Tokenizer) -> String {
    let named = |id: &u32| format!("`{}` ({id})", tokenizer.token(*id).unwrap_or_default());
    let ends: Vec<String> = tokenizer.ends().iter().map(named).collect();
    let begin = Some(tokenizer.before_text()).filter(|id| *id != tokenizer.end_of_text());
    let begin = begin.map_or(String::new(), |id| format!("a text begins with {}; ", named(&id)));
    let several =
        if ends.len() > 1 { format!(", and what is generated with any of {}", ends.join(", ")) } else { String::new() };
    format!("{begin}a text ends with {}{several}", ends[0])
}
