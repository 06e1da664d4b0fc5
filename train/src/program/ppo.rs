//! Reinforcement learning from scores: a policy writes answers, is told how good they are, and becomes likelier to write the better ones, held to
//! the model that it was.
//!
//! ```text
//! prompts        -> answers of the policy -> scores, KL from the reference -> advantages -> steps      again and again
//! [pretraining]  -> sequences of texts    -> cross-entropy                               -> the same steps
//! validation     -> answers/, metrics, best_of_n.jsonl                                   -> report.html
//! ```
//!
//! Useful for: rewards that are no comparisons of answers at hand, which [`super::dpo`] learns from with less work. Not useful for: models with
//! an encoder.
//!
//! Source: Schulman et al. 2017; Ziegler et al. 2019; Ouyang et al. 2022 (`InstructGPT`), section 3.5 and appendix C.4.

use std::{collections::BTreeMap, path::Path};

use burn::module::Module as _;
use schemars::JsonSchema;
use schemas::toml_file::{Defaults, Setting, Spanned, TomlFile};
use serde::Deserialize;
use serde_json::Value;
use xxhash_rust::xxh3::{Xxh3, xxh3_128};

use super::{
    answer_scores::AnswerScores,
    best_of_n::{self, BestOfN},
    data::{DataConfig, HashedData, TrainingData, absolute},
    example_data::ExampleDataConfig,
    json_rows,
    language_model::Trained,
    policy_page,
    policy_scores::PolicyScores,
    ppo_config::{PretrainingMix, PretrainingMixConfig, RolloutConfig},
    preset::{self, with_preset},
    rollouts::{Author, Rollouts, drawn_from},
    samples::{generate_samples, sample_prompts},
    score_source::{ScoreConfig, ScoreSource},
    session::{Options, Session, check_loop, identity},
    training::TrainingConfig,
};
use crate::{
    checkpoint,
    data::{Batch, BatchSource, Batches, Lost, PromptStream, Prompts, PromptsReader, SplitReader as _},
    error::{Error, Result},
    model::{ActorCritic, Architecture, Gpt, LoraConfig, ModelConfig, RewardModel, named_parameters},
    objective::{EvalSets, Ppo},
    optimize::{OptimizerConfig, Schedule},
    trainer::{Progress, Sampler, ThroughputMeter, TrainOutcome, TrainingInputs, flops_per_token},
};

/// Reinforcement learning as it is written. Paths start at the file's folder.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PpoConfig {
    /// Published numbers, for whatever is not written.
    #[serde(default)]
    pub preset: Option<PpoPreset>,
    /// The seed of every draw.
    pub seed: u64,
    /// What is answered: rows of a `prompt`, whatever else they have; or of a `text`, whose first tokens are continued.
    #[schemars(with = "ExampleDataConfig")]
    pub data: Spanned<ExampleDataConfig>,
    /// The policy, which goes on `from` a model that is there: that is the reference, too.
    #[schemars(with = "ModelConfig")]
    pub model: Spanned<ModelConfig>,
    /// Low-rank adapters, which are trained in place of the policy's weights; the value network is trained whole.
    #[serde(default)]
    pub lora: Option<LoraConfig>,
    /// What gives answers their scores.
    pub reward: ScoreConfig,
    /// What the reward stands for, where that can be had, too: answers of validation are scored by it, and nothing is learnt from it. So one sees
    /// where the two part.
    #[serde(default)]
    pub gold_reward: Option<ScoreConfig>,
    /// How the policy writes, and learns from what it wrote.
    #[schemars(with = "RolloutConfig")]
    pub ppo: Spanned<RolloutConfig>,
    /// Texts that it should not forget.
    #[serde(default)]
    pub pretraining: Option<PretrainingMixConfig>,
    /// The training loop. `steps` are the optimizer's; `epochs` count how often each prompt is answered; `batch_size` counts episodes of a step,
    /// and `evaluate_sequences` prompts. By default a spike is a loss that is no number, since that of advantages is about 0.
    pub training: TrainingConfig,
    /// The learning rate.
    pub learning_rate: Schedule,
    /// The optimizer.
    #[serde(default)]
    pub optimizer: OptimizerConfig,
}

