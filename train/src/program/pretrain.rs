//! Pretraining: a language model on a text mixture, from nothing or from a model that is there.

use std::{path::Path, sync::Arc};

use burn::module::Module as _;
use schemars::JsonSchema;
use schemas::toml_file::{Setting, Spanned, TomlFile};
use serde::Deserialize;

use super::{
    adaptation::Adaptation,
    data::{DataConfig, TrainingData, absolute},
    decoder::{Beginning, initial_model},
    pretrained_model::PretrainedModel,
    samples::{generate_samples, sample_prompts},
    session::{Options, Session, check_loop, identity},
    training::TrainingConfig,
};
use crate::{
    data::{Batches, EvalSet},
    error::Result,
    model::{Architecture, Gpt, LoraConfig, ModelConfig},
    objective::NextToken,
    optimize::{OptimizerConfig, Schedule},
    tokenizer::Tokenizer,
    trainer::{Progress, Sampler, ThroughputMeter, TrainOutcome, TrainingInputs, flops_per_token},
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
    /// Low-rank adapters, which are trained in place of the model that it goes on from.
    #[serde(default)]
    pub lora: Option<LoraConfig>,
    /// The training loop.
    pub training: TrainingConfig,
    /// The learning rate.
    pub learning_rate: Schedule,
    /// The optimizer.
    #[serde(default)]
    pub optimizer: OptimizerConfig,
}

/// A checked configuration: the data and the tokenizer are there.
#[derive(Debug, Clone)]
pub struct Pretraining {
    config: PretrainConfig,
    architecture: Architecture,
    /// What it goes on from.
    pretrained: Option<Arc<PretrainedModel>>,
    /// What is trained in its place.
    adaptation: Option<Adaptation>,
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
        let adaptation = Adaptation::named(&file, &settings, config.lora.as_ref(), &model, pretrained.as_ref())?;
        if let Some(adaptation) = &adaptation {
            json["lora"] = adaptation.json();
        }
        let PretrainConfig { training, learning_rate, optimizer, .. } = &config;
        check_loop(&file, &settings, training, learning_rate, optimizer)?;
        Ok(Self { config, architecture, pretrained: pretrained.map(Arc::new), adaptation, json, data })
    }
}

/// Trains, or goes on training.
///
/// # Errors
/// When the data, the folder or a checkpoint is at fault: the error names it.
pub fn pretrain(pretraining: &Pretraining, options: &Options, progress: &mut dyn Progress) -> Result<TrainOutcome> {
    let Pretraining { config, architecture, data, pretrained, adaptation, json } = pretraining;
    let PretrainConfig { seed, training, learning_rate, optimizer, .. } = config;
    let data = data.hash()?;
    let mut identity = identity(json, data.order(), data.hashes(), pretrained.as_deref(), options.threads)?;
    if let (Some(adaptation), Some(pretrained)) = (adaptation, pretrained) {
        adaptation.record(&mut identity, pretrained, pretraining.data.tokenizer())?;
    }
    let session = Session::begin(options, training.precision, identity, progress)?;

    let tokenizer = pretraining.data.tokenizer();
    if let Some(note) = tokenizer.note() {
        progress.note(&note);
    }
    let begins = Beginning { pretrained: pretrained.as_deref(), adaptation: adaptation.as_ref() };
    let model = initial_model(architecture, begins, tokenizer, *seed, &session, progress)?;
    let model = model.computing_in(training.precision);
    tokenizer.save(&options.out)?;
    let flops = flops_per_token(
        model.num_params(),
        architecture.num_layers,
        architecture.hidden_size,
        architecture.context_length,
    ) - adaptation.as_ref().map_or(0.0, |adaptation| adaptation.spared_flops(model.num_params()));
    // what does not fit together is told before anything is tokenized
    let mut loop_config = training.loop_config(*seed, *learning_rate, optimizer);
    let ready = session.with_model(model, &loop_config)?;

    let (sequences, mut eval_sets, lost) = {
        let mut note = |text: &str| progress.note(text);
        let mut cache = pretraining.data.cache(&options.cache(), &mut note);
        let sequences = data.training(architecture.context_length, *seed, &mut cache)?;
        let (most, together) = (training.evaluate_sequences, training.batch_size / training.gradient_accumulation);
        let eval_sets = data.eval_sets(architecture.context_length, *seed, most, together, &mut cache)?;
        (sequences, eval_sets, cache.lost().to_vec())
    };
    eval_sets.bytes_per_token = Some(bytes_per_token(&eval_sets.validation, tokenizer)?);
    loop_config.ends_after(training.steps_of(sequences.count()), options.until);
    let mut batches = Batches::new(sequences, training.batch_size);

    let samples = training.samples.as_ref();
    let prompts = sample_prompts(samples, |prompt| tokenizer.prompt(prompt))?;
    let generate = |model: &Gpt, step| match samples {
        Some(samples) => generate_samples(model, step, samples, &prompts, *seed, tokenizer),
        None => Ok(Vec::new()),
    };
    let sampler = samples.map(|samples| Sampler { every: samples.every, generate: &generate });
    let meter = ThroughputMeter::new(flops, training.peak_tflops);
    let mut inputs = TrainingInputs { objective: NextToken, batches: &mut batches, evaluator: &eval_sets, sampler };
    ready.run(&loop_config, &mut inputs, meter, &lost, progress)
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
