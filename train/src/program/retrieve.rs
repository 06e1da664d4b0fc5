//! Retrieval: encoders that give questions and passages vectors, trained on pairs of them.
//!
//! ```text
//! query, positive, negatives -> ids -> batches -> steps -> a checkpoint, which `train index build --encoder` takes
//! validation                 -> the ranks of its passages among all                               evaluation.json
//! ```
//!
//! Source: Karpukhin et al. 2020 (DPR), sections 3 and 4.2.

use std::path::Path;

use burn::module::Module as _;
use schemars::JsonSchema;
use schemas::toml_file::{Defaults, Setting, Spanned, TomlFile};
use serde::Deserialize;
use system::AtomicFile;

use super::{
    data::absolute,
    encoder_config::EncoderConfig,
    example_data::ExampleDataConfig,
    language_model::Trained,
    loaded::Loaded,
    preset::{self, with_preset},
    retrieval_data::RetrievalData,
    session::{Options, Session, check_loop, identity},
    trained_encoder::TrainedEncoder,
    training::TrainingConfig,
};
use crate::{
    checkpoint::Which,
    data::{LEAST_CONTEXT, RetrievalBatches},
    error::Result,
    model::{Architecture, DualEncoder, ModelConfig},
    objective::{Contrastive, RetrievalFigures, RetrievalScores},
    optimize::{OptimizerConfig, Schedule},
    trainer::{Progress, ThroughputMeter, TrainOutcome, TrainingInputs, flops_per_token},
};

/// A training of encoders as it is written. Paths start at the file's folder.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RetrieveConfig {
    /// Published numbers, for whatever is not written.
    #[serde(default)]
    pub preset: Option<RetrievePreset>,
    /// The seed of every draw.
    pub seed: u64,
    /// Questions with passages: rows of `query` and `positive`, and of `negatives` and `answers` where these are known.
    #[schemars(with = "ExampleDataConfig")]
    pub data: Spanned<ExampleDataConfig>,
    /// The language model, which goes on `from` one that is there, as a rule. Its `context_length` holds for questions and passages.
    #[schemars(with = "ModelConfig")]
    pub model: Spanned<ModelConfig>,
    /// What encoders are, and what they learn from.
    #[serde(default)]
    pub encoder: EncoderConfig,
    /// The training loop. `batch_size` and `evaluate_sequences` count questions; every question of a batch is told from all of its passages, and
    /// `gradient_accumulation` changes nothing of that, but needs two passes forwards. By default a spike is a loss that is no number, since that of
    /// few questions varies.
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
pub enum RetrievePreset {
    /// Dense passage retrieval (Karpukhin et al. 2020, section 4.2, and their code): two encoders, dot products, one hard negative of a question, 40
    /// epochs of 128 questions, 256 tokens of a text, Adam at 2e-5 after 1,237 steps and a straight line to 0, gradients clipped to 2, dropout 0.1.
    Dpr,
}

impl RetrievePreset {
    fn defaults(self) -> Defaults {
        match self {
            Self::Dpr => DPR,
        }
    }
}

/// What holds for all encoders where nothing else is written.
const USUAL: Defaults = Defaults {
    text: "
        [training]
        evaluate_sequences = 2000
        [training.spikes]
        deviations = 1e9
    ",
    alternatives: &[],
};