/// Published numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PpoPreset {
    /// `InstructGPT` with 1.3 billion parameters (Ouyang et al. 2022, appendix C.4): rollouts of 512 episodes, 8 batches of 64, one pass; a KL
    /// coefficient of 0.02, clipping at 0.2, no discount, a temperature of 1; Adam with 0.9 and 0.95, a rate that is constant after ten
    /// rollouts' warm-up, an average of the weights with 0.992. The rate was swept from 2.55e-6 to 2.55e-5, and without pretraining texts all above 8.05e-6 diverged: 8e-6 here.
    /// `[pretraining]` has a weight of 27.8 and 8 sequences an episode where it is written.
    #[serde(rename = "instructgpt")]
    InstructGpt,
    /// Continuations by sentiment of lm-human-preferences (Ziegler et al. 2019, their code): rollouts of 512 episodes in one batch, four passes,
    /// 24 tokens at a temperature of 0.7 behind 64 tokens of a text, a KL coefficient of 0.15 that is adapted to 6 nats, values that count 0.1,
    /// rewards divided by their deviation, 1e-5 with a straight line to 0.
    LmHumanPreferences,
}

impl PpoPreset {
    /// The weight and the sequences for each episode of pretraining texts, where there are some.
    fn pretraining(self) -> Option<(f64, usize)> {
        match self {
            Self::InstructGpt => Some((27.8, 8)),
            Self::LmHumanPreferences => None,
        }
    }

    pub(super) fn defaults(self) -> Defaults {
        const ALTERNATIVES: &[(&str, &str)] = &[
            ("training.steps", "training.epochs"),
            ("learning_rate.warmup_ratio", "learning_rate.warmup_steps"),
            ("optimizer.name", "optimizer.beta1"),
            ("optimizer.name", "optimizer.beta2"),
            ("optimizer.name", "optimizer.epsilon"),
            ("optimizer.name", "optimizer.weight_decay"),
        ];
        let text = match self {
            Self::InstructGpt => {
                "[ppo]\nepisodes = 512\nepochs = 1\nkl_coefficient = 0.02\ntemperature = 1.0\n\
                 [training]\nbatch_size = 64\nema_decay = 0.992\n\
                 [learning_rate]\npeak = 8e-6\nshape = \"constant\"\nwarmup_steps = 80\n\
                 [optimizer]\nbeta1 = 0.9\nbeta2 = 0.95\nweight_decay = 0.0\n"
            }
            Self::LmHumanPreferences => {
                "[ppo]\nepisodes = 512\nepochs = 4\nmax_new_tokens = 24\nprompt_tokens = 64\ntemperature = 0.7\n\
                 kl_coefficient = 0.15\nkl_target = 6.0\nwhiten_rewards = true\n\
                 [training]\nbatch_size = 512\n\
                 [learning_rate]\npeak = 1e-5\nshape = \"linear\"\nfinal_share = 0.0\n\
                 [optimizer]\nbeta1 = 0.9\nbeta2 = 0.999\nepsilon = 1e-5\nweight_decay = 0.0\n"
            }
        };
        Defaults { text, alternatives: ALTERNATIVES }
    }
}

/// What holds where nothing else is written.
const USUAL: Defaults = Defaults {
    text: "
        [training]
        evaluate_sequences = 64
        [training.spikes]
        deviations = 1e9
    ",
    alternatives: &[],
};

/// A checked configuration: the data and the tokenizer are there.
#[derive(Debug, Clone)]
pub struct PolicyTraining {
    config: PpoConfig,
    trained: Trained,
    json: Value,
    /// What gives scores: where it lies.
    source: ScoreSource,
    /// What that stands for: where it lies.
    gold: Option<ScoreSource>,
    /// Texts that it should not forget, and what they count.
    texts: Option<(TrainingData, PretrainingMix)>,
}

