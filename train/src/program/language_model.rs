//! What pretraining and tuning share: a language model, a decoder alone or with an encoder, and the loop around it.
//!
//! ```text
//! [model], [lora], [data] -> what is trained, checked                 before any work
//! what a program reads    -> batches, an evaluator                    once the model is there
//!                         -> the loop
//! ```

use std::sync::Arc;

use schemas::toml_file::{Setting, Spanned, TomlFile};
use serde_json::Value;

use super::{
    adaptation::Adaptation,
    data::{DataConfig, HashedData, TrainingData},
    pairs::PairData,
    pretrained_model::PretrainedModel,
    samples::{generate_samples, sample_prompts},
    session::{Options, Session, identity},
    training::TrainingConfig,
    training_tasks::{TrainingTasks, WithTasks},
};
use crate::{
    data::{BatchSource, TokenCache},
    error::Result,
    generate::TextModel,
    model::{Architecture, EncoderDecoder, Gpt, LoraConfig, ModelConfig, Transformer, named_shapes},
    objective::{Evaluator, NextToken, Objective, TeacherForcing},
    optimize::{OptimizerConfig, Schedule},
    tokenizer::Tokenizer,
    trainer::{
        Progress, Sampler, SamplesConfig, ThroughputMeter, TrainOutcome, TrainingInputs, flops_per_token,
        flops_per_token_of_pairs,
    },
};

/// A kind of language model, and what it is trained towards.
pub(super) trait LanguageModel: Transformer + TextModel {
    /// What it is trained towards.
    type Objective: Objective<Model = Self> + Default;

    /// The same with adapters, which are trained in its place.
    ///
    /// - `goes_on`: from a checkpoint, which has the adapters' numbers
    fn adapted(self, adaptation: &Adaptation, seed: u64, goes_on: bool, progress: &mut dyn Progress) -> Result<Self>;

    /// FLOPs of a training token.
    ///
    /// - `shapes`: the names and shapes of its parameters
    /// - `lengths`: ids that go through an encoder, and through a decoder, of an example
    fn flops_per_token(shapes: &[(String, Vec<usize>)], architecture: &Architecture, lengths: [usize; 2]) -> f64;

    /// What judges it by tasks as well.
    fn judged_by_tasks<'t>(
        evaluator: Box<dyn Evaluator<Self> + 't>,
        tasks: &'t TrainingTasks,
        tokenizer: &'t Tokenizer,
    ) -> Box<dyn Evaluator<Self> + 't>;
}

impl LanguageModel for Gpt {
    type Objective = NextToken;

    fn adapted(self, adaptation: &Adaptation, seed: u64, goes_on: bool, progress: &mut dyn Progress) -> Result<Self> {
        adaptation.attach(self, seed, goes_on, progress)
    }

    fn flops_per_token(shapes: &[(String, Vec<usize>)], architecture: &Architecture, lengths: [usize; 2]) -> f64 {
        flops_per_token(numbers(shapes, ""), architecture.num_layers, architecture.hidden_size, lengths[1])
    }

    fn judged_by_tasks<'t>(
        inner: Box<dyn Evaluator<Self> + 't>,
        tasks: &'t TrainingTasks,
        tokenizer: &'t Tokenizer,
    ) -> Box<dyn Evaluator<Self> + 't> {
        Box::new(WithTasks { inner, tasks, tokenizer })
    }
}

impl LanguageModel for EncoderDecoder {
    type Objective = TeacherForcing;

    fn adapted(self, _: &Adaptation, _: u64, _: bool, _: &mut dyn Progress) -> Result<Self> {
        unreachable!("a configuration with adapters for a model with an encoder is refused")
    }

    fn flops_per_token(shapes: &[(String, Vec<usize>)], architecture: &Architecture, lengths: [usize; 2]) -> f64 {
        let Architecture { num_layers, hidden_size, tie_embeddings, .. } = *architecture;
        let head = numbers(shapes, if tie_embeddings { "tokens" } else { "head" });
        let stacks = [numbers(shapes, "encoder"), numbers(shapes, "decoder") + head];
        flops_per_token_of_pairs(stacks, num_layers, hidden_size, lengths)
    }

    fn judged_by_tasks<'t>(
        _: Box<dyn Evaluator<Self> + 't>,
        _: &'t TrainingTasks,
        _: &'t Tokenizer,
    ) -> Box<dyn Evaluator<Self> + 't> {
        unreachable!("a configuration with tasks for a model with an encoder is refused")
    }
}

/// Numbers in the parameters whose names begin with something.
fn numbers(shapes: &[(String, Vec<usize>)], beginning: &str) -> usize {
    let named = shapes.iter().filter(|(name, _)| name.starts_with(beginning));
    named.map(|(_, shape)| shape.iter().product::<usize>()).sum()
}