/// Source: Karpukhin et al. 2020, section 4.2; `conf/train/biencoder_nq.yaml` of their code.
const DPR: Defaults = Defaults {
    text: "
        [model]
        context_length = 256
        dropout = 0.1
        [encoder]
        shared = false
        pooling = \"last\"
        similarity = \"dot\"
        hard_negatives = 1
        [training]
        epochs = 40.0
        batch_size = 128
        max_grad_norm = 2.0
        [learning_rate]
        peak = 2e-5
        shape = \"linear\"
        warmup_steps = 1237
        final_share = 0.0
        [optimizer]
        name = \"adamw\"
        beta1 = 0.9
        beta2 = 0.999
        epsilon = 1e-8
        weight_decay = 0.0
    ",
    // an optimizer that is named has numbers of its own
    alternatives: &[
        ("training.steps", "training.epochs"),
        ("learning_rate.warmup_ratio", "learning_rate.warmup_steps"),
        ("optimizer.name", "optimizer.beta1"),
        ("optimizer.name", "optimizer.beta2"),
        ("optimizer.name", "optimizer.epsilon"),
        ("optimizer.name", "optimizer.weight_decay"),
    ],
};

/// A checked configuration: the data and the tokenizer are there.
#[derive(Debug, Clone)]
pub struct RetrievalTraining {
    config: RetrieveConfig,
    trained: Trained,
    json: serde_json::Value,
}

impl RetrievalTraining {
    /// Reads and checks a configuration, with `settings` in place of what it says. Paths in settings start at the current folder, like any path
    /// on the command line.
    ///
    /// # Errors
    /// An unknown key, a missing file, a model that cannot be built: with path, line and column.
    pub fn read(path: &Path, settings: &[Setting]) -> Result<Self> {
        let settings: Vec<Setting> = settings.iter().map(absolute).collect();
        let file = with_preset(TomlFile::read(path)?, &settings, RetrievePreset::defaults)?.with_defaults(USUAL);
        let mut config: RetrieveConfig = file.parse(&settings)?;
        let mut json: serde_json::Value = file.parse(&settings)?;
        let RetrieveConfig { data, model, encoder, training, learning_rate, optimizer, .. } = &config;
        let documents = Spanned::new(data.span(), data.get_ref().documents());
        let trained = Trained::check(&file, &settings, model, None, &documents, &mut json)?;
        let fault = |message: &str| Err(file.fault(model.span(), message).into());
        if trained.architecture.has_encoder() {
            return fault("encoders are decoders that are read, and this model has an encoder and a decoder");
        }
        if trained.architecture.context_length < LEAST_CONTEXT {
            return fault("its context has no room for a text");
        }
        if let Some((key, message)) = encoder.fault() {
            return Err(file.fault_of(&format!("encoder.{key}"), &settings, message).into());
        }
        if training.batch_size == 1 && encoder.hard_negatives == 0 {
            let message = "a question alone, without hard negatives, has no passage to be told from".to_owned();
            return Err(file.fault_of("training.batch_size", &settings, message).into());
        }
        for (key, is_written, message) in [
            ("training.samples", training.samples.is_some(), "encoders write no texts"),
            (
                "training.evaluate",
                training.evaluate.is_some(),
                "tasks are asked of language models; encoders are judged by their validation data",
            ),
        ] {
            if is_written {
                return Err(file.fault_of(key, &settings, message.to_owned()).into());
            }
        }
        check_loop(&file, &settings, training, learning_rate, optimizer)?;
        config.encoder = config.encoder.resolved();
        if let Some(table) = json.as_object_mut() {
            // what it stands for is written out, and so is what was left to defaults
            table.remove(preset::KEY);
            let encoder = serde_json::to_value(config.encoder).expect("a configuration is JSON");
            table.insert("encoder".into(), encoder);
        }
        Ok(Self { config, trained, json })
    }
}