impl PolicyTraining {
    /// Reads and checks a configuration, with `settings` in place of what it says. Paths in settings start at the current folder, like any path
    /// on the command line.
    ///
    /// # Errors
    /// An unknown key, a missing file, a model that is not there: with path, line and column.
    pub fn read(path: &Path, settings: &[Setting]) -> Result<Self> {
        let settings: Vec<Setting> = settings.iter().map(absolute).collect();
        let file = with_preset(TomlFile::read(path)?, &settings, PpoPreset::defaults)?.with_defaults(USUAL);
        let config: PpoConfig = file.parse(&settings)?;
        let mut json: Value = file.parse(&settings)?;
        let PpoConfig { data, model, lora, ppo, pretraining, training, learning_rate, optimizer, .. } = &config;
        let documents = Spanned::new(data.span(), data.get_ref().documents());
        let trained = Trained::check(&file, &settings, model, lora.as_ref(), &documents, &mut json)?;
        let Some(pretrained) = &trained.pretrained else {
            let message = "a policy begins as a model that writes already: `[model] from` names it";
            return Err(file.fault(model.span(), message).into());
        };
        if trained.architecture.has_encoder() {
            let message = "a policy is a decoder, and this model has an encoder";
            return Err(file.fault(model.span(), message).into());
        }
        check_loop(&file, &settings, training, learning_rate, optimizer)?;
        if training.evaluate.is_some() {
            let message = "a policy is judged by its answers; `train evaluate` asks its checkpoints tasks".to_owned();
            return Err(file.fault_of("training.evaluate", &settings, message).into());
        }
        let context_length = trained.architecture.context_length;
        let fault = |table: &str, (key, message): (&str, String)| {
            Error::from(file.fault_of(&format!("{table}.{key}"), &settings, message))
        };
        if let Some(found) = ppo.get_ref().fault(training.batch_size, context_length) {
            return Err(fault("ppo", found));
        }
        let source = ScoreSource::check(&file, &settings, "reward", &config.reward)?;
        let gold = config.gold_reward.as_ref();
        let gold = gold.map(|gold| ScoreSource::check(&file, &settings, "gold_reward", gold)).transpose()?;
        let texts = match pretraining {
            None => None,
            Some(mix) => {
                let of_preset = config.preset.and_then(PpoPreset::pretraining);
                let checked = mix.checked(of_preset, context_length).map_err(|found| fault("pretraining", found))?;
                let tokenizer = pretrained.tokenizer();
                Some((TrainingData::check(&file, &texts_config(mix, data), tokenizer.as_deref())?, checked))
            }
        };
        if let Some(table) = json.as_object_mut() {
            // what it stands for is written out
            table.remove(preset::KEY);
            // where it lies is no part of the training, and what it says is
            table.remove("reward");
            table.remove("gold_reward");
            let mut numbers = serde_json::to_value(ppo.get_ref()).expect("numbers are JSON");
            if let Some(numbers) = numbers.as_object_mut() {
                // one ends a training, and one is what it is seen beside: neither changes it
                numbers.retain(|key, _| !["max_kl", "best_of_n"].contains(&key.as_str()));
            }
            table.insert("ppo".into(), numbers);
            table.insert("reward_source".into(), source.json()?);
            // curves of two golds would be one line
            if let Some(gold) = &gold {
                table.insert("gold_source".into(), gold.json()?);
            }
        }
        Ok(Self { config, trained, json, source, gold, texts })
    }
}

/// The texts of `[pretraining]`, as a training reads texts.
fn texts_config(mix: &PretrainingMixConfig, data: &Spanned<ExampleDataConfig>) -> Spanned<DataConfig> {
    let documents =
        ExampleDataConfig { mixture: Some(mix.mixture.clone()), sources: BTreeMap::new(), ..data.get_ref().clone() };
    Spanned::new(mix.mixture.span(), documents.documents())
}

