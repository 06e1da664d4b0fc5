//! Classification: a language model with a head, fine-tuned on labelled sequences, as GPT-1 was.
//!
//! Source: Radford et al. 2018 (GPT-1), sections 3.2, 3.3 and 4.1.

use std::path::Path;

use burn::module::Module as _;
use schemars::JsonSchema;
use schemas::toml_file::{Defaults, Setting, Spanned, TomlFile};
use serde::Deserialize;
use system::AtomicFile;

use super::{
    classifier_config::ClassifierConfig,
    data::absolute,
    example_data::{ExampleDataConfig, LabelledData},
    language_model::Trained,
    predict::{ClassifierEvaluation, evaluate},
    preset::{self, with_preset},
    session::{Options, Session, check_loop, identity},
    trained_classifier::TrainedClassifier,
    training::TrainingConfig,
};
use crate::{
    checkpoint::Which,
    data::{ExampleBatches, SequenceEncoder},
    error::Result,
    model::{Architecture, Classifier, ModelConfig},
    objective::{ClassScores, Classification},
    optimize::{OptimizerConfig, Schedule},
    trainer::{Progress, ThroughputMeter, TrainOutcome, TrainingInputs, flops_per_token},
};

/// The file of predictions of the validation data, in the folder of a training.
const PREDICTIONS: &str = "predictions.parquet";
/// The file of their metrics.
const EVALUATION: &str = "evaluation.json";

/// A classifier's training as it is written. Paths start at the file's folder.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClassifyConfig {
    /// Published numbers, for whatever is not written.
    #[serde(default)]
    pub preset: Option<ClassifyPreset>,
    /// The seed of every draw.
    pub seed: u64,
    /// The labelled data.
    #[schemars(with = "ExampleDataConfig")]
    pub data: Spanned<ExampleDataConfig>,
    /// The language model.
    #[schemars(with = "ModelConfig")]
    pub model: Spanned<ModelConfig>,
    /// The head, and what it learns.
    pub classifier: ClassifierConfig,
    /// The training loop. `evaluate_sequences` counts examples, 2,000 by default; and by default a spike is a loss that is no number, since that
    /// of few examples varies.
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
pub enum ClassifyPreset {
    /// GPT-1 fine-tuned (Radford et al. 2018, section 4.1): 3 epochs of 32 examples, 6.25e-5 after 0.2 % of the steps and a straight line to 0,
    /// dropout 0.1, and half of the language model's loss.
    Gpt1,
}

impl ClassifyPreset {
    fn defaults(self) -> Defaults {
        match self {
            Self::Gpt1 => GPT1,
        }
    }
}

/// What holds for every classifier where nothing else is written.
const USUAL: Defaults = Defaults {
    text: "
        [training]
        evaluate_sequences = 2000
        [training.spikes]
        deviations = 1e9
    ",
    alternatives: &[],
};

/// Source: Radford et al. 2018, section 4.1, and their code: weight decay of matrices alone, no decay to a share.
const GPT1: Defaults = Defaults {
    text: "
        [model]
        dropout = 0.1
        [classifier]
        dropout = 0.1
        auxiliary_weight = 0.5
        [training]
        epochs = 3.0
        batch_size = 32
        max_grad_norm = 1.0
        [learning_rate]
        peak = 6.25e-5
        shape = \"linear\"
        warmup_ratio = 0.002
        final_share = 0.0
        [optimizer]
        beta1 = 0.9
        beta2 = 0.999
        epsilon = 1e-8
        weight_decay = 0.01
    ",
    // an optimizer that is named has numbers of its own
    alternatives: &[
        ("training.steps", "training.epochs"),
        ("learning_rate.warmup_steps", "learning_rate.warmup_ratio"),
        ("optimizer.name", "optimizer.beta1"),
        ("optimizer.name", "optimizer.beta2"),
        ("optimizer.name", "optimizer.epsilon"),
        ("optimizer.name", "optimizer.weight_decay"),
    ],
};

/// A checked configuration: the data and the tokenizer are there.
#[derive(Debug, Clone)]
pub struct ClassifierTraining {
    config: ClassifyConfig,
    /// The language model, and the data with the tokenizer that knows the marks.
    trained: Trained,
    json: serde_json::Value,
    /// The marks that were added to the tokenizer, with their ids.
    new_tokens: Vec<(String, u32)>,
}

impl ClassifierTraining {
    /// Reads and checks a configuration, with `settings` in place of what it says. Paths in settings start at the current folder, like any path
    /// on the command line.
    ///
    /// # Errors
    /// An unknown key, a missing file, a model that cannot be built: with path, line and column.
    pub fn read(path: &Path, settings: &[Setting]) -> Result<Self> {
        let settings: Vec<Setting> = settings.iter().map(absolute).collect();
        let file = with_preset(TomlFile::read(path)?, &settings, ClassifyPreset::defaults)?.with_defaults(USUAL);
        let config: ClassifyConfig = file.parse(&settings)?;
        let mut json: serde_json::Value = file.parse(&settings)?;
        if let Some(json) = json.as_object_mut() {
            // what it stands for is written out
            json.remove(preset::KEY);
        }
        let documents = Spanned::new(config.data.span(), config.data.get_ref().documents());
        let trained = Trained::check(&file, &settings, &config.model, None, &documents, &mut json)?;
        let rows = trained.pretrained.as_ref().map_or(0, |pretrained| pretrained.rows(trained.data.tokenizer()));
        let (tokenizer, new_tokens) = trained.data.tokenizer().with_special_tokens(&SequenceEncoder::MARKS, rows)?;
        let trained = Trained { data: trained.data.with_tokenizer(tokenizer), ..trained };
        if trained.architecture.has_encoder() {
            let message = "a head reads what a decoder has read, and this model has an encoder";
            return Err(file.fault(config.model.span(), message).into());
        }
        let ClassifyConfig { classifier, training, learning_rate, optimizer, .. } = &config;
        if let Some((key, message)) = classifier.fault() {
            return Err(file.fault_of(&format!("classifier.{key}"), &settings, message).into());
        }
        if training.samples.is_some() {
            let message = "a classifier writes no texts";
            return Err(file.fault_of("training.samples", &settings, message).into());
        }
        check_loop(&file, &settings, training, learning_rate, optimizer)?;
        if training.evaluate.is_some() {
            let message =
                "tasks are asked of language models; a classifier is judged by its validation data".to_owned();
            return Err(file.fault_of("training.evaluate", &settings, message).into());
        }
        Ok(Self { config, trained, json, new_tokens })
    }
}

