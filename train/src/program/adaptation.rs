//! `[lora]`: adapters of a model that is there, which are trained in its place.
//!
//! ```text
//! named  -> which layers, and an adapter of PEFT to go on from   before any work
//! record -> what the training is: the model that they are for    so that a checkpoint, which has adapters alone, finds it
//! attach -> the model with adapters                              all else is frozen by the optimizer
//! ```
//!
//! Useful for: pretraining and tuning of decoders. A model that goes on from a checkpoint is loaded all the same: its base is not there.

use std::path::PathBuf;

use burn::module::Module as _;
use schemas::toml_file::{Setting, TomlFile};

use super::{peft_folder, pretrained_model::PretrainedModel};
use crate::{
    checkpoint::{self, Identity},
    error::{Error, Result},
    model::{AdapterWeights, Adapters, Gpt, LoraConfig, ModelConfig, NamedTensor},
    tokenizer::Tokenizer,
    trainer::Progress,
};

/// Adapters that a training is of, checked.
#[derive(Debug, Clone)]
pub struct Adaptation {
    adapters: Adapters,
    from: Option<From>,
}

/// An adapter to go on from.
#[derive(Debug, Clone)]
struct From {
    folder: PathBuf,
    weights: AdapterWeights,
    sha256: String,
    notes: Vec<String>,
}

impl Adaptation {
    /// The adapters that a configuration asks for, if it does.
    ///
    /// - `model`: that of `pretrained`, with what the configuration changes of it
    ///
    /// # Errors
    /// When there is no model that they are for, a number means nothing, or a target is no layer of the model: at its key; when the adapter to
    /// go on from is for another model.
    pub fn named(
        file: &TomlFile,
        settings: &[Setting],
        config: Option<&LoraConfig>,
        model: &ModelConfig,
        pretrained: Option<&PretrainedModel>,
    ) -> Result<Option<Self>> {
        let Some(config) = config else { return Ok(None) };
        let fault = |key: &str, message: String| Error::from(file.fault_of(key, settings, message));
        let of_key = |(key, message): (&str, String)| fault(&format!("lora.{key}"), message);
        if pretrained.is_none() {
            return Err(fault("lora", "adapters are for a model that is there, which `[model] from` names".into()));
        }
        let family = model.family().map_err(|message| fault("model", message))?;
        let architecture = model.architecture().map_err(|message| fault("model", message))?;
        if architecture.has_encoder() {
            return Err(fault("lora", "adapters are for decoders alone, and this model has an encoder".into()));
        }
        let Some(from) = &config.from else {
            return Ok(Some(Self { adapters: config.adapters(family, &architecture).map_err(of_key)?, from: None }));
        };
        let folder = file.folder().join(from);
        if !folder.is_dir() {
            return Err(fault("lora.from", format!("there is no folder {}", folder.display())));
        }
        let (adapter, sha256) = peft_folder::read(&folder, family, &architecture)?;
        let there = &adapter.weights.adapters;
        let adapters = Adapters { lora: config.going_on_from(&there.lora).map_err(of_key)?, ..there.clone() };
        let from = From { folder, weights: adapter.weights, sha256, notes: adapter.notes };
        Ok(Some(Self { adapters, from: Some(from) }))
    }

    /// Whether the adapters go on from some that are there, so that the model with them is another than the one that they are for.
    #[must_use]
    pub fn goes_on_from_others(&self) -> bool {
        self.from.is_some()
    }

    /// What stands under `lora` in the configuration that a training is known by.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        serde_json::to_value(&self.adapters.lora).expect("a configuration is JSON")
    }

    /// Writes down which model the adapters are for.
    ///
    /// # Errors
    /// When there is no current folder that its path could begin with.
    pub fn record(&self, identity: &mut Identity, pretrained: &PretrainedModel, tokenizer: &Tokenizer) -> Result<()> {
        let mut base = pretrained.place(tokenizer)?;
        base.began_with = self.from.as_ref().map(|from| from.sha256.clone()).unwrap_or_default();
        identity.base = Some(base);
        Ok(())
    }

    /// FLOPs of a token that a training of adapters does not need, of a model with so many parameters in all: no gradient is taken of what stays
    /// as it is, a product of the three that each weight has a part in.
    #[must_use]
    pub fn spared_flops(&self, parameters: usize) -> f64 {
        2.0 * parameters.saturating_sub(self.adapters.parameters()) as f64
    }

    /// The model with the adapters: drawn from `seed`, or those that are gone on from; any, where the training goes on from a checkpoint, which
    /// has their numbers.
    ///
    /// # Errors
    /// When these do not fit the model.
    pub fn attach(&self, model: Gpt, seed: u64, goes_on: bool, progress: &mut dyn Progress) -> Result<Gpt> {
        let Adapters { lora, .. } = &self.adapters;
        progress.note(&format!(
            "adapters of rank {} on {}: {} numbers are trained, and the {} of the model stay as they are",
            lora.rank,
            lora.targets.join(", "),
            self.adapters.parameters(),
            model.num_params(),
        ));
        match self.from.as_ref().filter(|_| !goes_on) {
            None => Ok(model.with_adapters(&self.adapters, seed)),
            Some(From { folder, notes, .. }) => {
                notes.iter().for_each(|note| progress.note(note));
                progress.note(&format!("they go on from {}", folder.display()));
                self.beginning(model, seed)
            }
        }
    }

    /// The model with the adapters that its training begins with, wherever that stands now.
    ///
    /// # Errors
    /// When these do not fit the model.
    pub fn beginning(&self, model: Gpt, seed: u64) -> Result<Gpt> {
        let model = model.with_adapters(&self.adapters, seed);
        let Some(From { folder, weights, .. }) = &self.from else { return Ok(model) };
        let tensors: Vec<NamedTensor> = weights.tensors().cloned().collect();
        checkpoint::with_weights(model, tensors, folder)
    }
}