/// Trains a policy, or goes on training one.
///
/// # Errors
/// When the data, the folder or a checkpoint is at fault: the error names it; when a score is no number, or the policy leaves its reference.
pub fn reinforce(training: &PolicyTraining, options: &Options, progress: &mut dyn Progress) -> Result<TrainOutcome> {
    let PolicyTraining { config, trained, json, source, gold, texts } = training;
    let Trained { architecture, pretrained, adaptation, data, .. } = trained;
    let PpoConfig { seed, ppo, training: steps, learning_rate, optimizer, .. } = config;
    let (ppo, tokenizer) = (ppo.get_ref(), data.tokenizer());
    let pretrained = pretrained.as_deref().expect("a configuration without one was refused");
    let hashed = data.hash()?;
    let hashed_texts = match texts {
        Some((texts, mix)) => Some((texts.hash()?, *mix)),
        None => None,
    };
    let mut json = json.clone();
    if let Some((hashed, mix)) = &hashed_texts {
        json["pretraining"] = serde_json::to_value(mix).expect("numbers are JSON");
        json["pretraining"]["sha256"] = hashed.hashes().1.into();
    }
    let mut identity = identity(&json, hashed.order(), hashed.hashes(), Some(pretrained), options.threads)?;
    if let Some(adaptation) = adaptation {
        adaptation.record(&mut identity, pretrained, tokenizer)?;
    }
    let known_by = serde_json::to_string(&identity).expect("an identity is JSON");
    let session = Session::begin(options, steps.precision, identity, progress)?;
    if let Some(note) = tokenizer.note() {
        progress.note(&note);
    }

    let scores = source.open(tokenizer, options.device)?;
    let gold = gold.as_ref().map(|gold| gold.open(tokenizer, options.device)).transpose()?;
    scores.note().iter().chain(&gold.as_ref().and_then(AnswerScores::note)).for_each(|note| progress.note(note));
    let context_length = episode_length(training, &scores, progress)?;
    reads_episodes(training, gold.as_ref(), context_length)?;
    let mut lost = Vec::new();
    let prompts = read_prompts(training, &hashed, context_length, &mut lost, progress)?;
    let [policy, reference] = policy_and_reference(training, &session, progress)?;
    let value = value_network(training, &scores, &session, progress)?;
    let model = ActorCritic::new(policy, value).computing_in(steps.precision);
    let reference = reference.computing_in(steps.precision);
    tokenizer.save(&options.out)?;
    let Architecture { num_layers, hidden_size, .. } = *architecture;
    let flops = flops_per_token(model.num_params(), num_layers, hidden_size, prompts.mean_length + ppo.max_new_tokens);
    let mut loop_config = steps.loop_config(*seed, *learning_rate, optimizer);
    let ready = session.with_model(model, &loop_config)?;
    let answered = prompts.train.count() * ppo.epochs as u64;
    loop_config.ends_after(steps.steps_of(answered), options.until);

    let together = (steps.batch_size / steps.gradient_accumulation).max(1);
    let (pretraining, eval_sets) = match &hashed_texts {
        Some((hashed, mix)) => pretraining_texts(hashed, *mix, training, options, &mut lost, progress)?,
        None => (None, None),
    };
    let author = |seed: u64| Author { config: ppo, tokenizer, reference: &reference, scores: &scores, together, seed };
    let judge = author(seed ^ EVALUATION);
    let (prompts_of_evaluation, hash) = evaluation_prompts(&prompts.validation, steps, *seed);
    progress.note(&format!("evaluated on answers to {} prompts", prompts_of_evaluation.len()));
    let key = format!("{:032x}", xxh3_128(format!("{known_by} {hash}").as_bytes()));
    let author_of_n = author(seed ^ BEST_OF_N);
    let best_of_n = find_best_of_n(&author_of_n, gold.as_ref(), &prompts_of_evaluation, &key, options, progress)?;
    let evaluator = PolicyScores {
        author: judge,
        prompts: prompts_of_evaluation,
        hash,
        texts: eval_sets,
        gold: gold.as_ref(),
        out: &options.out,
    };
    let mut rollouts = Rollouts {
        seed: *seed,
        config: ppo,
        batch_size: steps.batch_size,
        together,
        tokenizer,
        prompts: prompts.train,
        reference: &reference,
        scores: &scores,
        pretraining,
        kl_coefficient: ppo.kl_coefficient,
        current: None,
        notes: Vec::new(),
    };
    let objective = Ppo {
        clip: ppo.clip,
        value_clip: ppo.value_clip,
        value_weight: ppo.value_weight,
        drawn: drawn_from(ppo, tokenizer),
        pretraining_weight: hashed_texts.as_ref().map_or(0.0, |(_, mix)| mix.weight),
    };
    let samples = steps.samples.as_ref();
    let prompts = sample_prompts(samples, |prompt| tokenizer.prompt(prompt))?;
    let stops = tokenizer.ends().to_vec();
    let generate = |model: &ActorCritic, step| match samples {
        Some(samples) => generate_samples(model.policy(), step, samples, (&prompts, &stops), *seed, tokenizer),
        None => Ok(Vec::new()),
    };
    let sampler = samples.map(|samples| Sampler { every: samples.every, generate: &generate });
    let meter = ThroughputMeter::new(flops, steps.peak_tflops);
    let mut inputs = TrainingInputs { objective, batches: &mut rollouts, evaluator: &evaluator, sampler };
    let outcome = ready.run(&loop_config, &mut inputs, meter, &lost, progress);
    // one that ended with an error is to be understood all the more
    if let Err(error) = policy_page::write(&options.out, &best_of_n) {
        progress.note(&format!("its page is not written: {error}"));
    }
    outcome
}