/// What is trained, and on what: checked.
#[derive(Debug, Clone)]
pub(super) struct Trained {
    pub architecture: Architecture,
    /// What it goes on from.
    pub pretrained: Option<Arc<PretrainedModel>>,
    /// What is trained in its place.
    pub adaptation: Option<Adaptation>,
    pub data: TrainingData,
    /// Tasks that it is evaluated on meanwhile.
    pub tasks: Option<TrainingTasks>,
}

impl Trained {
    /// Checks what a configuration says of the model and the data.
    ///
    /// - `json`: the configuration, which gets the model that is trained, wherever that lay
    ///
    /// # Errors
    /// A missing file, a model that cannot be built, a tokenizer that is not the model's: at the key.
    pub fn check(
        file: &TomlFile,
        settings: &[Setting],
        model: &Spanned<ModelConfig>,
        lora: Option<&LoraConfig>,
        data: &Spanned<DataConfig>,
        json: &mut Value,
    ) -> Result<Self> {
        let mut wanted = model.get_ref().clone();
        let pretrained = PretrainedModel::named(file, settings, &mut wanted)?;
        let tokenizer = pretrained.as_ref().and_then(PretrainedModel::tokenizer);
        let data = TrainingData::check(file, data, tokenizer.as_deref())?;
        if let Some(pretrained) = &pretrained {
            if let Some(fault) = pretrained.tokenizer_fault(data.tokenizer())? {
                return Err(file.fault_of("data.tokenizer", settings, fault).into());
            }
            json["model"] = serde_json::to_value(&wanted).expect("a configuration is JSON");
        }
        let architecture = wanted.architecture().map_err(|message| file.fault(model.span(), message))?;
        let adaptation = Adaptation::named(file, settings, lora, &wanted, pretrained.as_ref())?;
        if let Some(adaptation) = &adaptation {
            json["lora"] = adaptation.json();
        }
        Ok(Self { architecture, pretrained: pretrained.map(Arc::new), adaptation, data, tasks: None })
    }

    /// The same with the tasks that a configuration names.
    ///
    /// # Errors
    /// When a task is at fault, or the model is none to be asked.
    pub fn with_tasks(
        self,
        file: &TomlFile,
        settings: &[Setting],
        training: &TrainingConfig,
        seed: u64,
    ) -> Result<Self> {
        let Some(config) = &training.evaluate else { return Ok(self) };
        if self.architecture.has_encoder() {
            let message = "tasks are asked of decoders; a model with an encoder is judged by its loss".to_owned();
            return Err(file.fault_of("training.evaluate", settings, message).into());
        }
        let tasks = Some(TrainingTasks::read(config, file.folder(), seed, self.architecture.context_length)?);
        Ok(Self { tasks, ..self })
    }

    /// The model that a training of the one that was loaded begins as, to compare with: fresh adapters change nothing of it, and others do.
    pub fn reference(&self, loaded: Gpt, seed: u64) -> Result<Gpt> {
        match self.adaptation.as_ref().filter(|adaptation| adaptation.goes_on_from_others()) {
            Some(adaptation) => adaptation.beginning(loaded, seed),
            None => Ok(loaded),
        }
    }

    /// The model that a training begins with: fresh, or with the weights of one that is there; zeros, where it goes on from a checkpoint with
    /// all weights. A checkpoint of adapters has not.
    pub fn initial_model<M: LanguageModel>(
        &self,
        seed: u64,
        session: &Session<'_>,
        progress: &mut dyn Progress,
    ) -> Result<M> {
        let Self { architecture, pretrained, adaptation, data, .. } = self;
        let (tokenizer, device) = (data.tokenizer(), session.device());
        let rows = pretrained.as_ref().map_or_else(|| tokenizer.vocab_size(), |pretrained| pretrained.rows(tokenizer));
        let model = match pretrained {
            _ if session.goes_on() && adaptation.is_none() => M::zeros(architecture, rows, device),
            None => M::initial(architecture, rows, seed, device),
            Some(pretrained) => {
                pretrained.notes().iter().for_each(|note| progress.note(note));
                let (model, loaded) = pretrained.load_whole(M::zeros(architecture, rows, device), seed)?;
                let what = if session.goes_on() { "adapters of" } else { "begins from" };
                progress.note(&format!("{what} {pretrained}: {loaded}"));
                model
            }
        };
        match adaptation {
            Some(adaptation) => model.adapted(adaptation, seed, session.goes_on(), progress),
            None => Ok(model),
        }
    }
}

