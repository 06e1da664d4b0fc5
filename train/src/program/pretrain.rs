//! Pretraining: a language model on a text mixture, from nothing or from a model that is there.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use burn::{module::Module, tensor::Device};
use schemars::JsonSchema;
use schemas::toml_file::{Setting, Spanned, TomlFile};
use serde::{Deserialize, de::DeserializeOwned};

use super::{
    data::{DataConfig, HashedData, TrainingData, absolute},
    differences::{differences, free_keys},
    pretrained_model::PretrainedModel,
    training::{FREE, TrainingConfig},
};
use crate::{
    checkpoint::{self, Checkpoint, Identity, Which},
    data::{Batches, EvalSet, TokenCache},
    device::DeviceName,
    error::{Error, Result},
    generate::{LoadedModel, Sampling, StoppingCriteria, generate},
    model::{Architecture, Family, Gpt, ModelConfig},
    objective::NextToken,
    optimize::{OptimizerConfig, Schedule},
    tokenizer::{self, Tokenizer},
    trainer::{
        GeneratedSample, Log, Progress, Sampler, SamplesConfig, ThroughputMeter, TrainOutcome, Trainer, TrainingInputs,
        flops_per_token,
    },
};

/// A pretraining as it is written. Paths start at the file's folder.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PretrainConfig {
    /// The seed of every draw.
    pub seed: u64,
    /// The training data.
    #[schemars(with = "DataConfig")]
    pub data: Spanned<DataConfig>,
    /// The model.
    #[schemars(with = "ModelConfig")]
    pub model: Spanned<ModelConfig>,
    /// The training loop.
    pub training: TrainingConfig,
    /// The learning rate.
    pub learning_rate: Schedule,
    /// The optimizer.
    #[serde(default)]
    pub optimizer: OptimizerConfig,
}

/// How a pretraining is run.
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

/// A checked configuration: the data and the tokenizer are there.
#[derive(Debug, Clone)]
pub struct Pretraining {
    config: PretrainConfig,
    architecture: Architecture,
    /// What it goes on from.
    pretrained: Option<Arc<PretrainedModel>>,
    json: serde_json::Value,
    data: TrainingData,
}

impl Pretraining {
    /// Reads and checks a configuration, with `settings` in place of what it says. Paths in settings start at the current
    /// folder, like any path on the command line.
    ///
    /// # Errors
    /// An unknown key, a missing file, a model that cannot be built: with path, line and column.
    pub fn read(path: &Path, settings: &[Setting]) -> Result<Self> {
        let file = TomlFile::read(path)?;
        let settings: Vec<Setting> = settings.iter().map(absolute).collect();
        let config: PretrainConfig = file.parse(&settings)?;
        let mut json: serde_json::Value = file.parse(&settings)?;
        let mut model = config.model.get_ref().clone();
        let pretrained = PretrainedModel::named(&file, &settings, &mut model)?;
        let tokenizer = pretrained.as_ref().and_then(PretrainedModel::tokenizer);
        let data = TrainingData::check(&file, &config.data, tokenizer.as_deref())?;
        if let Some(pretrained) = &pretrained {
            if let Some(fault) = pretrained.tokenizer_fault(data.tokenizer())? {
                return Err(file.fault_of("data.tokenizer", &settings, fault).into());
            }
            // what is trained is this model, wherever it lay
            json["model"] = serde_json::to_value(&model).expect("a configuration is JSON");
        }
        let architecture = model.architecture().map_err(|message| file.fault(config.model.span(), message))?;
        if architecture.has_encoder() {
            let message = "a model with an encoder learns from sources and targets, and here are texts alone";
            return Err(file.fault(config.model.span(), message).into());
        }
        let named = |(key, message): (&str, String)| (key.to_owned(), message);
        let faults = [
            ("training", config.training.fault().map(named)),
            ("learning_rate", config.learning_rate.fault().map(named)),
            ("optimizer", config.optimizer.build().err()),
        ];
        for (table, fault) in faults {
            if let Some((key, message)) = fault {
                return Err(file.fault_of(&format!("{table}.{key}"), &settings, message).into());
            }
        }
        Ok(Self { config, architecture, pretrained: pretrained.map(Arc::new), json, data })
    }

    /// Steps in all.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.config.training.steps
    }
}