/// Trains, or goes on training. At its end, and not where it is stopped before, encoders are judged by all validation data.
///
/// # Errors
/// When the data, the folder or a checkpoint is at fault: the error names it.
pub fn retrieve(
    training: &RetrievalTraining,
    options: &Options,
    progress: &mut dyn Progress,
) -> Result<(TrainOutcome, Option<RetrievalFigures>)> {
    let RetrievalTraining { config, trained: Trained { architecture, pretrained, data, .. }, json } = training;
    let RetrieveConfig { seed, encoder, training: steps, learning_rate, optimizer, .. } = config;
    let hashed = data.hash()?;
    let identity = identity(json, hashed.order(), hashed.hashes(), pretrained.as_deref(), options.threads)?;
    let session = Session::begin(options, steps.precision, identity, progress)?;

    let tokenizer = data.tokenizer();
    if let Some(note) = tokenizer.note() {
        progress.note(&note);
    }
    let pairs = RetrievalData::read(data, &hashed, architecture.context_length, *seed, progress)?;
    let model = initial_model(training, &session, progress)?.computing_in(steps.precision);
    tokenizer.save(&options.out)?;
    let Architecture { num_layers, hidden_size, .. } = *architecture;
    let flops = flops_per_token(model.model().num_params(), num_layers, hidden_size, pairs.mean_length());
    let mut loop_config = steps.loop_config(*seed, *learning_rate, optimizer);
    let ready = session.with_model(model, &loop_config)?;

    let all = steps.steps_of(pairs.count());
    loop_config.ends_after(all, options.until);
    let RetrievalData { train, validation, lost } = pairs;
    let padding = tokenizer.padding();
    let mut batches = RetrievalBatches::new(train, steps.batch_size, encoder.hard_negatives, padding, *seed);
    let together = steps.batch_size / steps.gradient_accumulation;
    let evaluator = RetrievalScores::new(&validation, (*seed, steps.evaluate_sequences), together, padding);
    progress.note(&format!("evaluated on {} of {} pairs", evaluator.count(), validation.count()));
    let temperature = encoder.temperature.expect("it was resolved");
    let objective = Contrastive { temperature };
    let meter = ThroughputMeter::new(flops, steps.peak_tflops);
    let mut inputs = TrainingInputs { objective, batches: &mut batches, evaluator: &evaluator, sampler: None };
    let outcome = ready.run(&loop_config, &mut inputs, meter, &lost, progress)?;
    if outcome.interrupted || loop_config.until < all {
        return Ok((outcome, None));
    }
    let trained = TrainedEncoder::load(&options.out, Which::Newest, options.device)?;
    let evaluator = RetrievalScores::new(&validation, (*seed, usize::MAX), together, padding);
    let figures = evaluator.figures(trained.encoder());
    let json = serde_json::to_vec_pretty(&figures).expect("figures are JSON");
    AtomicFile::write_whole(&options.out.join("evaluation.json"), &json)?;
    Ok((outcome, Some(figures)))
}

/// The models that a training begins with; zeros, where it goes on from a checkpoint with weights of its own.
fn initial_model(
    training: &RetrievalTraining,
    session: &Session<'_>,
    progress: &mut dyn Progress,
) -> Result<DualEncoder> {
    let RetrievalTraining { config: RetrieveConfig { seed, encoder, .. }, trained, .. } = training;
    let Trained { architecture, pretrained, data, .. } = trained;
    let (tokenizer, device, encoders) = (data.tokenizer(), session.device(), encoder.encoders());
    let rows = pretrained.as_ref().map_or_else(|| tokenizer.vocab_size(), |pretrained| pretrained.rows(tokenizer));
    let zeros = || architecture.zeros_dual_encoder(rows, encoders, device);
    if session.goes_on() {
        return Ok(zeros());
    }
    let Some(pretrained) = pretrained else {
        return Ok(architecture.init_dual_encoder(rows, encoders, *seed, device));
    };
    pretrained.notes().iter().for_each(|note| progress.note(note));
    let (model, loaded) = pretrained.load_with_head(zeros(), *seed)?;
    if loaded.fresh.is_empty() {
        progress.note(&format!("begins from {pretrained}: {loaded}"));
        return Ok(model);
    }
    // a language model has no encoder of passages beside it: both begin as it is
    let loaded = Loaded { fresh: Vec::new(), ..loaded };
    progress.note(&format!("both encoders begin from {pretrained}: {loaded}"));
    Ok(model.with_like_passages())
}
