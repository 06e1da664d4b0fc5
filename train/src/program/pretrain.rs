//! Pretraining: a language model on a text mixture, from nothing.

use std::{
    fs,
    path::{Path, PathBuf},
};

use burn::module::Module;
use schemars::JsonSchema;
use schemas::toml_file::{Setting, Spanned, TomlFile};
use serde::Deserialize;

use super::data::{DataConfig, HashedData, TrainingData, absolute};
use crate::{
    checkpoint::{self, Checkpoint, Identity},
    data::{Batches, TokenCache},
    device::DeviceName,
    error::{Error, Result},
    model::{Gpt, ModelConfig, Shape, replace},
    optimize::{AdamW, AdamWConfig, Schedule},
    tokenizer::Tokenizer,
    trainer::{Log, LoopConfig, Metrics, Progress, Trainer},
};

/// A pretraining as it is written. Paths start at the file's folder.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PretrainConfig {
    /// What every draw is made from.
    pub seed: u64,
    /// What is trained on.
    #[schemars(with = "DataConfig")]
    pub data: Spanned<DataConfig>,
    /// The model's shape.
    #[schemars(with = "ModelConfig")]
    pub model: Spanned<ModelConfig>,
    /// How it is trained.
    pub training: TrainingConfig,
    /// The learning rate.
    pub learning_rate: Schedule,
    /// The optimizer.
    #[serde(default)]
    pub optimizer: AdamWConfig,
}

/// How a model is trained.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TrainingConfig {
    /// Steps.
    pub steps: u64,
    /// Rows of the model's context in a step.
    pub rows: usize,
    /// The largest norm of all gradients together.
    #[serde(default = "one")]
    pub clip: f64,
    /// Steps between lines of the log.
    #[serde(default = "ten")]
    pub log_every: u64,
    /// Steps between evaluations.
    #[serde(default = "hundred")]
    pub evaluate_every: u64,
    /// Rows that an evaluation takes, at most.
    #[serde(default = "sixty_four")]
    pub evaluate_rows: usize,
    /// Steps between checkpoints.
    #[serde(default = "hundred")]
    pub save_every: u64,
    /// Checkpoints that are kept.
    #[serde(default = "two")]
    pub keep: usize,
}

fn one() -> f64 {
    1.0
}

fn two() -> usize {
    2
}

fn ten() -> u64 {
    10
}

fn sixty_four() -> usize {
    64
}

fn hundred() -> u64 {
    100
}

/// How a pretraining is run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The output folder.
    pub out: PathBuf,
    /// Where tensors live.
    pub device: DeviceName,
    /// Go on with the training in the output folder.
    pub resume: bool,
    /// Stop after this many steps.
    pub until: Option<u64>,
    /// Threads.
    pub threads: usize,
    /// The folder of ids that were made before; `tokens` in the output folder if there is no other.
    pub cache: Option<PathBuf>,
}

/// A checked configuration: the data and the tokenizer are there.
#[derive(Debug, Clone)]
pub struct Pretraining {
    config: PretrainConfig,
    shape: Shape,
    json: serde_json::Value,
    data: TrainingData,
}

impl Pretraining {
    /// Reads and checks a configuration, with `settings` in place of what it says. Paths in settings start at the current
    /// folder, like any path on the command line.
    ///
    /// # Errors
    /// An unknown key, a missing file, a shape that cannot be: with path, line and column.
    pub fn read(path: &Path, settings: &[Setting]) -> Result<Self> {
        let file = TomlFile::read(path)?;
        let settings: Vec<Setting> = settings.iter().map(absolute).collect();
        let config: PretrainConfig = file.parse(&settings)?;
        let json = file.parse(&settings)?;
        let data = TrainingData::check(&file, &config.data)?;
        let model = &config.model;
        let shape = model.get_ref().shape().map_err(|message| file.fault(model.span(), message))?;
        let training = &config.training;
        let counts = [training.log_every, training.evaluate_every, training.save_every, training.steps];
        if counts.contains(&0) || training.rows == 0 || training.evaluate_rows == 0 || training.keep == 0 {
            let message = "every number in [training] is 1 or more";
            return Err(file.fault(config.model.span(), message).into());
        }
        Ok(Self { config, shape, json, data })
    }

    /// Steps in all.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.config.training.steps
    }
}

