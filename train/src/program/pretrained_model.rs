//! A model that a training begins from: `[model] from`, the folder of a training or one of Hugging Face.
//!
//! ```text
//! named -> what it is: configuration, tokenizer, rows      before any work
//! load  -> its numbers, a parameter at a time              into whatever module has parameters of these names
//! ```
//!
//! Where the folder is that of a training of adapters, or `[model] adapter` names one of PEFT, each weight has its adapters merged into it when
//! it is read.
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
use system::{hash_file, sha256};

use super::{
    adapted_model::AdaptedModel, huggingface_folder::HuggingFaceFolder, loaded::Loaded, peft_folder,
    recorded::configured,
};
use crate::{
    checkpoint::{self, Base, StoredModel, Which},
    device::DeviceName,
    error::{Error, Result},
    inference::{InferenceModel, Packing, WeightFormat},
    model::{
        Adapters, Lora, ModelConfig, NamedTensor, is_beside, is_of_head, language_model, language_model_name,
        replace_some, with_new_rows,
    },
    tokenizer::{self, Tokenizer},
};

/// A model in a folder; its numbers are still there.
#[derive(Debug)]
pub struct PretrainedModel {
    folder: PathBuf,
    /// Steps that it was trained, where it is that of a training.
    step: Option<u64>,
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
    Adapted(Box<Adapted>),
}

/// Another model, with adapters.
#[derive(Debug)]
struct Adapted {
    base: PretrainedModel,
    model: AdaptedModel,
    /// The folder of PEFT that the adapters lie in; none where they are a training's own.
    adapter: Option<PathBuf>,
    /// SHA-256 over those of both.
    sha256: String,
}

