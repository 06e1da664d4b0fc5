//! Instruction tuning: a language model learns to answer, from prompts with completions and from conversations.
//!
//! ```text
//! prompt, completion ----------------------------> ids, with loss on the completion
//! messages -> chat template -> turns ------------> ids, with loss on what the assistant says    -> sequences -> steps
//! ```
//!
//! Teacher forcing: the model reads each example as it is, and the loss is the cross-entropy of the tokens that it should have said, a mean
//! over those of the batch. Examples are packed; none attends to another, and positions begin anew at each.
//!
//! Useful for: decoders, with all their weights or with adapters in their place. Not useful for: models with an encoder, which learn from sources and targets.
//!
//! Source: Wei et al. 2021 (FLAN); Ouyang et al. 2022 (`InstructGPT`), section 3.5.

use std::{path::Path, sync::Arc};

use burn::module::Module as _;
use schemars::JsonSchema;
use schemas::toml_file::{Defaults, Setting, Spanned, TomlFile};
use serde::Deserialize;

use super::{
    adaptation::Adaptation,
    data::{Examples, TrainingData, absolute},
    decoder::{Beginning, initial_model},
    pretrained_model::PretrainedModel,
    samples::{generate_samples, sample_prompts},
    session::{Options, Session, check_loop, identity},
    training::TrainingConfig,
    tuning_data::TuningDataConfig,
};
use crate::{
    data::Batches,
    error::Result,
    model::{Architecture, Gpt, LoraConfig, ModelConfig},
    objective::NextToken,
    optimize::{OptimizerConfig, Schedule},
    tokenizer::Message,
    trainer::{Progress, Sampler, ThroughputMeter, TrainOutcome, TrainingInputs, flops_per_token},
};

/// Instruction tuning as it is written. Paths start at the file's folder.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TuneConfig {
    /// The seed of every draw.
    pub seed: u64,
    /// Published numbers, for whatever is not written.
    #[serde(default)]
    pub preset: Option<TunePreset>,
    /// The examples.
    #[schemars(with = "TuningDataConfig")]
    pub data: Spanned<TuningDataConfig>,
    /// The model, which goes on `from` one that is there, as a rule.
    #[schemars(with = "ModelConfig")]
    pub model: Spanned<ModelConfig>,
    /// Low-rank adapters, which are trained in place of the model that it goes on from.
    #[serde(default)]
    pub lora: Option<LoraConfig>,
    /// The training loop. `steps`, `epochs` and `batch_size` count sequences, of several examples each where they are packed.
    pub training: TrainingConfig,
    /// The learning rate.
    pub learning_rate: Schedule,
    /// The optimizer.
    #[serde(default)]
    pub optimizer: OptimizerConfig,
}

/// Published numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum TunePreset {
    /// FLAN on LaMDA-PT, a decoder (Wei et al. 2021, section 2.4): 30,000 steps of 8,192 tokens, which are 8 sequences of 1,024; Adafactor
    /// at 3e-5. That the rate is constant, and no share of a parameter's size, is our reading: neither is said there.
    Flan,
    /// `InstructGPT`'s first step, for 1.3 and 6 billion parameters (Ouyang et al. 2022, section 3.5 and appendix C.1): 16 epochs of 32
    /// examples, residual dropout of 0.2, 9.65e-6 with a cosine down to a tenth and no warm-up, Adam with 0.9 and 0.95 and, since none is
    /// named, no weight decay. There a batch is of examples: `packing = "padded"` has them so.
    InstructGpt,
}