/// Trains, or goes on training. Returns the steps that were taken in all.
///
/// # Errors
/// When the data, the folder or a checkpoint is at fault: the error names it.
pub fn pretrain(pretraining: &Pretraining, options: &Options, progress: &mut dyn Progress) -> Result<u64> {
    let Pretraining { config, shape, data, .. } = pretraining;
    let device = options.device.open()?.autodiff();
    let data = data.hash()?;
    let identity = identity(pretraining, &data, options);
    let resumed = resumed(options, &identity)?;
    if let Some(begun) = resumed.as_ref().map(|checkpoint| checkpoint.identity.threads)
        && begun != options.threads
    {
        let threads = options.threads;
        progress.note(&format!(
            "begun with {begun} threads, resumed with {threads}: weights may differ in their last bits"
        ));
    }

    let tokenizer_copy = options.out.join("tokenizer.json");
    let bytes = fs::read(data.tokenizer()).map_err(Error::file("read", data.tokenizer()))?;
    checkpoint::write_whole(&tokenizer_copy, &bytes)?;
    let tokenizer = Tokenizer::load(&tokenizer_copy)?;

    let (training, judges) = {
        let folder = options.cache.clone().unwrap_or_else(|| options.out.join("tokens"));
        let mut note = |text: &str| progress.note(text);
        let mut cache = TokenCache::new(&folder, &tokenizer, &identity.tokenizer, &mut note);
        let judged = config.training.evaluate_rows;
        let training = data.training(shape.context, config.seed, &mut cache)?;
        (training, data.judges(shape.context, config.seed, judged, &mut cache)?)
    };
    let mut batches = Batches::new(training, config.training.rows);

    let model = shape.init(tokenizer.vocabulary(), config.seed, &device);
    let (model, optimizer, step) = match resumed {
        None => (model, AdamW::new(config.optimizer), 0),
        Some(Checkpoint { step, model: saved, moments, .. }) => {
            let optimizer = AdamW::restore(config.optimizer, step, moments, &device.clone().without_autodiff());
            (with_weights(model, saved, &options.out)?, optimizer, step)
        }
    };

    let loop_config = loop_config(config, options);
    let metrics = Metrics::open(&options.out.join("metrics.jsonl"), step)?;
    let mut log = Log { metrics, progress, steps: loop_config.until, before: step };
    let trainer = Trainer { model, optimizer, step, identity, device };
    let trained = trainer.run(&loop_config, &mut batches, &judges, &options.out, &mut log)?;
    Ok(trained.step)
}

/// The model, tokenizer and device of the newest checkpoint in a folder, ready to generate.
///
/// # Errors
/// When there is no checkpoint, or it is damaged.
pub fn load(out: &Path, device: DeviceName) -> Result<(Gpt, Tokenizer)> {
    let device = device.open()?;
    let checkpoint = checkpoint::newest(out)?;
    let tokenizer = Tokenizer::load(&out.join("tokenizer.json"))?;
    let damaged = |message| Error::Damaged { path: out.join("checkpoints"), message };
    let config: ModelConfig = serde_json::from_value(checkpoint.identity.config["model"].clone())
        .map_err(|error| damaged(format!("the shape of its model cannot be read: {error}")))?;
    let shape = config.shape().map_err(damaged)?;
    let model = shape.init(tokenizer.vocabulary(), 0, &device);
    Ok((with_weights(model, checkpoint.model, out)?.valid(), tokenizer))
}

fn loop_config(config: &PretrainConfig, options: &Options) -> LoopConfig {
    let TrainingConfig { steps, rows, clip, log_every, evaluate_every, evaluate_rows, save_every, keep } =
        config.training;
    LoopConfig {
        steps,
        until: options.until.unwrap_or(steps).min(steps),
        rows,
        clip,
        schedule: config.learning_rate,
        log_every,
        evaluate_every,
        evaluate_rows,
        save_every,
        keep,
    }
}

/// What this training is.
fn identity(pretraining: &Pretraining, data: &HashedData, options: &Options) -> Identity {
    let mut config = pretraining.json.clone();
    // where the data lies does not matter, and neither does how often something is written down
    if let Some(config) = config.as_object_mut() {
        config.insert("data".into(), data.order());
        if let Some(training) = config.get_mut("training").and_then(serde_json::Value::as_object_mut) {
            for name in ["log_every", "evaluate_every", "evaluate_rows", "save_every", "keep"] {
                training.remove(name);
            }
        }
    }
    let (tokenizer, mixture) = data.hashes();
    Identity { config, tokenizer, mixture, threads: options.threads }
}

/// The checkpoint to go on with, if that is wanted.
fn resumed(options: &Options, identity: &Identity) -> Result<Option<Checkpoint>> {
    let found = checkpoint::checkpoints(&options.out)?;
    match (options.resume, found.last()) {
        (false, None) => Ok(None),
        (false, Some(_)) => Err(Error::AlreadyTrained { path: options.out.clone() }),
        (true, None) => Err(Error::NoCheckpoint { path: options.out.clone() }),
        (true, Some(path)) => {
            let checkpoint = checkpoint::load(path)?;
            let saved = &checkpoint.identity;
            let pairs = [
                ("the configuration", saved.config.to_string(), identity.config.to_string()),
                ("the tokenizer", saved.tokenizer.clone(), identity.tokenizer.clone()),
                ("the data", saved.mixture.clone(), identity.mixture.clone()),
            ];
            match pairs.into_iter().find(|(_, found, wanted)| found != wanted) {
                Some((what, found, wanted)) => {
                    Err(Error::OtherTraining { path: path.clone(), what: what.to_owned(), found, wanted })
                }
                None => Ok(Some(checkpoint)),
            }
        }
    }
}

/// A model with the weights of a checkpoint, which must be those of its shape.
fn with_weights(model: Gpt, saved: Vec<crate::model::Named>, out: &Path) -> Result<Gpt> {
    let mut by_name: std::collections::BTreeMap<String, crate::model::Named> =
        saved.into_iter().map(|named| (named.name.clone(), named)).collect();
    let mut wrong = None;
    let model = replace(model, |name, shape| match by_name.remove(name) {
        Some(named) if named.shape == shape => named.values,
        found => {
            let found = found.map_or("missing".to_owned(), |named| format!("of shape {:?}", named.shape));
            wrong.get_or_insert(format!("`{name}` is {found}, and should be of shape {shape:?}"));
            vec![0.0; shape.iter().product()]
        }
    });
    match wrong {
        Some(message) => Err(Error::Damaged { path: out.join("checkpoints"), message }),
        None => Ok(model),
    }
}
