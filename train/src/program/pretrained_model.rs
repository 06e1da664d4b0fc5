//! A model that a training begins from: `[model] from`, the folder of a training or one of Hugging Face.
//!
//! ```text
//! named -> what it is: configuration, tokenizer, rows      before any work
//! load  -> its numbers, a parameter at a time              into whatever module has parameters of these names
//! ```
//!
//! Tokens that its table has no row for get one at the mean of the others, with noise. What the module has and the folder does not stays as
//! it was, and is said to be fresh. A training is known by the hash of the weights that it began from, wherever they lay.
//!
//! Useful for: every program that goes on from weights. Not useful for: going on with the same training; see `--resume`.

use std::{
    collections::BTreeSet,
    fmt,
    path::{Path, PathBuf},
};

use burn::module::Module;
use schemas::toml_file::{Setting, TomlFile};
use system::hash_file;

use super::{huggingface_folder::HuggingFaceFolder, loaded::Loaded};
use crate::{
    checkpoint::{self, StoredModel, Which},
    error::{Error, Result},
    model::{Classifier, ModelConfig, NamedTensor, language_model_name, replace_some, with_new_rows},
    tokenizer::{self, Tokenizer},
};

/// A model in a folder; its numbers are still there.
#[derive(Debug)]
pub struct PretrainedModel {
    folder: PathBuf,
    config: ModelConfig,
    /// Rows of its token embedding.
    vocab_size: usize,
    weights: Weights,
    notes: Vec<String>,
}

#[derive(Debug)]
enum Weights {
    Ours(StoredModel),
    HuggingFace(HuggingFaceFolder),
}

impl PretrainedModel {
    /// The model that a configuration names by `from`, if it does; the configuration becomes that of the model, with what it changes of it.
    ///
    /// # Errors
    /// When there is no such folder, it holds no model, or another than the configuration asks for: at the key that asks.
    pub fn named(file: &TomlFile, settings: &[Setting], config: &mut ModelConfig) -> Result<Option<Self>> {
        let fault = |key: &str, message: String| Error::from(file.fault_of(key, settings, message));
        let Some(from) = &config.from else {
            return match config.checkpoint {
                Some(_) => Err(fault("model.checkpoint", "`checkpoint` is one of a training that `from` names".into())),
                None => Ok(None),
            };
        };
        let folder = file.folder().join(from);
        if !folder.is_dir() {
            return Err(fault("model.from", format!("there is no folder {}", folder.display())));
        }
        let is_ours = !checkpoint::checkpoints(&folder)?.is_empty();
        let mut pretrained = match (is_ours, config.checkpoint) {
            (true, which) => Self::ours(&folder, which.unwrap_or_default())?,
            (false, _) if !HuggingFaceFolder::is_one(&folder) => {
                let message =
                    format!("{} has neither the checkpoints of a training nor a config.json", folder.display());
                return Err(fault("model.from", message));
            }
            (false, Some(_)) => {
                let message = format!("{} is a folder of Hugging Face, which has one model", folder.display());
                return Err(fault("model.checkpoint", message));
            }
            (false, None) => Self::of_huggingface(&folder)?,
        };
        let there = pretrained.config.clone();
        let wanted = config.going_on_from(&there).map_err(|(key, message)| fault(&format!("model.{key}"), message))?;
        let before = there.architecture().map_err(|message| pretrained.damaged(message))?;
        let after = wanted.architecture().map_err(|message| fault("model", message))?;
        if after.context_length > before.context_length {
            let (wanted, known) = (after.context_length, before.context_length);
            if before.has_position_embedding() {
                let message = format!(
                    "`context_length` is {wanted}, and the model in {} has learned positions for {known} tokens",
                    folder.display()
                );
                return Err(fault("model.context_length", message));
            }
            pretrained
                .notes
                .push(format!("its sequences have {wanted} tokens, and had at most {known} when it was trained"));
        }
        *config = wanted;
        Ok(Some(pretrained))
    }