impl TunePreset {
    fn defaults(self) -> Defaults {
        match self {
            Self::Flan => Defaults {
                text: "[training]\nsteps = 30000\nbatch_size = 8\n\
                       [learning_rate]\npeak = 3e-5\nshape = \"constant\"\n\
                       [optimizer]\nname = \"adafactor\"\nscale_parameter = false\n",
                alternatives: &[("training.epochs", "training.steps"), ("optimizer.name", "optimizer.scale_parameter")],
            },
            Self::InstructGpt => Defaults {
                text: "[model]\ndropout = 0.2\n\
                       [training]\nepochs = 16.0\nbatch_size = 32\n\
                       [learning_rate]\npeak = 9.65e-6\nshape = \"cosine\"\nfinal_share = 0.1\n\
                       [optimizer]\nname = \"adamw\"\nbeta1 = 0.9\nbeta2 = 0.95\nweight_decay = 0.0\n",
                alternatives: &[
                    ("training.steps", "training.epochs"),
                    ("optimizer.name", "optimizer.beta1"),
                    ("optimizer.name", "optimizer.beta2"),
                    ("optimizer.name", "optimizer.weight_decay"),
                ],
            },
        }
    }
}

/// What of a configuration says which numbers stand for those that are not written.
#[derive(Debug, Deserialize)]
struct Preset {
    preset: Option<TunePreset>,
}

/// A checked configuration: the data and the tokenizer are there.
#[derive(Debug, Clone)]
pub struct Tuning {
    config: TuneConfig,
    architecture: Architecture,
    /// What it goes on from.
    pretrained: Option<Arc<PretrainedModel>>,
    /// What is trained in its place.
    adaptation: Option<Adaptation>,
    json: serde_json::Value,
    data: TrainingData,
    examples: Examples,
}

impl Tuning {
    /// Reads and checks a configuration, with `settings` in place of what it says. Paths in settings start at the current
    /// folder, like any path on the command line.
    ///
    /// # Errors
    /// An unknown key, a missing file, a model that cannot be built: with path, line and column.
    pub fn read(path: &Path, settings: &[Setting]) -> Result<Self> {
        let settings: Vec<Setting> = settings.iter().map(absolute).collect();
        let mut file = TomlFile::read(path)?;
        if let Some(preset) = file.parse::<Preset>(&settings)?.preset {
            file = file.with_defaults(preset.defaults());
        }
        let config: TuneConfig = file.parse(&settings)?;
        let mut json: serde_json::Value = file.parse(&settings)?;
        // its numbers stand there, and say the same
        json.as_object_mut().map(|config| config.remove("preset"));
        let mut model = config.model.get_ref().clone();
        let pretrained = PretrainedModel::named(&file, &settings, &mut model)?;
        let tokenizer = pretrained.as_ref().and_then(PretrainedModel::tokenizer);
        let documents = Spanned::new(config.data.span(), config.data.get_ref().documents());
        let data = TrainingData::check(&file, &documents, tokenizer.as_deref())?;
        if let Some(pretrained) = &pretrained {
            if let Some(fault) = pretrained.tokenizer_fault(data.tokenizer())? {
                return Err(file.fault_of("data.tokenizer", &settings, fault).into());
            }
            // what is trained is this model, wherever it lay
            json["model"] = serde_json::to_value(&model).expect("a configuration is JSON");
        }
        let architecture = model.architecture().map_err(|message| file.fault(config.model.span(), message))?;
        if architecture.has_encoder() {
            let message = "a model with an encoder learns from sources and targets, and here decoders alone are tuned";
            return Err(file.fault(config.model.span(), message).into());
        }
        let adaptation = Adaptation::named(&file, &settings, config.lora.as_ref(), &model, pretrained.as_ref())?;
        if let Some(adaptation) = &adaptation {
            json["lora"] = adaptation.json();
        }
        let TuneConfig { training, learning_rate, optimizer, .. } = &config;
        check_loop(&file, &settings, training, learning_rate, optimizer)?;
        let examples = config.data.get_ref().examples(&file, data.tokenizer())?;
        let data = data.with_examples(examples.clone());
        Ok(Self { config, architecture, pretrained: pretrained.map(Arc::new), adaptation, json, data, examples })
    }
}

