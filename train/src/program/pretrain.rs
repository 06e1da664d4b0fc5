//! Pretraining: a language model on a text mixture, from nothing or from a model that is there.
//!
//! ```text
//! a decoder           learns to go on with the texts: the next token
//! with an encoder     learns to say what was taken out of them: span corruption
//! ```

use std::{collections::BTreeMap, path::Path};

use schemars::JsonSchema;
use schemas::toml_file::{Setting, Spanned, TomlFile};
use serde::Deserialize;
use system::sha256;

use super::{
    data::{DataConfig, HashedData, TrainingData, absolute},
    language_model::{LanguageTraining, Learnt, Trained},
    pairs::PairsConfig,
    samples::sample_prompts,
    session::{Options, check_loop, identity},
    training::TrainingConfig,
};
use crate::{
    data::{Batches, EvalSet, Packing, SpanCorruption, TokenCache},
    error::Result,
    model::{Architecture, EncoderDecoder, Gpt, LoraConfig, ModelConfig},
    optimize::{OptimizerConfig, Schedule},
    tokenizer::Tokenizer,
    trainer::{Progress, TrainOutcome},
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
    trained: Trained,
    json: serde_json::Value,
    /// For a model with an encoder: what becomes of the texts, and how many ids a sequence of them has.
    corruption: Option<(SpanCorruption, usize)>,
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
        let PretrainConfig { seed, data, model, lora, training, learning_rate, optimizer } = &config;
        let trained = Trained::check(&file, &settings, model, lora.as_ref(), data, &mut json)?;
        check_loop(&file, &settings, training, learning_rate, optimizer)?;
        let trained = trained.with_tasks(&file, &settings, training, config.seed)?;
        let corruption = corruption(data.get_ref(), &trained.architecture, trained.data.tokenizer(), *seed)
            .map_err(|(key, message)| file.fault_of(key, &settings, message))?;
        Ok(Self { config, trained, json, corruption })
    }
}

/// What a sweep asks of a configuration before it trains.
impl Pretraining {
    /// Steps, if the configuration says how many.
    pub(super) fn steps(&self) -> Option<u64> {
        self.config.training.steps
    }

    /// Sequences in a step, and the micro-batches that they are divided into.
    pub(super) fn batch_size(&self) -> [usize; 2] {
        [self.config.training.batch_size, self.config.training.gradient_accumulation]
    }

    /// The learning rate at its peak.
    pub(super) fn peak(&self) -> f64 {
        self.config.learning_rate.peak
    }

    /// The seed of every draw.
    pub(super) fn seed(&self) -> u64 {
        self.config.seed
    }

    /// The data, checked.
    pub(super) fn data(&self) -> &TrainingData {
        &self.trained.data
    }

    /// Whether it is a decoder that learns from texts as they are.
    pub(super) fn is_decoder(&self) -> bool {
        self.corruption.is_none()
    }

    /// Numbers of the model: all, and those of its embeddings.
    pub(super) fn parameters(&self) -> [u64; 2] {
        let Trained { architecture, pretrained, data, .. } = &self.trained;
        let tokenizer = data.tokenizer();
        let rows = pretrained.as_ref().map_or_else(|| tokenizer.vocab_size(), |pretrained| pretrained.rows(tokenizer));
        [architecture.parameters(rows), architecture.embedding_parameters(rows)].map(|numbers| numbers as u64)
    }

    /// Tokens that the weights learn from in a step.
    pub(super) fn tokens_per_step(&self) -> u64 {
        (self.config.training.batch_size * self.sequence_length()) as u64
    }