    fn ours(folder: &Path, which: Which) -> Result<Self> {
        let stored = StoredModel::open(folder, which)?;
        let config: ModelConfig = serde_json::from_value(stored.identity.config["model"].clone())
            .map_err(|error| Error::OtherVersion { path: stored.path.clone(), message: error.to_string() })?;
        let name = stored.name_of("tokens");
        let table = stored.tensors.shapes().find(|(found, _)| Some(found) == name.as_ref());
        let vocab_size = table.and_then(|(_, shape)| shape?.first().copied()).unwrap_or(0);
        let tokenizer = folder.join(tokenizer::FILE);
        let trained_with = &stored.identity.tokenizer;
        if tokenizer.is_file() && !trained_with.is_empty() {
            let found = hash_file(&tokenizer)?.sha256;
            if found != *trained_with {
                let message = format!(
                    "it is not the tokenizer that the model in {} was trained with: its SHA-256 is {found:.12}..., and was \
                     {trained_with:.12}...",
                    stored.path.display()
                );
                return Err(Error::Damaged { path: tokenizer, message });
            }
        }
        let folder = folder.to_owned();
        Ok(Self { folder, config, vocab_size, weights: Weights::Ours(stored), notes: Vec::new() })
    }

    fn of_huggingface(folder: &Path) -> Result<Self> {
        let found = HuggingFaceFolder::open(folder)?;
        let (config, vocab_size, notes) =
            (found.model.config.clone(), found.model.vocab_size, found.model.notes.clone());
        Ok(Self { folder: folder.to_owned(), config, vocab_size, weights: Weights::HuggingFace(found), notes })
    }

    fn damaged(&self, message: String) -> Error {
        Error::Damaged { path: self.folder.clone(), message }
    }

    /// Its tokenizer's file, if it came with one.
    #[must_use]
    pub fn tokenizer(&self) -> Option<PathBuf> {
        Some(self.folder.join(tokenizer::FILE)).filter(|path| path.is_file())
    }

    /// What stands against a tokenizer being the model's, or that with tokens added, if something does.
    ///
    /// # Errors
    /// When the model's own tokenizer cannot be read.
    pub fn tokenizer_fault(&self, tokenizer: &Tokenizer) -> Result<Option<String>> {
        let folder = self.folder.display();
        let Some(path) = self.tokenizer() else {
            let (rows, last) = (self.vocab_size, tokenizer.vocab_size().saturating_sub(1));
            return Ok((last >= rows).then(|| {
                format!("its ids go up to {last}, and the model in {folder}, which has no tokenizer.json, knows {rows} tokens")
            }));
        };
        if hash_file(&path)?.sha256 == tokenizer.sha256() {
            return Ok(None);
        }
        let difference = tokenizer.differs_from(&Tokenizer::load(&path)?);
        Ok(difference.map(|difference| format!("it is not the tokenizer of the model in {folder}: {difference}")))
    }

    /// Rows of a token embedding that has one for each token of the model and of a tokenizer.
    #[must_use]
    pub fn rows(&self, tokenizer: &Tokenizer) -> usize {
        self.vocab_size.max(tokenizer.vocab_size())
    }

    /// What one should know of it.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// SHA-256 of the file of its weights; where there are several, over those of all.
    ///
    /// # Errors
    /// When one cannot be read.
    pub fn sha256(&self) -> Result<String> {
        match &self.weights {
            Weights::Ours(stored) => Ok(stored.sha256.clone()),
            Weights::HuggingFace(folder) => folder.sha256(),
        }
    }