/// Sequences of texts by the number of their batch.
type PretrainingBatches = Box<dyn BatchSource<Batch = Batch>>;

/// The sequences of `[pretraining]`, unless nothing is learnt from them, and those that a policy is judged by.
fn pretraining_texts(
    hashed: &HashedData<'_>,
    mix: PretrainingMix,
    training: &PolicyTraining,
    options: &Options,
    lost: &mut Vec<Lost>,
    progress: &mut dyn Progress,
) -> Result<(Option<PretrainingBatches>, Option<EvalSets>)> {
    let PpoConfig { seed, training: steps, .. } = &training.config;
    let together = (steps.batch_size / steps.gradient_accumulation).max(1);
    let mut note = |text: &str| progress.note(text);
    let mut cache = hashed.data.cache(&options.cache(), &mut note);
    let eval_sets = hashed.eval_sets(mix.sequence_length, *seed, steps.evaluate_sequences, together, &mut cache)?;
    let mut learnt: Option<PretrainingBatches> = None;
    if mix.weight > 0.0 {
        let sequences = hashed.training(mix.sequence_length, *seed, &mut cache)?;
        learnt = Some(Box::new(Batches::new(sequences, steps.batch_size * mix.sequences)));
    }
    lost.extend(cache.lost().iter().cloned());
    Ok((learnt, Some(eval_sets)))
}

/// Makes sure that what the reward stands for reads all of an episode.
fn reads_episodes(training: &PolicyTraining, gold: Option<&AnswerScores>, longest: usize) -> Result<()> {
    let Some((of_gold, source)) = gold.and_then(AnswerScores::value_network).zip(training.gold.as_ref()) else {
        return Ok(());
    };
    let reads = of_gold.0.context_length;
    if reads > longest {
        return Ok(());
    }
    let message =
        format!("it reads {reads} tokens, and a prompt with its answer and the end has up to {}", longest + 1);
    Err(Error::Data { path: source.path().to_owned(), message })
}

