//! Direct preference optimization: a language model learns from ranked answers, held to the model that it was.
//!
//! ```text
//! prompt, answers, ranks -> ids -> log P(answer) by the model as it is    once, before the first step
//!                               -> batches -> steps
//! ```
//!
//! Useful for: decoders that were tuned on instructions, with all their weights or with adapters in their place. Not useful for: rewards that
//! somebody wants to see, or that are no comparisons of answers at hand; see [`super::reward`].
//!
//! Source: Rafailov et al. 2023.

use std::path::Path;

use burn::module::Module as _;
use schemars::JsonSchema;
use schemas::toml_file::{Defaults, Setting, Spanned, TomlFile};
use serde::Deserialize;

use super::{
    data::absolute,
    dpo_config::LossConfig,
    example_data::ExampleDataConfig,
    language_model::{LanguageModel as _, Trained},
    preference_data::PreferenceData,
    preset::{self, with_preset},
    samples::{generate_samples, sample_prompts},
    session::{Options, Session, check_loop, identity},
    training::TrainingConfig,
};
use crate::{
    data::{PreferenceBatch, PreferenceBatches, Preferences, by_like_length},
    error::{Error, Result},
    model::{Gpt, LoraConfig, ModelConfig, Transformer, named_shapes},
    objective::{DirectPreference, DirectScores, Evaluator, PreferenceScores, reference_log_probabilities},
    optimize::{OptimizerConfig, Schedule},
    trainer::{Progress, Sampler, ThroughputMeter, TrainOutcome, TrainingInputs},
};

/// Direct preference optimization as it is written. Paths start at the file's folder.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DpoConfig {
    /// Published numbers, for whatever is not written.
    #[serde(default)]
    pub preset: Option<DpoPreset>,
    /// The seed of every draw.
    pub seed: u64,
    /// Ranked answers: rows of `prompt`, `answers` and `ranks`, or of `prompt`, `chosen` and `rejected`.
    #[schemars(with = "ExampleDataConfig")]
    pub data: Spanned<ExampleDataConfig>,
    /// The model, which goes on `from` one that is there: that is the reference, too.
    #[schemars(with = "ModelConfig")]
    pub model: Spanned<ModelConfig>,
    /// Low-rank adapters, which are trained in place of the model.
    #[serde(default)]
    pub lora: Option<LoraConfig>,
    /// What is minimised.
    #[serde(default)]
    pub dpo: LossConfig,
    /// The training loop. `batch_size` and `evaluate_sequences` count prompts.
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
pub enum DpoPreset {
    /// Rafailov et al. 2023, appendix B: beta 0.1, batches of 64, `RMSprop` there and AdamW here at 1e-6 after 150 steps of warm-up; an epoch.
    Dpo,
}

impl DpoPreset {
    pub(super) fn defaults(self) -> Defaults {
        match self {
            Self::Dpo => Defaults {
                text: "[training]\nepochs = 1.0\nbatch_size = 64\n\
                       [learning_rate]\npeak = 1e-6\nshape = \"constant\"\nwarmup_steps = 150\n\
                       [optimizer]\nweight_decay = 0.0\n",
                alternatives: &[
                    ("training.steps", "training.epochs"),
                    ("learning_rate.warmup_ratio", "learning_rate.warmup_steps"),
                    ("optimizer.name", "optimizer.weight_decay"),
                ],
            },
        }
    }
}

/// What holds where nothing else is written.
const USUAL: Defaults = Defaults { text: "[training]\nevaluate_sequences = 500\n", alternatives: &[] };

/// A checked configuration: the data and the tokenizer are there.
#[derive(Debug, Clone)]
pub struct PreferenceTuning {
    config: DpoConfig,
    trained: Trained,
    json: serde_json::Value,
}

impl PreferenceTuning {
    /// Reads and checks a configuration, with `settings` in place of what it says. Paths in settings start at the current folder, like any path
    /// on the command line.
    ///
    /// # Errors
    /// An unknown key, a missing file, a model that is not there: with path, line and column.
    pub fn read(path: &Path, settings: &[Setting]) -> Result<Self> {
        let settings: Vec<Setting> = settings.iter().map(absolute).collect();
        let file = with_preset(TomlFile::read(path)?, &settings, DpoPreset::defaults)?.with_defaults(USUAL);
        let config: DpoConfig = file.parse(&settings)?;
        let mut json: serde_json::Value = file.parse(&settings)?;
        if let Some(json) = json.as_object_mut() {
            // what it stands for is written out
            json.remove(preset::KEY);
        }
        let DpoConfig { data, model, lora, dpo, training, learning_rate, optimizer, .. } = &config;
        let documents = Spanned::new(data.span(), data.get_ref().documents());
        let trained = Trained::check(&file, &settings, model, lora.as_ref(), &documents, &mut json)?;
        if trained.pretrained.is_none() {
            let message = "preferences are learnt by a model that writes already: `[model] from` names it";
            return Err(file.fault(model.span(), message).into());
        }
        if trained.architecture.has_encoder() {
            let message = "preferences are learnt by decoders, and this model has an encoder";
            return Err(file.fault(model.span(), message).into());
        }
        if let Some((key, message)) = dpo.fault() {
            return Err(file.fault_of(&format!("dpo.{key}"), &settings, message).into());
        }
        // a default that is not written is one that is, when the training goes on
        json["dpo"] = serde_json::to_value(dpo).expect("numbers are JSON");
        check_loop(&file, &settings, training, learning_rate, optimizer)?;
        let trained = trained.with_tasks(&file, &settings, training, config.seed)?;
        Ok(Self { config, trained, json })
    }
}