    /// Reads, hashes and tokenizes all that it reads, so that nothing is left to do but to train. Returns the tokens that each source has to
    /// train on.
    ///
    /// - `seeds`: of trainings: each draws what it is judged by
    ///
    /// # Errors
    /// When a file cannot be read or tokenized, or a source has not one sequence to train on or to be judged by, with one of the seeds.
    pub(super) fn tokenize(
        &self,
        seeds: impl IntoIterator<Item = u64>,
        folder: &Path,
        progress: &mut dyn Progress,
    ) -> Result<BTreeMap<String, u64>> {
        let (data, length) = (&self.trained.data, self.sequence_length());
        let hashed = data.hash()?;
        let check = |seed: u64, note: &mut dyn FnMut(&str)| -> Result<BTreeMap<String, u64>> {
            let mut cache = data.cache(folder, note);
            let tokens = hashed.source_tokens(length, seed, &mut cache)?;
            hashed.eval_sets(length, seed, self.config.training.evaluate_sequences, 1, &mut cache)?;
            Ok(tokens)
        };
        let tokens = check(self.config.seed, &mut |text: &str| progress.note(text))?;
        let mut others = seeds.into_iter().filter(|seed| *seed != self.config.seed);
        others.try_for_each(|seed| check(seed, &mut |_: &str| {}).map(drop))?;
        Ok(tokens)
    }

    /// Ids of a sequence.
    pub(super) fn sequence_length(&self) -> usize {
        self.corruption.as_ref().map_or(self.trained.architecture.context_length, |(_, length)| *length)
    }

    /// What it is known by, wherever its files lie, and what it is judged by: the SHA-256 of each.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub(super) fn fingerprints(&self) -> Result<[String; 2]> {
        let Self { config, trained, json, .. } = self;
        let hashed = trained.data.hash()?;
        let mut identity = identity(json, hashed.packed_order(), hashed.hashes(), trained.pretrained.as_deref(), 1)?;
        if let (Some(adaptation), Some(pretrained)) = (&trained.adaptation, &trained.pretrained) {
            adaptation.record(&mut identity, pretrained, trained.data.tokenizer())?;
        }
        let TrainingConfig { evaluate_sequences, evaluate_every, evaluate, spikes, .. } = &config.training;
        let DataConfig { packing, document_masking, span_corruption, .. } = config.data.get_ref();
        let judged = serde_json::json!({
            "seed": config.seed,
            "tokenizer": trained.data.tokenizer().fingerprint(),
            "texts": trained.data.tokenizer().identity(),
            "held_out": hashed.held_out_hashes(),
            "packing": packing,
            "document_masking": document_masking,
            "span_corruption": span_corruption,
            "sequence_length": self.sequence_length(),
            "evaluate_sequences": evaluate_sequences,
            "evaluate_every": evaluate_every,
            "evaluate": evaluate,
        });
        let identity = serde_json::json!({ "identity": identity, "spikes": spikes });
        Ok([identity, judged].map(|known| sha256(known.to_string().as_bytes())))
    }

    /// Why it is none of many that are compared, if it is not.
    pub(super) fn fault_in_sweep(&self) -> Option<&'static str> {
        let TrainingConfig { steps, patience, .. } = &self.config.training;
        if steps.is_none() {
            return Some("it has `training.epochs`, and models are to have the same number of `training.steps`");
        }
        patience.map(|_| "it has `training.patience`, and models are all to be trained to their end")
    }

    /// Steps of the warm-up, of `steps` in all.
    pub(super) fn warmup(&self, steps: u64) -> u64 {
        self.config.learning_rate.warmup(steps)
    }
}