/// Trains, or goes on training. At its end, and not where it is stopped before, the validation data are predicted.
///
/// # Errors
/// When the data, the folder or a checkpoint is at fault: the error names it.
pub fn classify(
    training: &ClassifierTraining,
    options: &Options,
    progress: &mut dyn Progress,
) -> Result<(TrainOutcome, Option<ClassifierEvaluation>)> {
    let ClassifierTraining { config, trained: Trained { architecture, pretrained, data, .. }, json, .. } = training;
    let ClassifyConfig { seed, classifier, training: steps, learning_rate, optimizer, .. } = config;
    let hashed = data.hash()?;
    let identity = identity(json, hashed.order(), hashed.hashes(), pretrained.as_deref(), options.threads)?;
    let session = Session::begin(options, steps.precision, identity, progress)?;

    let tokenizer = data.tokenizer();
    if let Some(note) = tokenizer.note() {
        progress.note(&note);
    }
    let ClassifierConfig { kind, labels, auxiliary_weight, criterion, .. } = classifier;
    let context_length = architecture.context_length;
    let examples = LabelledData::read(data, &hashed, *kind, labels, context_length, *seed, progress)?;
    let model = initial_model(training, examples.outputs, &session, progress)?.computing_in(steps.precision);
    tokenizer.save(&options.out)?;
    let Architecture { num_layers, hidden_size, .. } = *architecture;
    let flops = flops_per_token(model.num_params(), num_layers, hidden_size, examples.mean_length());
    let mut loop_config = steps.loop_config(*seed, *learning_rate, optimizer);
    let ready = session.with_model(model, &loop_config)?;

    let (all, end) = (steps.steps_of(examples.count()), steps.end_of(examples.count()));
    loop_config.ends_after(all, options.until);
    let LabelledData { train, validation, lost, .. } = examples;
    let padding = tokenizer.padding();
    let mut batches = ExampleBatches::new(train, steps.batch_size, padding, *seed, end);
    let together = steps.batch_size / steps.gradient_accumulation;
    let sample = (*seed, steps.evaluate_sequences);
    let evaluator = ClassScores::new(&validation, *kind, sample, together, padding, *criterion);
    progress.note(&format!("evaluated on {} of {} examples", evaluator.count(), validation.count()));
    let objective = Classification { kind: *kind, auxiliary_weight: *auxiliary_weight };
    let meter = ThroughputMeter::new(flops, steps.peak_tflops);
    let mut inputs = TrainingInputs { objective, batches: &mut batches, evaluator: &evaluator, sampler: None };
    let outcome = ready.run(&loop_config, &mut inputs, meter, &lost, progress)?;
    if outcome.interrupted || loop_config.until < all {
        return Ok((outcome, None));
    }
    let trained = TrainedClassifier::load(&options.out, Which::Newest, options.device)?;
    let evaluation = evaluate(&trained, &validation, &options.out.join(PREDICTIONS))?;
    let json = serde_json::to_vec_pretty(&evaluation.json()).expect("a value is JSON");
    AtomicFile::write_whole(&options.out.join(EVALUATION), &json)?;
    Ok((outcome, Some(evaluation)))
}

/// The model that a training begins with; zeros, where it goes on from a checkpoint with weights of its own.
fn initial_model(
    training: &ClassifierTraining,
    outputs: usize,
    session: &Session<'_>,
    progress: &mut dyn Progress,
) -> Result<Classifier> {
    let ClassifierTraining { config, trained: Trained { architecture, pretrained, data, .. }, new_tokens, .. } =
        training;
    let (tokenizer, device, dropout) = (data.tokenizer(), session.device(), config.classifier.dropout);
    let rows = pretrained.as_ref().map_or_else(|| tokenizer.vocab_size(), |pretrained| pretrained.rows(tokenizer));
    let zeros = || architecture.zeros_classifier(rows, outputs, dropout, device);
    if session.goes_on() {
        return Ok(zeros());
    }
    if !new_tokens.is_empty() {
        let tokens: Vec<String> = new_tokens.iter().map(|(content, id)| format!("`{content}` ({id})")).collect();
        progress.note(&format!("added to the tokenizer: {}", tokens.join(", ")));
    }
    match pretrained {
        None => Ok(architecture.init_classifier(rows, outputs, dropout, config.seed, device)),
        Some(pretrained) => {
            pretrained.notes().iter().for_each(|note| progress.note(note));
            let classifier = zeros().with_initial_head(config.seed);
            let (model, loaded) = pretrained.load_with_head(classifier, config.seed)?;
            progress.note(&format!("begins from {pretrained}: {loaded}"));
            Ok(model)
        }
    }
}