/// Trains, or goes on training.
///
/// # Errors
/// When the data, the folder or a checkpoint is at fault: the error names it.
pub fn pretrain(pretraining: &Pretraining, options: &Options, progress: &mut dyn Progress) -> Result<TrainOutcome> {
    let Pretraining { config, architecture, data, .. } = pretraining;
    let precision = config.training.precision;
    let device = options.device.open_for(precision)?.autodiff();
    let data = data.hash()?;
    let identity = identity(pretraining, &data, options)?;
    let resumed = resumed(options, &identity)?;
    if let Some((_, checkpoint)) = &resumed
        && checkpoint.identity.threads != options.threads
    {
        let (begun, threads) = (checkpoint.identity.threads, options.threads);
        progress.note(&format!(
            "begun with {begun} threads, resumed with {threads}: weights may differ in their last bits"
        ));
    }

    let tokenizer = pretraining.data.tokenizer();
    if let Some(note) = tokenizer.note() {
        progress.note(&note);
    }
    let model = initial_model(pretraining, resumed.is_some(), &device, progress)?.computing_in(precision);
    tokenizer.save(&options.out)?;

    let loop_config = config.training.loop_config(options.until, config.seed, config.learning_rate, &config.optimizer);
    let flops = flops_per_token(
        model.num_params(),
        architecture.num_layers,
        architecture.hidden_size,
        architecture.context_length,
    );
    let place = resumed.as_ref().map(|(_, checkpoint)| (checkpoint.state.step, checkpoint.logs.clone()));
    // what does not fit together is told before anything is tokenized
    let trainer = match resumed {
        None => Trainer::new(model, &loop_config, identity, device)?,
        Some((path, checkpoint)) => Trainer::resume(model, &loop_config, checkpoint, &path, identity, device)?,
    };

    let (training, mut eval_sets, lost) = {
        let folder = options.cache.clone().unwrap_or_else(|| options.out.join("tokens"));
        let mut note = |text: &str| progress.note(text);
        let mut cache = TokenCache::new(&folder, tokenizer, &mut note);
        let most = config.training.evaluate_sequences;
        let training = data.training(architecture.context_length, config.seed, &mut cache)?;
        let together = config.training.batch_size / config.training.gradient_accumulation;
        let eval_sets = data.eval_sets(architecture.context_length, config.seed, most, together, &mut cache)?;
        (training, eval_sets, cache.lost().to_vec())
    };
    eval_sets.bytes_per_token = Some(bytes_per_token(&eval_sets.validation, tokenizer)?);
    let mut batches = Batches::new(training, config.training.batch_size);

    let generate_samples = |model: &Gpt, step| match &config.training.samples {
        Some(samples) => sample(model, step, samples, config.seed, tokenizer),
        None => Ok(Vec::new()),
    };
    let samples = config.training.samples.as_ref();
    let sampler = samples.map(|samples| Sampler { every: samples.every, generate: &generate_samples });

    let meter = ThroughputMeter::new(flops, config.training.peak_tflops);
    let place = place.as_ref().map(|(step, logs)| (*step, logs));
    let mut log = Log::open(&options.out, place, progress)?;
    if place.is_none() {
        lost.iter().try_for_each(|lost| log.lost(lost))?;
    }
    let mut inputs = TrainingInputs { objective: NextToken, batches: &mut batches, evaluator: &eval_sets, sampler };
    trainer.run(&loop_config, &mut inputs, meter, &options.out, &mut log)
}

/// The model that a training begins with; zeros, where it `goes_on` from a checkpoint with weights of its own.
fn initial_model(
    pretraining: &Pretraining,
    goes_on: bool,
    device: &Device,
    progress: &mut dyn Progress,
) -> Result<Gpt> {
    let Pretraining { config, architecture, pretrained, data, .. } = pretraining;
    let tokenizer = data.tokenizer();
    let rows = pretrained.as_ref().map_or_else(|| tokenizer.vocab_size(), |pretrained| pretrained.rows(tokenizer));
    let Some(pretrained) = pretrained.as_ref().filter(|_| !goes_on) else {
        let model = if goes_on {
            // the checkpoint has the weights
            architecture.zeros(rows, device)
        } else {
            architecture.init(rows, config.seed, device)
        };
        return Ok(model);
    };
    let model = architecture.zeros(rows, device);
    pretrained.notes().iter().for_each(|note| progress.note(note));
    let (model, loaded) = pretrained.load_whole(model, config.seed)?;
    progress.note(&format!("begins from {pretrained}: {loaded}"));
    Ok(model)
}

/// What a model generates after each prompt.
fn sample(
    model: &Gpt,
    step: u64,
    config: &SamplesConfig,
    seed: u64,
    tokenizer: &Tokenizer,
) -> Result<Vec<GeneratedSample>> {
    let sampling = Sampling { temperature: config.temperature, top_k: 0, top_p: 1.0, seed };
    let prompts = config.prompts.iter().map(|prompt| tokenizer.prompt(prompt)).collect::<Result<Vec<_>>>()?;
    let suppressed = tokenizer.unused(model.vocab_size());
    let criteria = StoppingCriteria {
        max_new_tokens: config.tokens,
        bos: tokenizer.before_text(),
        eos: tokenizer.ends(),
        suppressed: &suppressed,
        should_stop: &|_| false,
    };
    let texts = generate(model, &prompts, sampling, &criteria);
    let sample = |((prompt, ids), new): ((&String, &Vec<u32>), Vec<u32>)| {
        Ok(GeneratedSample { step, prompt: prompt.clone(), text: tokenizer.continuation(ids, &new)? })
    };
    config.prompts.iter().zip(&prompts).zip(texts).map(sample).collect()
}