/// Trains, or goes on training.
///
/// # Errors
/// When the data, the folder or a checkpoint is at fault: the error names it.
pub fn prefer(training: &PreferenceTuning, options: &Options, progress: &mut dyn Progress) -> Result<TrainOutcome> {
    let PreferenceTuning { config, trained, json } = training;
    let Trained { architecture, pretrained, adaptation, data, tasks } = trained;
    let DpoConfig { seed, dpo, training: steps, learning_rate, optimizer, .. } = config;
    let hashed = data.hash()?;
    let pretrained = pretrained.as_deref().expect("a configuration without one was refused");
    let mut identity = identity(json, hashed.order(), hashed.hashes(), Some(pretrained), options.threads)?;
    let tokenizer = data.tokenizer();
    if let Some(adaptation) = adaptation {
        adaptation.record(&mut identity, pretrained, tokenizer)?;
    }
    let session = Session::begin(options, steps.precision, identity, progress)?;
    if let Some(note) = tokenizer.note() {
        progress.note(&note);
    }
    let mut preferences = PreferenceData::read(data, &hashed, architecture.context_length, *seed, progress)?;
    let together = (steps.batch_size / steps.gradient_accumulation).max(1);
    let padding = tokenizer.padding();
    {
        let device = options.device.open_for(steps.precision)?;
        let rows = pretrained.rows(tokenizer);
        let (reference, _) = pretrained.load_whole(architecture.zeros(rows, &device), *seed)?;
        let reference = Transformer::computing_in(trained.reference(reference, *seed)?, steps.precision);
        for (_, _, own) in &mut preferences.train {
            take_references(&reference, own, together, padding, pretrained.folder())?;
        }
        take_references(&reference, &mut preferences.validation, together, padding, pretrained.folder())?;
    }
    let model: Gpt = trained.initial_model(*seed, &session, progress)?;
    let model = Transformer::computing_in(model, steps.precision);
    tokenizer.save(&options.out)?;
    let (shapes, parameters) = (named_shapes(&model), model.num_params());
    let mut loop_config = steps.loop_config(*seed, *learning_rate, optimizer);
    let ready = session.with_model(model, &loop_config)?;
    let (count, mean_length) = (preferences.count(), preferences.mean_length());
    loop_config.ends_after(steps.steps_of(count), options.until);

    let PreferenceData { train, validation, lost } = preferences;
    let objective = DirectPreference { beta: dpo.beta, label_smoothing: dpo.label_smoothing, loss: dpo.loss };
    let scores = PreferenceScores::new(&validation, (*seed, steps.evaluate_sequences), together, padding);
    progress.note(&format!("evaluated on {} of {} prompts", scores.count(), validation.count()));
    let evaluator: Box<dyn Evaluator<Gpt> + '_> = Box::new(DirectScores { scores, objective });
    let evaluator = match tasks {
        Some(tasks) => Gpt::judged_by_tasks(evaluator, tasks, tokenizer),
        None => evaluator,
    };
    let samples = steps.samples.as_ref();
    let prompts = sample_prompts(samples, |prompt| tokenizer.prompt(prompt))?;
    let stops = tokenizer.ends().to_vec();
    let generate = |model: &Gpt, step| match samples {
        Some(samples) => generate_samples(model, step, samples, (&prompts, &stops), *seed, tokenizer),
        None => Ok(Vec::new()),
    };
    let sampler = samples.map(|samples| Sampler { every: samples.every, generate: &generate });
    let mut batches = PreferenceBatches::new(train, steps.batch_size, padding, *seed, steps.end_of(count));
    let spared = adaptation.as_ref().map_or(0.0, |adaptation| adaptation.spared_flops(parameters));
    let flops = Gpt::flops_per_token(&shapes, architecture, [0, mean_length]) - spared;
    let meter = ThroughputMeter::new(flops, steps.peak_tflops);
    let mut inputs = TrainingInputs { objective, batches: &mut batches, evaluator: &*evaluator, sampler };
    ready.run(&loop_config, &mut inputs, meter, &lost, progress)
}

/// Takes the log-probabilities of answers by the reference.
///
/// - `folder`: where the reference lies
///
/// # Errors
/// When one of them is no number: the model cannot be held to such a reference.
fn take_references(
    reference: &Gpt,
    preferences: &mut Preferences,
    batch_size: usize,
    padding: u32,
    folder: &Path,
) -> Result<()> {
    let by_number = by_like_length(
        preferences.count(),
        batch_size,
        |number| preferences.longest(number),
        |numbers| {
            let answers: Vec<_> = numbers.iter().map(|number| preferences.get(*number)).collect();
            let batch = PreferenceBatch::new(&answers, padding);
            let mut found = reference_log_probabilities(reference, &batch).into_iter();
            answers.iter().map(|answers| found.by_ref().take(answers.len()).collect::<Vec<f32>>()).collect()
        },
    );
    let all: Vec<f32> = by_number.into_iter().flatten().collect();
    if let Some(value) = all.iter().find(|value| !value.is_finite()) {
        let message = format!("it gives an answer a log-probability of {value}, and nothing can be held to that");
        return Err(Error::Data { path: folder.to_owned(), message });
    }
    preferences.set_references(all);
    Ok(())
}