/// What the best of n answers of the reference is worth, if that is not known from before; nothing, where it is not asked for, or told to stop.
///
/// - `key`: the hash of all that it follows from
fn find_best_of_n(
    author: &Author<'_>,
    gold: Option<&AnswerScores>,
    prompts: &[Vec<u32>],
    key: &str,
    options: &Options,
    progress: &mut dyn Progress,
) -> Result<Vec<BestOfN>> {
    let Some(most) = author.config.best_of_n else { return Ok(Vec::new()) };
    if let Some(found) = BestOfN::read(&options.out, most, key)? {
        return Ok(found);
    }
    progress.note(&format!("the reference gives {most} answers to each of these prompts"));
    let found = BestOfN::of_reference(author, gold, prompts, (most, key), &|| progress.should_stop())?;
    let Some(found) = found else { return Ok(Vec::new()) };
    found.iter().for_each(|found| progress.note(&found.to_string()));
    json_rows::write(&options.out.join(best_of_n::FILE), &found)?;
    Ok(found)
}

/// What tells the draws of evaluations from those of rollouts.
const EVALUATION: u64 = 0x6a09_e667_f3bc_c908;

/// What tells the draws of the reference's many answers from both.
const BEST_OF_N: u64 = 0xbb67_ae85_84ca_a73b;

/// The prompts of all sources.
struct AllPrompts {
    train: PromptStream,
    validation: Prompts,
    /// The mean length of prompts to train on, in tokens.
    mean_length: usize,
}

/// Tokens of a prompt with its answer, at most: as many as both the policy and the value network read.
fn episode_length(training: &PolicyTraining, scores: &AnswerScores, progress: &mut dyn Progress) -> Result<usize> {
    let PolicyTraining { config: PpoConfig { ppo, .. }, trained: Trained { architecture, .. }, source, .. } = training;
    let (own, max_new_tokens) = (architecture.context_length, ppo.get_ref().max_new_tokens);
    let Some(of_value) = scores.value_network().map(|(of_value, _)| of_value.context_length) else { return Ok(own) };
    // an answer that the policy did not end is scored with an end behind it
    let most = of_value - 1;
    if most >= own {
        return Ok(own);
    }
    if max_new_tokens >= most {
        let message = format!(
            "it reads {of_value} tokens, and there is no room for a prompt before an answer of `ppo.max_new_tokens`, {max_new_tokens}, and its end"
        );
        return Err(Error::Data { path: source.path().to_owned(), message });
    }
    if of_value < own {
        progress.note(&format!(
            "a prompt and its answer have {most} tokens at most, since the reward model reads {of_value}; the policy reads {own}"
        ));
    }
    Ok(most)
}

fn read_prompts(
    training: &PolicyTraining,
    hashed: &HashedData<'_>,
    context_length: usize,
    lost: &mut Vec<Lost>,
    progress: &mut dyn Progress,
) -> Result<AllPrompts> {
    let PolicyTraining { config: PpoConfig { seed, ppo, .. }, trained: Trained { data, .. }, .. } = training;
    let RolloutConfig { max_new_tokens, prompt_tokens, .. } = *ppo.get_ref();
    let reader = PromptsReader {
        tokenizer: data.tokenizer(),
        longest: context_length - max_new_tokens,
        of_text: prompt_tokens,
        options: data.read_options(),
    };
    let (mut train, mut validation) = (Vec::new(), Prompts::default());
    let (mut tokens, mut count) = (0, 0);
    for (name, weight, files) in hashed.sources() {
        let [own, drawn] = reader.training(files, *seed, data.validation_share(), lost)?;
        let for_validation = reader.validation(files, lost)?;
        let fault =
            |what: String| Error::Data { path: files.path().to_owned(), message: format!("there is no prompt {what}") };
        if own.count() == 0 {
            return Err(fault(format!("to learn from, and {} are held out to judge by", drawn.count())));
        }
        if for_validation.count() + drawn.count() == 0 {
            let help =
                "neither in files validation-* nor drawn by the share `validation`: of few prompts a share may be none";
            return Err(fault(format!("to judge by, {help}")));
        }
        progress.note(&format!("{name}: {}", said(&own)));
        tokens += own.tokens();
        count += own.count();
        train.push((name.to_owned(), weight, own));
        validation.append(for_validation);
        validation.append(drawn);
    }
    progress.note(&format!("validation: {}", said(&validation)));
    lost.iter().for_each(|lost| progress.note(&lost.to_string()));
    Ok(AllPrompts { train: PromptStream::new(train, *seed), validation, mean_length: tokens / count })
}