/// The model and tokenizer of a checkpoint in a folder, ready to generate.
///
/// # Errors
/// When there is no such checkpoint, or it is damaged.
pub fn load(out: &Path, which: Which, device: DeviceName) -> Result<(LoadedModel, Tokenizer)> {
    let checkpoint = checkpoint::find(out, which)?;
    let device = device.open()?;
    let tokenizer = Tokenizer::load(&out.join(tokenizer::FILE))?;
    let folder = out.join("checkpoints");
    // an embedding may have more rows than there are tokens
    let rows = checkpoint.model.iter().find(|named| named.name == "tokens").map_or(0, |table| table.shape[0]);
    if tokenizer.vocab_size() > rows {
        let (last, message) = (tokenizer.vocab_size() - 1, "the tokenizer beside it has ids up to");
        return Err(Error::Damaged {
            path: folder,
            message: format!("its model knows {rows} tokens, and {message} {last}"),
        });
    }
    let architecture = model_of(&checkpoint, &folder)?.1;
    let model = if architecture.has_encoder() {
        let model = architecture.zeros_encoder_decoder(rows, &device);
        LoadedModel::EncoderDecoder(checkpoint::with_weights(model, checkpoint.model, &folder)?.valid().into())
    } else {
        let model = architecture.zeros(rows, &device);
        LoadedModel::Decoder(checkpoint::with_weights(model, checkpoint.model, &folder)?.valid().into())
    };
    Ok((model, tokenizer))
}

/// The family and the architecture of a checkpoint's model.
pub(super) fn model_of(checkpoint: &Checkpoint, path: &Path) -> Result<(Family, Architecture)> {
    let config: ModelConfig = configured(checkpoint, "model", path)?;
    let damaged = |message| Error::Damaged { path: path.to_owned(), message };
    Ok((config.family().map_err(damaged)?, config.architecture().map_err(damaged)?))
}

/// A table of a checkpoint's configuration.
fn configured<T: DeserializeOwned>(checkpoint: &Checkpoint, table: &str, path: &Path) -> Result<T> {
    serde_json::from_value(checkpoint.identity.config[table].clone())
        .map_err(|error| Error::OtherVersion { path: path.to_owned(), message: error.to_string() })
}

/// What this training is.
fn identity(pretraining: &Pretraining, data: &HashedData, options: &Options) -> Result<Identity> {
    let mut config = pretraining.json.clone();
    // where the data lies does not matter, and neither does how often something is written down
    if let Some(config) = config.as_object_mut() {
        config.insert("data".into(), data.order());
        if let Some(training) = config.get_mut("training").and_then(serde_json::Value::as_object_mut) {
            for name in FREE {
                training.remove(name);
            }
        }
    }
    let (tokenizer, mixture) = data.hashes();
    let weights = pretraining.pretrained.as_ref().map(|pretrained| pretrained.sha256()).transpose()?;
    Ok(Identity { config, tokenizer, mixture, threads: options.threads, weights: weights.unwrap_or_default() })
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
            model_of(&checkpoint, path)?;
            // a model that was imported has not been trained
            if !checkpoint.identity.config["training"].is_null() {
                configured::<TrainingConfig>(&checkpoint, "training", path)?;
            }
            let differences = differences(&checkpoint.identity, identity, checkpoint.state.step);
            if differences.is_empty() {
                return Ok(Some((path.clone(), checkpoint)));
            }
            Err(Error::OtherTraining { path: path.clone(), differences, may_change: free_keys() })
        }
    }
}

/// Bytes of text for each token of the validation data.
fn bytes_per_token(validation: &EvalSet, tokenizer: &Tokenizer) -> Result<f64> {
    let (mut bytes, mut tokens) = (0.0, 0.0);
    for (factor, batch) in validation.batches(usize::MAX) {
        let with_loss = batch.targets.iter().zip(&batch.weights).filter(|(_, weight)| **weight > 0.0);
        let ids: Vec<u32> = with_loss.map(|(id, _)| u32::try_from(*id).expect("ids count from 0")).collect();
        bytes += factor * tokenizer.decode(&ids)?.len() as f64;
        tokens += factor * ids.len() as f64;
    }
    Ok(bytes / tokens)
}
