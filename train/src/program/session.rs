//! What every kind of training does around the loop: the device, the checkpoint that it goes on from, the log, the outcome.
//!
//! ```text
//! identity -> a session: the device, and the checkpoint to go on from    what does not fit together is told before any work
//! model    -> a trainer, new or resumed
//! batches, evaluator, objective -> the loop
//! ```

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use burn::{module::Module, tensor::Device};
use schemas::toml_file::{Setting, TomlFile};

use super::{
    differences::{differences, free_keys},
    pretrained_model::PretrainedModel,
    recorded::{configured, model_of},
    training::{FREE, TrainingConfig},
};
use crate::{
    checkpoint::{self, Checkpoint, Identity, LogPlace},
    data::Lost,
    device::DeviceName,
    error::{Error, Result},
    objective::Objective,
    optimize::{OptimizerConfig, Schedule},
    tensor::Precision,
    trainer::{Log, LoopConfig, Progress, ThroughputMeter, TrainOutcome, Trainer, TrainingInputs},
};

/// How a training is run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The output folder.
    pub out: PathBuf,
    /// The device.
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

impl Options {
    /// The folder of ids.
    #[must_use]
    pub fn cache(&self) -> PathBuf {
        self.cache.clone().unwrap_or_else(|| self.out.join("tokens"))
    }
}

/// A training on a device, before its model is there.
pub(super) struct Session<'o> {
    options: &'o Options,
    identity: Identity,
    resumed: Option<(PathBuf, Checkpoint)>,
    device: Device,
}

/// A training with its model.
pub(super) struct Ready<'o, M> {
    out: &'o Path,
    trainer: Trainer<M>,
    /// The step that it goes on after, and where its logs ended.
    place: Option<(u64, BTreeMap<String, LogPlace>)>,
}

impl<'o> Session<'o> {
    /// Opens the device, and the checkpoint to go on from if that is wanted.
    ///
    /// # Errors
    /// When there is no such device; when the folder holds a training that is not to be gone on with, or another, or none.
    pub fn begin(
        options: &'o Options,
        precision: Precision,
        identity: Identity,
        progress: &mut dyn Progress,
    ) -> Result<Self> {
        let device = options.device.open_for(precision)?.autodiff();
        let resumed = resumed(options, &identity)?;
        if let Some((_, checkpoint)) = &resumed
            && checkpoint.identity.threads != options.threads
        {
            let (begun, threads) = (checkpoint.identity.threads, options.threads);
            progress.note(&format!(
                "begun with {begun} threads, resumed with {threads}: weights may differ in their last bits"
            ));
        }
        Ok(Self { options, identity, resumed, device })
    }

    /// The device, with gradients.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// Whether it goes on from a checkpoint, which has all weights.
    pub fn goes_on(&self) -> bool {
        self.resumed.is_some()
    }

    /// Gives it its model; where it goes on, with the weights of the checkpoint.
    ///
    /// # Errors
    /// When the optimizer's groups, or the checkpoint, are not for this model.
    pub fn with_model<M: Module>(self, model: M, config: &LoopConfig) -> Result<Ready<'o, M>> {
        let Self { options, identity, resumed, device } = self;
        let place = resumed.as_ref().map(|(_, checkpoint)| (checkpoint.state.step, checkpoint.logs.clone()));
        let trainer = match resumed {
            None => Trainer::new(model, config, identity, device)?,
            Some((path, checkpoint)) => Trainer::resume(model, config, checkpoint, &path, identity, device)?,
        };
        Ok(Ready { out: &options.out, trainer, place })
    }
}

impl<M: Module> Ready<'_, M> {
    /// Trains.
    ///
    /// - `lost`: what was lost of the files that it reads
    ///
    /// # Errors
    /// When something cannot be read or written, or there are too many spikes.
    pub fn run<O: Objective<Model = M>>(
        self,
        config: &LoopConfig,
        inputs: &mut TrainingInputs<'_, O>,
        meter: ThroughputMeter,
        lost: &[Lost],
        progress: &mut dyn Progress,
    ) -> Result<TrainOutcome> {
        progress.on_start(config.steps);
        let place = self.place.as_ref().map(|(step, logs)| (*step, logs));
        let warmup = config.schedule.warmup(config.steps);
        if place.is_none() && warmup >= config.steps {
            progress.note(&format!(
                "the warm-up has {warmup} steps and the training {}: the learning rate never gets to its peak; fewer `warmup_steps`, or a \
                 `warmup_ratio`, help",
                config.steps
            ));
        }
        let mut log = Log::open(self.out, place, progress)?;
        if place.is_none() {
            lost.iter().try_for_each(|lost| log.lost(lost))?;
        }
        self.trainer.run(config, inputs, meter, self.out, &mut log)
    }
}

/// Checks the tables that every configuration of a training has.
///
/// # Errors
/// A number out of its range, at its key.
pub(super) fn check_loop(
    file: &TomlFile,
    settings: &[Setting],
    training: &TrainingConfig,
    learning_rate: &Schedule,
    optimizer: &OptimizerConfig,
) -> Result<()> {
    let named = |(key, message): (&str, String)| (key.to_owned(), message);
    let faults = [
        ("training", training.fault().map(named)),
        ("learning_rate", learning_rate.fault().map(named)),
        ("optimizer", optimizer.build().err()),
    ];
    for (table, fault) in faults {
        if let Some((key, message)) = fault {
            return Err(file.fault_of(&format!("{table}.{key}"), settings, message).into());
        }
    }
    Ok(())
}

/// What a training is: its configuration, but for where its data lies and how often something is written down.
///
/// - `json`: the configuration
/// - `order`: what the ids of the data and their order depend on, beside the files
/// - `hashes`: of the tokenizer and of the data
///
/// # Errors
/// When weights that it begins from cannot be read.
pub(super) fn identity(
    json: &serde_json::Value,
    order: serde_json::Value,
    (tokenizer, mixture): (String, String),
    pretrained: Option<&PretrainedModel>,
    threads: usize,
) -> Result<Identity> {
    let mut config = json.clone();
    if let Some(config) = config.as_object_mut() {
        config.insert("data".into(), order);
        if let Some(training) = config.get_mut("training").and_then(serde_json::Value::as_object_mut) {
            for name in FREE {
                training.remove(name);
            }
        }
    }
    let weights = pretrained.map(PretrainedModel::sha256).transpose()?.unwrap_or_default();
    Ok(Identity { config, tokenizer, mixture, threads, weights, base: None })
}

/// The checkpoint to go on with and where it lies, if that is wanted.
fn resumed(options: &Options, identity: &Identity) -> Result<Option<(PathBuf, Checkpoint)>> {
    let found = checkpoint::checkpoints(&options.out)?;
    match (options.resume, found.last()) {
        (false, None) => Ok(None),
        (false, Some(_)) => Err(Error::AlreadyTrained { path: options.out.clone() }),
        (true, None) => Err(Error::NoCheckpoint { path: options.out.clone() }),
        (true, Some(path)) => {
            let checkpoint = checkpoint::load(path)?;
            model_of(&checkpoint.identity, path)?;
            // a model that was imported has not been trained
            if !checkpoint.identity.config["training"].is_null() {
                configured::<TrainingConfig>(&checkpoint.identity, "training", path)?;
            }
            let differences = differences(&checkpoint.identity, identity, checkpoint.state.step);
            if differences.is_empty() {
                return Ok(Some((path.clone(), checkpoint)));
            }
            Err(Error::OtherTraining { path: path.clone(), differences, may_change: free_keys() })
        }
    }
}
