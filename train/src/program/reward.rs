//! Reward models: a language model with a head that gives answers numbers, trained on how people ranked them.
//!
//! ```text
//! prompt, answers, ranks -> ids -> batches -> steps -> a checkpoint
//! demonstrations         -> their rewards           -> the shift by which their mean is 0     reward.json
//! validation             -> its rewards             -> accuracy, calibration, lengths         evaluation.json, card.md
//! ```
//!
//! Source: Ouyang et al. 2022 (`InstructGPT`), section 3.5.

use std::path::{Path, PathBuf};

use burn::module::Module as _;
use schemars::JsonSchema;
use schemas::toml_file::{Defaults, Setting, Spanned, TomlFile};
use serde::{Deserialize, Serialize};
use serde_json::json;
use system::AtomicFile;

use super::{
    data::absolute,
    example_data::ExampleDataConfig,
    language_model::Trained,
    preference_data::PreferenceData,
    preset::{self, with_preset},
    reward_evaluation::{RewardEvaluation, evaluate},
    session::{Options, Session, check_loop, identity},
    trained_reward_model::{Demonstrations, Normalization, TrainedRewardModel},
    training::TrainingConfig,
};
use crate::{
    checkpoint::Which,
    data::PreferenceBatches,
    error::Result,
    model::{Architecture, ModelConfig, RewardModel},
    objective::{PreferenceScores, Ranking},
    optimize::{OptimizerConfig, Schedule},
    trainer::{Progress, ThroughputMeter, TrainOutcome, TrainingInputs, flops_per_token},
};

/// A reward model's training as it is written. Paths start at the file's folder.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RewardConfig {
    /// Published numbers, for whatever is not written.
    #[serde(default)]
    pub preset: Option<RewardPreset>,
    /// The seed of every draw.
    pub seed: u64,
    /// Ranked answers: rows of `prompt`, `answers` and `ranks`, or of `prompt`, `chosen` and `rejected`.
    #[schemars(with = "ExampleDataConfig")]
    pub data: Spanned<ExampleDataConfig>,
    /// The language model, which goes on `from` one that is there, as a rule.
    #[schemars(with = "ModelConfig")]
    pub model: Spanned<ModelConfig>,
    /// What rewards are made to be.
    #[serde(default)]
    pub reward: HeadConfig,
    /// The training loop. `batch_size` and `evaluate_sequences` count prompts, each with all of its answers; and by default a spike is a loss
    /// that is no number, since that of few prompts varies.
    pub training: TrainingConfig,
    /// The learning rate.
    pub learning_rate: Schedule,
    /// The optimizer.
    #[serde(default)]
    pub optimizer: OptimizerConfig,
}

/// What rewards are made to be, which a ranking leaves open.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HeadConfig {
    /// Rows of `prompt` and `completion` whose mean reward is 0 after the training. [default: the best answers of what it is trained on]
    #[serde(default)]
    #[schemars(with = "Option<PathBuf>")]
    pub demonstrations: Option<Spanned<PathBuf>>,
}

/// Published numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum RewardPreset {
    /// `InstructGPT`'s reward model of 6 billion parameters (Ouyang et al. 2022, appendix C.2): one epoch of 64 prompts a step, 9e-6 with a
    /// cosine down to a tenth, Adam with 0.9 and 0.95 and, since none is named, no weight decay.
    InstructGpt,
}