/// How a language model is trained.
pub(super) struct LanguageTraining<'t> {
    pub seed: u64,
    pub trained: &'t Trained,
    pub training: &'t TrainingConfig,
    pub learning_rate: &'t Schedule,
    pub optimizer: &'t OptimizerConfig,
    /// The configuration.
    pub json: &'t Value,
}

/// What a model learns from.
pub(super) struct Learnt<M: LanguageModel> {
    /// Examples of an epoch.
    pub examples: u64,
    pub batches: Box<dyn BatchSource<Batch = <M::Objective as Objective>::Batch>>,
    pub evaluator: Box<dyn Evaluator<M>>,
    /// Ids that go through an encoder, and through a decoder, of an example.
    pub lengths: [usize; 2],
    /// The ids of the prompts of samples.
    pub prompts: Vec<Vec<u32>>,
    /// The ids that each end a sample.
    pub stops: Vec<u32>,
}

impl Learnt<EncoderDecoder> {
    /// Pairs of what an encoder reads and a decoder writes. Prompts of samples are read as sources are.
    pub fn pairs(pairs: PairData, samples: Option<&SamplesConfig>, tokenizer: &Tokenizer) -> Result<Self> {
        let PairData { count, batches, eval_sets, lengths } = pairs;
        Ok(Self {
            examples: count,
            batches: Box::new(batches),
            evaluator: Box::new(eval_sets),
            lengths,
            prompts: sample_prompts(samples, |prompt| tokenizer.source(prompt))?,
            stops: tokenizer.ends().to_vec(),
        })
    }
}

impl LanguageTraining<'_> {
    /// Trains, or goes on training.
    ///
    /// - `order`: what the ids of the data and their order depend on, beside the files
    /// - `read`: makes what it learns from of the data; its cache is told what one should know
    ///
    /// # Errors
    /// When the data, the folder or a checkpoint is at fault: the error names it.
    pub fn run<M: LanguageModel>(
        &self,
        hashed: &HashedData<'_>,
        order: Value,
        options: &Options,
        read: impl FnOnce(&mut TokenCache<'_>) -> Result<Learnt<M>>,
        progress: &mut dyn Progress,
    ) -> Result<TrainOutcome> {
        let Self { seed, trained, training, learning_rate, optimizer, json } = *self;
        let Trained { architecture, pretrained, adaptation, data, tasks } = trained;
        let tokenizer = data.tokenizer();
        let mut identity = identity(json, order, hashed.hashes(), pretrained.as_deref(), options.threads)?;
        if let (Some(adaptation), Some(pretrained)) = (adaptation, pretrained) {
            adaptation.record(&mut identity, pretrained, tokenizer)?;
        }
        let session = Session::begin(options, training.precision, identity, progress)?;
        if let Some(note) = tokenizer.note() {
            progress.note(&note);
        }
        let model: M = trained.initial_model(seed, &session, progress)?;
        let model = Transformer::computing_in(model, training.precision);
        tokenizer.save(&options.out)?;
        let shapes = named_shapes(&model);
        let parameters = model.num_params();
        // what does not fit together is told before anything is tokenized
        let mut loop_config = training.loop_config(seed, *learning_rate, optimizer);
        let ready = session.with_model(model, &loop_config)?;

        let (mut learnt, lost) = {
            let mut note = |text: &str| progress.note(text);
            let mut cache = data.cache(&options.cache(), &mut note);
            (read(&mut cache)?, cache.lost().to_vec())
        };
        loop_config.ends_after(training.steps_of(learnt.examples), options.until);

        let samples = training.samples.as_ref();
        let (prompts, stops) = (learnt.prompts, learnt.stops);
        let generate = |model: &M, step| match samples {
            Some(samples) => generate_samples(model, step, samples, (&prompts, &stops), seed, tokenizer),
            None => Ok(Vec::new()),
        };
        let sampler = samples.map(|samples| Sampler { every: samples.every, generate: &generate });
        let spared = adaptation.as_ref().map_or(0.0, |adaptation| adaptation.spared_flops(parameters));
        let flops = M::flops_per_token(&shapes, architecture, learnt.lengths) - spared;
        let meter = ThroughputMeter::new(flops, training.peak_tflops);
        let evaluator: Box<dyn Evaluator<M> + '_> = match tasks {
            Some(tasks) => M::judged_by_tasks(learnt.evaluator, tasks, tokenizer),
            None => learnt.evaluator,
        };
        let mut inputs = TrainingInputs {
            objective: M::Objective::default(),
            batches: &mut learnt.batches,
            evaluator: &*evaluator,
            sampler,
        };
        ready.run(&loop_config, &mut inputs, meter, &lost, progress)
    }
}