/// Tunes a model, or goes on tuning it.
///
/// # Errors
/// When the data, the folder or a checkpoint is at fault: the error names it.
pub fn tune(tuning: &Tuning, options: &Options, progress: &mut dyn Progress) -> Result<TrainOutcome> {
    let Tuning { config, architecture, pretrained, adaptation, json, data, examples } = tuning;
    let TuneConfig { seed, training, learning_rate, optimizer, .. } = config;
    let hashed = data.hash()?;
    let mut identity = identity(json, hashed.order(), hashed.hashes(), pretrained.as_deref(), options.threads)?;
    if let (Some(adaptation), Some(pretrained)) = (adaptation, pretrained) {
        adaptation.record(&mut identity, pretrained, data.tokenizer())?;
    }
    let session = Session::begin(options, training.precision, identity, progress)?;

    let tokenizer = data.tokenizer();
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

    let (sequences, eval_sets, has_conversations, lost) = {
        let mut note = |text: &str| progress.note(text);
        let mut cache = data.cache(&options.cache(), &mut note);
        let sequences = hashed.training(architecture.context_length, *seed, &mut cache)?;
        let (most, together) = (training.evaluate_sequences, training.batch_size / training.gradient_accumulation);
        let eval_sets = hashed.eval_sets(architecture.context_length, *seed, most, together, &mut cache)?;
        (sequences, eval_sets, cache.has_conversations(), cache.lost().to_vec())
    };
    let template = &examples.chat_template;
    if has_conversations {
        progress.note(&format!("conversations are written by the chat template {}", template.place()));
        // whoever asks the model asks it so
        template.save_with(tokenizer, &options.out)?;
    }
    loop_config.ends_after(training.steps_of(sequences.count()), options.until);
    let mut batches = Batches::new(sequences, training.batch_size);

    let samples = training.samples.as_ref();
    let prompts = sample_prompts(samples, |prompt| {
        if has_conversations {
            template.prompt(tokenizer, &[Message { role: "user".into(), content: prompt.into() }])
        } else {
            tokenizer.prompt(prompt)
        }
    })?;
    let generate = |model: &Gpt, step| match samples {
        Some(samples) => generate_samples(model, step, samples, &prompts, *seed, tokenizer),
        None => Ok(Vec::new()),
    };
    let sampler = samples.map(|samples| Sampler { every: samples.every, generate: &generate });
    let meter = ThroughputMeter::new(flops, training.peak_tflops);
    let mut inputs = TrainingInputs { objective: NextToken, batches: &mut batches, evaluator: &eval_sets, sampler };
    ready.run(&loop_config, &mut inputs, meter, &lost, progress)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{data::Packing, optimize::OptimizerName};

    fn parsed(written: &str, preset: TunePreset) -> TuneConfig {
        let file = TomlFile::from_text("tune.toml", format!("seed = 1\n[data]\nmixture = \"rows\"\n{written}"));
        file.with_defaults(preset.defaults()).parse(&[]).expect("it is whole")
    }

    /// A preset has all that a training needs; what is written goes before it, and takes with it what would not fit.
    #[test]
    fn presets_are_defaults() {
        let config = parsed("", TunePreset::InstructGpt);
        assert_eq!((config.training.epochs, config.training.steps, config.training.batch_size), (Some(16.0), None, 32));
        assert_eq!((config.model.get_ref().dropout, config.optimizer.beta2), (Some(0.2), Some(0.95)));
        let data = config.data.get_ref();
        assert!(data.packing == Packing::BestFit && data.document_masking);

        let config = parsed("[training]\nsteps = 5\n[optimizer]\nname = \"muon\"", TunePreset::InstructGpt);
        assert_eq!((config.training.epochs, config.training.steps), (None, Some(5)));
        assert_eq!((config.optimizer.name, config.optimizer.beta1), (OptimizerName::Muon, None));
        config.optimizer.build().expect("its keys are its own");

        let config = parsed("[training]\nepochs = 2.0", TunePreset::Flan);
        assert_eq!((config.training.epochs, config.training.steps, config.training.batch_size), (Some(2.0), None, 8));
        assert_eq!(config.optimizer.scale_parameter, Some(false));
    }
}