impl RewardPreset {
    pub(super) fn defaults(self) -> Defaults {
        match self {
            Self::InstructGpt => Defaults {
                text: "[training]\nepochs = 1.0\nbatch_size = 64\n\
                       [learning_rate]\npeak = 9e-6\nshape = \"cosine\"\nfinal_share = 0.1\n\
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

/// What holds for every reward model where nothing else is written.
const USUAL: Defaults = Defaults {
    text: "
        [training]
        evaluate_sequences = 500
        [training.spikes]
        deviations = 1e9
    ",
    alternatives: &[],
};

/// A checked configuration: the data and the tokenizer are there.
#[derive(Debug, Clone)]
pub struct RewardTraining {
    config: RewardConfig,
    trained: Trained,
    json: serde_json::Value,
    /// The file of demonstrations.
    demonstrations: Option<PathBuf>,
}

impl RewardTraining {
    /// Reads and checks a configuration, with `settings` in place of what it says. Paths in settings start at the current folder, like any path
    /// on the command line.
    ///
    /// # Errors
    /// An unknown key, a missing file, a model that cannot be built: with path, line and column.
    pub fn read(path: &Path, settings: &[Setting]) -> Result<Self> {
        let settings: Vec<Setting> = settings.iter().map(absolute).collect();
        let file = with_preset(TomlFile::read(path)?, &settings, RewardPreset::defaults)?.with_defaults(USUAL);
        let config: RewardConfig = file.parse(&settings)?;
        let mut json: serde_json::Value = file.parse(&settings)?;
        let RewardConfig { data, model, reward, training, learning_rate, optimizer, .. } = &config;
        let documents = Spanned::new(data.span(), data.get_ref().documents());
        let trained = Trained::check(&file, &settings, model, None, &documents, &mut json)?;
        if trained.architecture.has_encoder() {
            let message = "a head reads what a decoder has read, and this model has an encoder";
            return Err(file.fault(model.span(), message).into());
        }
        for (key, is_written, message) in [
            ("training.samples", training.samples.is_some(), "a reward model writes no texts"),
            (
                "training.evaluate",
                training.evaluate.is_some(),
                "tasks are asked of language models; a reward model is judged by its validation data",
            ),
        ] {
            if is_written {
                return Err(file.fault_of(key, &settings, message.to_owned()).into());
            }
        }
        check_loop(&file, &settings, training, learning_rate, optimizer)?;
        let demonstrations = match &reward.demonstrations {
            None => None,
            Some(written) => {
                let found = file.folder().join(written.get_ref());
                if !found.is_file() {
                    return Err(file.fault(written.span(), format!("there is no file {}", found.display())).into());
                }
                Some(found)
            }
        };
        if let Some(table) = json.as_object_mut() {
            // what it stands for is written out
            table.remove(preset::KEY);
            // no weight depends on demonstrations: they may be others when it goes on
            table.insert("reward".into(), json!({}));
        }
        Ok(Self { config, trained, json, demonstrations })
    }
}

/// Trains, or goes on training. At its end, and not where it is stopped before, rewards are shifted and the validation data is judged.
///
/// # Errors
/// When the data, the folder or a checkpoint is at fault: the error names it.
pub fn reward(
    training: &RewardTraining,
    options: &Options,
    progress: &mut dyn Progress,
) -> Result<(TrainOutcome, Option<RewardEvaluation>)> {
    let RewardTraining { config, trained: Trained { architecture, pretrained, data, .. }, json, demonstrations } =
        training;
    let RewardConfig { seed, training: steps, learning_rate, optimizer, .. } = config;
    let hashed = data.hash()?;
    let identity = identity(json, hashed.order(), hashed.hashes(), pretrained.as_deref(), options.threads)?;
    let session = Session::begin(options, steps.precision, identity, progress)?;

    let tokenizer = data.tokenizer();
    if let Some(note) = tokenizer.note() {
        progress.note(&note);
    }
    let context_length = architecture.context_length;
    let preferences = PreferenceData::read(data, &hashed, context_length, *seed, progress)?;
    // what is at fault with them is told before any work
    let demonstrations = match demonstrations {
        Some(path) => Some(Demonstrations::read(path, tokenizer, context_length, data.read_options(), progress)?),
        None => None,
    };
    let model = initial_model(training, &session, progress)?.computing_in(steps.precision);
    tokenizer.save(&options.out)?;
    let Architecture { num_layers, hidden_size, .. } = *architecture;
    let flops = flops_per_token(model.num_params(), num_layers, hidden_size, preferences.mean_length());
    let mut loop_config = steps.loop_config(*seed, *learning_rate, optimizer);
    let ready = session.with_model(model, &loop_config)?;

    let (all, end) = (steps.steps_of(preferences.count()), steps.end_of(preferences.count()));
    loop_config.ends_after(all, options.until);
    let PreferenceData { train, validation, lost } = preferences;
    let padding = tokenizer.padding();
    let best: Vec<Vec<u32>> = train.iter().flat_map(|(_, _, preferences)| preferences.best()).collect();
    let mut batches = PreferenceBatches::new(train, steps.batch_size, padding, *seed, end);
    let together = steps.batch_size / steps.gradient_accumulation;
    let evaluator = PreferenceScores::new(&validation, (*seed, steps.evaluate_sequences), together, padding);
    progress.note(&format!("evaluated on {} of {} prompts", evaluator.count(), validation.count()));
    let meter = ThroughputMeter::new(flops, steps.peak_tflops);
    let mut inputs = TrainingInputs { objective: Ranking, batches: &mut batches, evaluator: &evaluator, sampler: None };
    let outcome = ready.run(&loop_config, &mut inputs, meter, &lost, progress)?;
    if outcome.interrupted || loop_config.until < all {
        return Ok((outcome, None));
    }
    // a training that had come to its end before has found its 0, and finds the same
    let trained = TrainedRewardModel::load_unshifted(&options.out, Which::Newest, options.device)?;
    let normalization = match &demonstrations {
        Some(demonstrations) => Normalization::of_demonstrations(&trained, demonstrations),
        None => Normalization::of_best_answers(&trained, &best),
    };
    progress.note(&normalization.to_string());
    normalization.save(&options.out)?;
    let evaluation = evaluate(&trained, &validation);
    let json = serde_json::to_vec_pretty(&evaluation).expect("figures are JSON");
    AtomicFile::write_whole(&options.out.join("evaluation.json"), &json)?;
    AtomicFile::write_whole(&options.out.join("card.md"), evaluation.card(&normalization).as_bytes())?;
    Ok((outcome, Some(evaluation)))
}

/// The model that a training begins with; zeros, where it goes on from a checkpoint with weights of its own.
fn initial_model(training: &RewardTraining, session: &Session<'_>, progress: &mut dyn Progress) -> Result<RewardModel> {
    let RewardTraining { config: RewardConfig { seed, .. }, trained, .. } = training;
    let Trained { architecture, pretrained, data, .. } = trained;
    let (tokenizer, device) = (data.tokenizer(), session.device());
    let rows = pretrained.as_ref().map_or_else(|| tokenizer.vocab_size(), |pretrained| pretrained.rows(tokenizer));
    if session.goes_on() {
        return Ok(architecture.zeros_reward_model(rows, device));
    }
    let Some(pretrained) = pretrained else { return Ok(architecture.init_reward_model(rows, *seed, device)) };
    pretrained.notes().iter().for_each(|note| progress.note(note));
    let fresh = architecture.zeros_reward_model(rows, device).with_initial_head(*seed);
    let (model, loaded) = pretrained.load_with_head(fresh, *seed)?;
    progress.note(&format!("begins from {pretrained}: {loaded}"));
    Ok(model)
}