impl PretrainedModel {
    /// The model that a configuration names by `from`, if it does; the configuration becomes that of the model, with what it changes of it.
    ///
    /// # Errors
    /// When there is no such folder, it holds no model, or another than the configuration asks for: at the key that asks.
    pub fn named(file: &TomlFile, settings: &[Setting], config: &mut ModelConfig) -> Result<Option<Self>> {
        let fault = |key: &str, message: String| Error::from(file.fault_of(key, settings, message));
        let Some(from) = &config.from else {
            return match (config.checkpoint, &config.adapter) {
                (Some(_), _) => {
                    Err(fault("model.checkpoint", "`checkpoint` is one of a training that `from` names".into()))
                }
                (None, Some(_)) => Err(fault("model.adapter", "`adapter` is one for a model that `from` names".into())),
                (None, None) => Ok(None),
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
        if let Some(adapter) = &config.adapter {
            let folder = file.folder().join(adapter);
            if !folder.is_dir() {
                return Err(fault("model.adapter", format!("there is no folder {}", folder.display())));
            }
            pretrained = pretrained.with_adapter(&folder)?;
        }
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

    /// The model in a folder.
    ///
    /// - `which`: of a training
    ///
    /// # Errors
    /// When it holds none, or something of it is missing or damaged.
    pub(super) fn open(folder: &Path, which: Which) -> Result<Self> {
        if checkpoint::checkpoints(folder)?.is_empty() {
            Self::of_huggingface(folder)
        } else {
            Self::ours(folder, which)
        }
    }

    fn ours(folder: &Path, which: Which) -> Result<Self> {
        let stored = StoredModel::open(folder, which)?;
        let config: ModelConfig = configured(&stored.identity, "model", &stored.path)?;
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
        if let Some(base) = &stored.identity.base {
            return Self::of_adapters(folder, &stored, base, config);
        }
        let (folder, step) = (folder.to_owned(), Some(stored.step));
        Ok(Self { folder, step, config, vocab_size, weights: Weights::Ours(stored), notes: Vec::new() })
    }

    /// The model that a training of adapters made of its base.
    fn of_adapters(folder: &Path, stored: &StoredModel, base: &Base, config: ModelConfig) -> Result<Self> {
        let damaged = |message| Error::Damaged { path: stored.path.clone(), message };
        stored.verify()?;
        let lora: Lora = configured(&stored.identity, "lora", &stored.path)?;
        let family = config.family().map_err(damaged)?;
        let architecture = config.architecture().map_err(damaged)?;
        // what stands beside the language model is none of its adapters
        let names = stored.tensors.shapes().map(|(name, _)| name).filter(|name| !is_of_head(name));
        let tensors = names.map(|name| stored.tensors.read(&name)).collect::<Result<Vec<NamedTensor>>>()?;
        let tensors = language_model(tensors);
        let adapters = Adapters::new(lora, family, &architecture);
        let model = AdaptedModel {
            weights: adapters.and_then(|adapters| adapters.with_weights(tensors)).map_err(damaged)?,
            vocab_size: base.vocab_size,
            context_length: architecture.context_length,
            seed: stored.identity.config["seed"].as_u64().unwrap_or(0),
        };
        let base = Self::of_base(base, stored)?;
        let sha256 = sha256(format!("{}{}", stored.identity.weights, stored.sha256).as_bytes());
        let (folder, step, vocab_size) = (folder.to_owned(), Some(stored.step), model.vocab_size);
        let weights = Weights::Adapted(Box::new(Adapted { base, model, adapter: None, sha256 }));
        Ok(Self { folder, step, config, vocab_size, weights, notes: Vec::new() })
    }

    /// The model that the adapters of a checkpoint are for.
    ///
    /// # Errors
    /// When it is gone, or has changed since.
    fn of_base(base: &Base, of: &StoredModel) -> Result<Self> {
        let fault = |message| Error::Base { path: of.path.clone(), base: base.folder.clone(), message };
        if !base.folder.is_dir() {
            return Err(fault("there is no such folder any more".into()));
        }
        let which = base.step.map_or(Which::Newest, Which::Step);
        let opened = Self::open(&base.folder, which).and_then(|model| match &base.adapter {
            Some(adapter) => model.with_adapter(adapter),
            None => Ok(model),
        });
        let model = opened.map_err(|error| fault(error.to_string()))?;
        let (found, before) = (model.sha256()?, &of.identity.weights);
        if found == *before {
            return Ok(model);
        }
        Err(fault(format!("its weights are others by now: the SHA-256 was {before:.12}..., and is {found:.12}...")))
    }

    /// The same with an adapter of PEFT merged into it.
    ///
    /// # Errors
    /// When the adapter cannot be read, or is for another model.
    fn with_adapter(self, folder: &Path) -> Result<Self> {
        let damaged = |message| self.damaged(message);
        let family = self.config.family().map_err(damaged)?;
        let architecture = self.config.architecture().map_err(damaged)?;
        let (adapter, hash) = peft_folder::read(folder, family, &architecture)?;
        let sha256 = sha256(format!("{}{hash}", self.sha256()?).as_bytes());
        let model = AdaptedModel {
            weights: adapter.weights,
            vocab_size: self.vocab_size,
            context_length: architecture.context_length,
            seed: 0,
        };
        let (step, vocab_size, config) = (self.step, self.vocab_size, self.config.clone());
        let notes = [self.notes.clone(), adapter.notes].concat();
        let (of_base, adapter) = (self.folder.clone(), Some(folder.to_owned()));
        let weights = Weights::Adapted(Box::new(Adapted { base: self, model, adapter, sha256 }));
        Ok(Self { folder: of_base, step, config, vocab_size, weights, notes })
    }

    /// The decoder that it is, for inference: its parameters are read one by one, and packed.
    ///
    /// # Errors
    /// When it has an encoder, or something of it is missing or damaged.
    pub(super) fn inference(&self, format: WeightFormat) -> Result<InferenceModel> {
        let architecture = self.config.architecture().map_err(|message| self.damaged(message))?;
        if architecture.has_encoder() {
            let message = "its model has an encoder, and what is asked of it is for decoders".to_owned();
            return Err(Error::Data { path: self.folder.clone(), message });
        }
        // zeros take no memory before they are written, and most never are
        let module = architecture.zeros(self.vocab_size, &DeviceName::Cpu.open()?);
        let mut packing = Packing::new(&architecture, self.vocab_size, format);
        let (module, loaded) = self.load_each(module, 0, |name, values| packing.take(name, values))?;
        self.whole(&loaded)?;
        Ok(InferenceModel::packed(packing, &module))
    }

    /// Where it lies.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Steps that it was trained, where it is that of a training.
    pub(super) fn step(&self) -> Option<u64> {
        self.step
    }

    /// Where it lies, for adapters that are for it, and the rows that it has with a tokenizer.
    ///
    /// # Errors
    /// When there is no current folder that its path could begin with.
    pub(super) fn place(&self, tokenizer: &Tokenizer) -> Result<Base> {
        let absolute = |path: &Path| std::path::absolute(path).map_err(Error::file("find", path));
        let adapter = match &self.weights {
            Weights::Adapted(adapted) => adapted.adapter.as_deref().map(absolute).transpose()?,
            _ => None,
        };
        let vocab_size = self.rows(tokenizer);
        Ok(Base {
            folder: absolute(&self.folder)?,
            step: self.step,
            adapter,
            vocab_size,
            new_rows: vocab_size - self.vocab_size,
            began_with: String::new(),
        })
    }

    fn of_huggingface(folder: &Path) -> Result<Self> {
        let found = HuggingFaceFolder::open(folder)?;
        let (config, vocab_size, notes) =
            (found.model.config.clone(), found.model.vocab_size, found.model.notes.clone());
        let folder = folder.to_owned();
        Ok(Self { folder, step: None, config, vocab_size, weights: Weights::HuggingFace(found), notes })
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

    /// SHA-256 of the file of its weights; where there are several, over those of all, those of adapters, too.
    ///
    /// # Errors
    /// When one cannot be read.
    pub fn sha256(&self) -> Result<String> {
        match &self.weights {
            Weights::Ours(stored) => Ok(stored.sha256.clone()),
            Weights::HuggingFace(folder) => folder.sha256(),
            Weights::Adapted(adapted) => Ok(adapted.sha256.clone()),
        }
    }

    /// Makes sure that the files of a training are those that were written.
    fn verify(&self) -> Result<()> {
        match &self.weights {
            Weights::Ours(stored) => stored.verify(),
            Weights::HuggingFace(_) => Ok(()),
            // adapters were when they were read
            Weights::Adapted(adapted) => adapted.base.verify(),
        }
    }

    /// A module with the numbers of the model in the parameters that it has, too; the others stay, and are fresh. Of learned positions a
    /// module may have fewer, which are the first; of tokens more, whose rows are drawn from `seed`.
    ///
    /// # Errors
    /// When a file cannot be read, is damaged, or has numbers that are not finite; when a parameter is of another shape.
    pub fn load<M: Module>(&self, module: M, seed: u64) -> Result<(M, Loaded)> {
        self.load_each(module, seed, |_, values| Some(values))
    }

    /// The same, where each parameter's numbers go to `take` first, and what it gives back into the module.
    fn load_each<M: Module>(
        &self,
        module: M,
        seed: u64,
        mut take: impl FnMut(&str, Vec<f32>) -> Option<Vec<f32>>,
    ) -> Result<(M, Loaded)> {
        self.verify()?;
        let mut loaded = Loaded { left: self.names(), ..Loaded::default() };
        let mut fault = None;
        let module = replace_some(module, |name, shape| {
            let found = if fault.is_some() { Ok(None) } else { self.parameter(name, shape, seed, &mut loaded) };
            match found {
                Ok(values) => take(name, values?),
                Err(error) => {
                    fault = Some(error);
                    None
                }
            }
        });
        match fault {
            Some(error) => Err(error),
            None => Ok((module, loaded)),
        }
    }

    /// The same for a language model with a head of its own, which alone may be fresh.
    ///
    /// # Errors
    /// As [`Self::load`], and when the folder lacks a parameter of the language model: it is named.
    pub fn load_with_head<M: Module>(&self, module: M, seed: u64) -> Result<(M, Loaded)> {
        let (module, loaded) = self.load(module, seed)?;
        match loaded.fresh.iter().find(|name| !is_of_head(name)) {
            Some(name) => Err(self.damaged(format!("its model has no parameter `{}`", language_model_name(name)))),
            None => Ok((module, loaded)),
        }
    }

    /// The same for a module of which no parameter may be fresh.
    ///
    /// # Errors
    /// As [`Self::load`], and when the folder lacks a parameter: it is named.
    pub fn load_whole<M: Module>(&self, module: M, seed: u64) -> Result<(M, Loaded)> {
        let (module, loaded) = self.load(module, seed)?;
        self.whole(&loaded)?;
        Ok((module, loaded))
    }

    /// Makes sure that no parameter is fresh.
    fn whole(&self, loaded: &Loaded) -> Result<()> {
        match loaded.fresh.first() {
            Some(name) => Err(self.damaged(format!("its model has no parameter `{name}`"))),
            None => Ok(()),
        }
    }

    /// The numbers of a parameter of a module, where the model has it. A language model is the same alone and within a module with a head
    /// of its own; such a head is another where its shape is.
    fn parameter(&self, name: &str, shape: &[usize], seed: u64, loaded: &mut Loaded) -> Result<Option<Vec<f32>>> {
        let of_head = is_of_head(name);
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

    /// All parameters of its language model: a classifier's head is left out.
    ///
    /// # Errors
    /// When a file cannot be read, is damaged, or has numbers that are not finite.
    pub(super) fn parameters(&self) -> Result<Vec<NamedTensor>> {
        self.verify()?;
        let names = self.names();
        let of_model = names.iter().filter(|name| !is_of_head(name));
        of_model.filter_map(|name| self.read(name).transpose()).collect()
    }

    fn read(&self, name: &str) -> Result<Option<NamedTensor>> {
        match &self.weights {
            Weights::Ours(stored) => stored.parameter(name),
            Weights::HuggingFace(folder) => folder.parameter(name),
            Weights::Adapted(adapted) => Ok(adapted.base.read(name)?.map(|named| adapted.model.merged(named))),
        }
    }

    /// The parameters of the model.
    fn names(&self) -> BTreeSet<String> {
        match &self.weights {
            Weights::Ours(stored) => {
                // a network beside the language model is none of its parameters
                let names = stored.tensors.shapes().map(|(name, _)| name).filter(|name| !is_beside(name));
                names.map(|name| language_model_name(&name).to_owned()).collect()
            }
            Weights::HuggingFace(folder) => folder.model.names().map(str::to_owned).collect(),
            Weights::Adapted(adapted) => adapted.base.names(),
        }
    }
}

/// Where it lies, in words.
impl fmt::Display for PretrainedModel {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Weights::Adapted(adapted) = &self.weights
            && let Some(adapter) = &adapted.adapter
        {
            return write!(formatter, "{} with the adapter in {}", adapted.base, adapter.display());
        }
        write!(formatter, "{}", self.folder.display())?;
        if let Some(step) = self.step {
            write!(formatter, " after {step} steps")?;
        }
        match &self.weights {
            Weights::Adapted(adapted) => write!(formatter, ", with its adapters in {}", adapted.base),
            Weights::Ours(_) | Weights::HuggingFace(_) => Ok(()),
        }
    }
}