    /// A module with the numbers of the model in the parameters that it has, too; the others stay, and are fresh. Of learned positions a
    /// module may have fewer, which are the first; of tokens more, whose rows are drawn from `seed`.
    ///
    /// # Errors
    /// When a file cannot be read, is damaged, or has numbers that are not finite; when a parameter is of another shape.
    pub fn load<M: Module>(&self, module: M, seed: u64) -> Result<(M, Loaded)> {
        if let Weights::Ours(stored) = &self.weights {
            stored.verify()?;
        }
        let mut loaded = Loaded { left: self.names(), ..Loaded::default() };
        let mut fault = None;
        let module = replace_some(module, |name, shape| {
            let found = if fault.is_some() { Ok(None) } else { self.parameter(name, shape, seed, &mut loaded) };
            found.unwrap_or_else(|error| {
                fault = Some(error);
                None
            })
        });
        match fault {
            Some(error) => Err(error),
            None => Ok((module, loaded)),
        }
    }

    /// The same for a classifier, of which the head alone may be fresh.
    ///
    /// # Errors
    /// As [`Self::load`], and when the folder lacks a parameter of the language model: it is named.
    pub fn load_classifier(&self, classifier: Classifier, seed: u64) -> Result<(Classifier, Loaded)> {
        let (classifier, loaded) = self.load(classifier, seed)?;
        match loaded.fresh.iter().find(|name| !Classifier::is_of_head(name)) {
            Some(name) => Err(self.damaged(format!("its model has no parameter `{}`", language_model_name(name)))),
            None => Ok((classifier, loaded)),
        }
    }

    /// The same for a module of which no parameter may be fresh.
    ///
    /// # Errors
    /// As [`Self::load`], and when the folder lacks a parameter: it is named.
    pub fn load_whole<M: Module>(&self, module: M, seed: u64) -> Result<(M, Loaded)> {
        let (module, loaded) = self.load(module, seed)?;
        match loaded.fresh.first() {
            Some(name) => Err(self.damaged(format!("its model has no parameter `{name}`"))),
            None => Ok((module, loaded)),
        }
    }

    /// The numbers of a parameter of a module, where the model has it. A language model is the same alone and within a module with a head
    /// of its own; such a head is another where its shape is.
    fn parameter(&self, name: &str, shape: &[usize], seed: u64, loaded: &mut Loaded) -> Result<Option<Vec<f32>>> {
        let of_head = Classifier::is_of_head(name);
        let (within, name) = (name, language_model_name(name));
        let found = self.read(name)?.filter(|found| !of_head || found.shape == shape);
        let Some(mut named) = found else {
            loaded.fresh.push(within.to_owned());
            return Ok(None);
        };
        loaded.left.remove(name);
        loaded.parameters += 1;
        loaded.numbers += named.values.len();
        let (rows, wanted) = (named.shape[0], shape[0]);
        match name {
            "tokens" | "head" if wanted > rows => {
                named = with_new_rows(named, wanted, seed);
                loaded.new_rows.push((name.to_owned(), rows, wanted));
            }
            "positions" if wanted < rows => {
                loaded.numbers -= named.values.len();
                named.values.truncate(shape.iter().product());
                loaded.numbers += named.values.len();
                named.shape[0] = wanted;
                loaded.positions = Some((wanted, rows));
            }
            _ => {}
        }
        if named.shape != shape {
            return Err(
                self.damaged(format!("`{name}` is of shape {:?}, and should be of shape {shape:?}", named.shape))
            );
        }
        Ok(Some(named.values))
    }

    fn read(&self, name: &str) -> Result<Option<NamedTensor>> {
        match &self.weights {
            Weights::Ours(stored) => stored.parameter(name),
            Weights::HuggingFace(folder) => folder.parameter(name),
        }
    }

    /// The parameters of the model.
    fn names(&self) -> BTreeSet<String> {
        match &self.weights {
            Weights::Ours(stored) => {
                stored.tensors.shapes().map(|(name, _)| language_model_name(&name).to_owned()).collect()
            }
            Weights::HuggingFace(folder) => folder.model.names().map(str::to_owned).collect(),
        }
    }
}

/// Where it lies, in words.
impl fmt::Display for PretrainedModel {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let folder = self.folder.display();
        match &self.weights {
            Weights::Ours(stored) => write!(formatter, "{folder} after {} steps", stored.step),
            Weights::HuggingFace(_) => write!(formatter, "{folder}"),
        }
    }
}