/// How many prompts there are, what was cut off them, and what was left out.
fn said(prompts: &Prompts) -> String {
    let cut = prompts.cut();
    let cut = match cut.sequences {
        0 => String::new(),
        sequences => {
            format!("; {sequences} left no room for an answer, and lost {} tokens at their beginnings", cut.tokens)
        }
    };
    format!("{} prompts, {} tokens{cut}", prompts.count(), prompts.tokens())
}

/// The prompts that a policy is judged by, and their hash.
fn evaluation_prompts(prompts: &Prompts, steps: &TrainingConfig, seed: u64) -> (Vec<Vec<u32>>, String) {
    let numbers = prompts.sample(seed, steps.evaluate_sequences);
    let drawn: Vec<Vec<u32>> = numbers.iter().map(|number| prompts.get(*number).to_vec()).collect();
    let mut hash = Xxh3::new();
    for ids in &drawn {
        hash.update(&(ids.len() as u64).to_le_bytes());
        ids.iter().for_each(|id| hash.update(&id.to_le_bytes()));
    }
    (drawn, format!("{:032x}", hash.digest128()))
}

/// The policy that a training begins with, and the model that it is held to, without gradients. They share what they have in common.
fn policy_and_reference(
    training: &PolicyTraining,
    session: &Session<'_>,
    progress: &mut dyn Progress,
) -> Result<[Gpt; 2]> {
    let PolicyTraining { config: PpoConfig { seed, .. }, trained, .. } = training;
    let Trained { architecture, pretrained, adaptation, data, .. } = trained;
    let pretrained = pretrained.as_deref().expect("a configuration without one was refused");
    let (rows, device) = (pretrained.rows(data.tokenizer()), session.device());
    let (loaded, what) = pretrained.load_whole(architecture.zeros(rows, device), *seed)?;
    let reference = trained.reference(loaded.clone(), *seed)?.valid();
    if !session.goes_on() {
        pretrained.notes().iter().for_each(|note| progress.note(note));
        progress.note(&format!("begins from {pretrained}: {what}"));
    }
    let policy = match adaptation {
        Some(adaptation) => adaptation.attach(loaded, *seed, session.goes_on(), progress)?,
        None if session.goes_on() => architecture.zeros(rows, device),
        None => loaded,
    };
    Ok([policy, reference])
}

/// The value network that a training begins with; zeros, where it goes on from a checkpoint.
fn value_network(
    training: &PolicyTraining,
    scores: &AnswerScores,
    session: &Session<'_>,
    progress: &mut dyn Progress,
) -> Result<RewardModel> {
    let PolicyTraining { config: PpoConfig { seed, .. }, trained, source, .. } = training;
    let Trained { architecture, pretrained, data, .. } = trained;
    let pretrained = pretrained.as_deref().expect("a configuration without one was refused");
    let device = session.device();
    if let Some((of_reward, model)) = scores.value_network() {
        let zeros = of_reward.zeros_reward_model(model.model().vocab_size(), device);
        if session.goes_on() {
            return Ok(zeros);
        }
        progress.note(&format!("the value network begins as the reward model in {}", source.path().display()));
        return checkpoint::with_weights(zeros, named_parameters(model), source.path());
    }
    let zeros = architecture.zeros_reward_model(pretrained.rows(data.tokenizer()), device);
    if session.goes_on() {
        return Ok(zeros);
    }
    progress.note(&format!("the value network begins as {pretrained}, with a head of zeros"));
    // which says nothing until it has learnt something, whatever head the folder has
    Ok(pretrained.load_with_head(zeros, *seed)?.0.with_zero_head())
}