/// What becomes of the texts, and how many ids a sequence of them has; none for a decoder, which learns from texts as they are.
///
/// # Errors
/// What cannot be: the key, and the message.
fn corruption(
    config: &DataConfig,
    architecture: &Architecture,
    tokenizer: &Tokenizer,
    seed: u64,
) -> std::result::Result<Option<(SpanCorruption, usize)>, (&'static str, String)> {
    let DataConfig { span_corruption, packing, document_masking, .. } = config;
    if !architecture.has_encoder() {
        let message =
            "a decoder learns from texts as they are; span corruption is for a model with an encoder, such as `t5`";
        return span_corruption.map_or(Ok(None), |_| Err(("data.span_corruption", message.into())));
    }
    let noise = span_corruption.unwrap_or_default();
    match noise.fault() {
        Some(("noise_density", message)) => return Err(("data.span_corruption.noise_density", message)),
        Some((_, message)) => return Err(("data.span_corruption.mean_noise_span_length", message)),
        None => {}
    }
    if *packing != Packing::Concatenated {
        let message =
            "span corruption is of sequences that are full: `packing` is \"concatenated\" for a model with an encoder";
        return Err(("data.packing", message.into()));
    }
    if *document_masking {
        let message = "an encoder reads all of its sequence: there is no `document_masking` in span corruption";
        return Err(("data.document_masking", message.into()));
    }
    let context = architecture.context_length;
    let sequence_length = noise.sequence_length(context);
    let [source, target] = noise.lengths(sequence_length);
    if source.max(target) > context {
        let message = format!(
            "a sequence of {sequence_length} tokens becomes a source of {source} and a target of {target}, and `context_length` is {context}"
        );
        return Err(("model.context_length", message));
    }
    let corruption = SpanCorruption::new(noise, sequence_length, tokenizer.sentinels(), tokenizer.end_of_text(), seed);
    let without = |message| {
        let message = format!("{message}; `train tokenizer --extra-ids N` makes a tokenizer that has them");
        ("data.tokenizer", message)
    };
    Ok(Some((corruption.map_err(without)?, sequence_length)))
}

/// Trains, or goes on training.
///
/// # Errors
/// When the data, the folder or a checkpoint is at fault: the error names it.
pub fn pretrain(pretraining: &Pretraining, options: &Options, progress: &mut dyn Progress) -> Result<TrainOutcome> {
    let Pretraining { config, trained, json, corruption } = pretraining;
    let PretrainConfig { seed, training, learning_rate, optimizer, .. } = config;
    let language = LanguageTraining { seed: *seed, trained, training, learning_rate, optimizer, json };
    let hashed = trained.data.hash()?;
    let Some((corruption, sequence_length)) = corruption else {
        let read = |cache: &mut TokenCache<'_>| texts(pretraining, &hashed, cache);
        return language.run(&hashed, hashed.packed_order(), options, read, progress);
    };
    let mut order = hashed.order();
    order["span_corruption"] = serde_json::to_value(corruption.noise()).expect("numbers are JSON");
    let read = |cache: &mut TokenCache<'_>| corrupted(pretraining, &hashed, corruption, *sequence_length, cache);
    language.run(&hashed, order, options, read, progress)
}

/// What a decoder learns from: texts as they are.
fn texts(pretraining: &Pretraining, data: &HashedData<'_>, cache: &mut TokenCache<'_>) -> Result<Learnt<Gpt>> {
    let Pretraining { config: PretrainConfig { seed, training, .. }, trained, .. } = pretraining;
    let (context_length, tokenizer) = (trained.architecture.context_length, trained.data.tokenizer());
    let sequences = data.training(context_length, *seed, cache)?;
    let (most, together) = (training.evaluate_sequences, training.batch_size / training.gradient_accumulation);
    let mut eval_sets = data.eval_sets(context_length, *seed, most, together, cache)?;
    eval_sets.bytes_per_token = Some(bytes_per_token(&eval_sets.validation, tokenizer)?);
    Ok(Learnt {
        examples: sequences.count(),
        batches: Box::new(Batches::new(sequences, training.batch_size)),
        evaluator: Box::new(eval_sets),
        lengths: [0, context_length],
        prompts: sample_prompts(training.samples.as_ref(), |prompt| tokenizer.prompt(prompt))?,
        stops: tokenizer.ends().to_vec(),
    })
}

/// What a model with an encoder learns from: texts, and what was taken out of them.
fn corrupted(
    pretraining: &Pretraining,
    data: &HashedData<'_>,
    corruption: &SpanCorruption,
    sequence_length: usize,
    cache: &mut TokenCache<'_>,
) -> Result<Learnt<EncoderDecoder>> {
    let Pretraining { config: PretrainConfig { seed, training, .. }, trained, .. } = pretraining;
    let pairs = PairsConfig { context_length: trained.architecture.context_length, training, seed: *seed };
    let pairs = data.corrupted(corruption, sequence_length, pairs, cache)?;
    Learnt::pairs(pairs, training.samples.as_ref(), trained.data.tokenizer())
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
