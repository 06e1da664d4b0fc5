//! What a policy learns from by reinforcement: answers that it writes itself, scored and held against a reference.
//!
//! ```text
//! prompts -> the policy writes -> log-probabilities, values, references, scores -> rewards -> advantages      a rollout
//! rollout -> minibatches, shuffled anew in each epoch                                                        -> steps
//! ```
//!
//! A rollout is made when the first of its batches is asked for, by the policy as it is then; its batches are a function of their number, and of
//! it. So it is remembered by checkpoints, with the KL coefficient that came of those before: a training that goes on in the middle of an epoch
//! has the batches that it would have had.
//!
//! Sampling is pure: the whole distribution at one temperature, at which all log-probabilities are taken, too.
//!
//! Source: Ziegler et al. 2019; Ouyang et al. 2022 (`InstructGPT`), section 3.5 and appendix C.4; Huang et al. 2024 (The N+ implementation details
//! of RLHF with PPO).

use std::sync::Arc;

use burn::module::Module as _;

use super::{
    answer_scores::{AnswerScores, Written},
    memory::{Memory, Remembered},
    ppo_config::RolloutConfig,
};
use crate::{
    data::{Batch, BatchSource, Episode, EpisodeBatch, PromptStream, Shuffle, by_like_length},
    error::{Error, Result},
    generate::{
        Sampling,
        continuous::{BatchLimits, ContinuousBatch, FinishReason, GenerationEvent, GenerationRequest},
    },
    inference::{InferenceModel, WeightFormat},
    model::{ActorCritic, Gpt, NamedTensor},
    objective::{Drawn, answer_values, policy_log_probabilities},
    rollout::{Advantages, KlControl, advantages, explained_variance, kl, kl_k3, token_rewards, whiten},
    tokenizer::Tokenizer,
    trainer::StepBatches,
};

/// What makes rollouts.
pub(super) struct Rollouts<'r> {
    pub seed: u64,
    pub config: &'r RolloutConfig,
    /// Episodes of a step.
    pub batch_size: usize,
    /// Episodes that go through a model together.
    pub together: usize,
    pub tokenizer: &'r Tokenizer,
    pub prompts: PromptStream,
    /// The model that the policy is held to.
    pub reference: &'r Gpt,
    pub scores: &'r AnswerScores,
    /// Pretraining sequences by the number of the batch.
    pub pretraining: Option<Box<dyn BatchSource<Batch = Batch> + 'r>>,
    /// The KL coefficient of the next rollout.
    pub kl_coefficient: f64,
    pub current: Option<Rollout>,
    /// What is to be said of the last rollout.
    pub notes: Vec<String>,
}

/// The answers of a policy at one time.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Rollout {
    /// Its number.
    number: u64,
    answers: Answers,
    advantages: Vec<Vec<f32>>,
    returns: Vec<Vec<f32>>,
    figures: Vec<(&'static str, f32)>,
}

/// Answers, and what models make of their tokens.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Answers {
    pub written: Vec<Written>,
    /// Whether each ends where the model ended it, and not for want of room.
    pub ended: Vec<bool>,
    /// `[answers][tokens]`, by the policy.
    pub log_probabilities: Vec<Vec<f32>>,
    /// `[answers][tokens]`, by the value network.
    pub values: Vec<Vec<f32>>,
    /// `[answers][tokens]`, by the reference.
    pub references: Vec<Vec<f32>>,
    /// `[answers]`, with what a missing end costs.
    pub scores: Vec<f64>,
}

impl Answers {
    /// The mean score.
    pub fn mean_score(&self) -> f64 {
        self.scores.iter().sum::<f64>() / self.scores.len() as f64
    }

    /// The KL divergence of each answer from the reference, in nats.
    pub fn kl(&self) -> impl Iterator<Item = f64> {
        let each = self.log_probabilities.iter().zip(&self.references);
        each.map(|(own, reference)| kl(own, reference))
    }

    /// The mean KL divergence from the reference, in nats an answer.
    pub fn mean_kl(&self) -> f64 {
        self.kl().sum::<f64>() / self.written.len() as f64
    }

    /// The mean number of tokens.
    pub fn mean_length(&self) -> f64 {
        self.log_probabilities.iter().map(Vec::len).sum::<usize>() as f64 / self.written.len() as f64
    }

    /// The share that ends where the model ended it.
    pub fn share_ended(&self) -> f64 {
        self.ended.iter().filter(|ended| **ended).count() as f64 / self.ended.len() as f64
    }
}

/// What answers are made with.
pub(super) struct Author<'a> {
    pub config: &'a RolloutConfig,
    pub tokenizer: &'a Tokenizer,
    pub reference: &'a Gpt,
    pub scores: &'a AnswerScores,
    /// Answers that go through a model together.
    pub together: usize,
    /// The seed of what is drawn.
    pub seed: u64,
}

impl Author<'_> {
    /// The answers of a policy to prompts, with all that is to be known of them.
    ///
    /// - `model`: without gradients
    /// - `first`: the number of the first answer, by which draws are told apart
    /// - `with_values`: whether the value network is asked, too
    ///
    /// # Errors
    /// When the policy computes what is no number, or a score is none: the prompt is named.
    pub fn answers(&self, model: &ActorCritic, prompts: &[Vec<u32>], first: u64, with_values: bool) -> Result<Answers> {
        let mut answers = self.scored(model.policy(), prompts, first)?;
        self.judge(model, with_values, &mut answers);
        Ok(answers)
    }

    /// The answers of a policy to prompts with their scores, and nothing else.
    ///
    /// - `first`: as in [`Self::answers`]
    ///
    /// # Errors
    /// As [`Self::answers`].
    pub fn scored(&self, policy: &Gpt, prompts: &[Vec<u32>], first: u64) -> Result<Answers> {
        let (written, ended) = self.written(policy, prompts, first)?;
        let mut scores = self.scores_by(self.scores, &written)?;
        for (score, ended) in scores.iter_mut().zip(&ended) {
            if !ended {
                *score -= self.config.missing_eos_penalty;
            }
        }
        Ok(Answers { written, ended, scores, ..Answers::default() })
    }

    /// What some scores give answers.
    ///
    /// # Errors
    /// When one is no number: its prompt is named.
    pub fn scores_by(&self, source: &AnswerScores, written: &[Written]) -> Result<Vec<f64>> {
        let scores = source.scores(written, self.tokenizer)?;
        if let Some(place) = scores.iter().position(|score| !score.is_finite()) {
            let Written { ids, prompt } = &written[place];
            let [prompt, answer] = [&ids[..*prompt], &ids[*prompt..]].map(|ids| self.tokenizer.decode(ids));
            return Err(Error::Score { score: scores[place], prompt: prompt?, answer: answer? });
        }
        Ok(scores)
    }

    /// Texts that the policy writes behind prompts, and whether it ended each.
    fn written(&self, policy: &Gpt, prompts: &[Vec<u32>], first: u64) -> Result<(Vec<Written>, Vec<bool>)> {
        let model = Arc::new(InferenceModel::new(policy, WeightFormat::F32));
        let suppressed: Arc<[u32]> = self.tokenizer.unused(model.vocab_size()).into();
        let eos: Arc<[u32]> = self.tokenizer.ends().into();
        let sampling = Sampling { temperature: self.config.temperature, top_k: 0, top_p: 1.0, seed: self.seed };
        let mut batch = ContinuousBatch::new(model, BatchLimits::default());
        for (place, prompt) in (0u64..).zip(prompts) {
            let request = GenerationRequest {
                prompt: prompt.clone(),
                max_new_tokens: self.config.max_new_tokens,
                sampling,
                sample: first + place,
                eos: Arc::clone(&eos),
                suppressed: Arc::clone(&suppressed),
                logit_bias: Vec::new(),
                logprobs: None,
                echo: false,
            };
            let id = || format!("{}", first + place);
            batch.add(place, request).map_err(|fault| Error::Prompt { id: id(), message: fault.to_string() })?;
        }
        let alone = |prompt: &Vec<u32>| Written { ids: prompt.clone(), prompt: prompt.len() };
        let mut written: Vec<Written> = prompts.iter().map(alone).collect();
        let (mut ended, mut broken) = (vec![false; prompts.len()], None);
        while !batch.is_idle() {
            batch.step(&mut |key, event| {
                let place = usize::try_from(key).expect("a place among the prompts");
                match event {
                    GenerationEvent::Token(score) => written[place].ids.push(score.id),
                    GenerationEvent::Finished { reason: FinishReason::EndOfText } => ended[place] = true,
                    GenerationEvent::Prompt { .. } | GenerationEvent::Finished { reason: FinishReason::Length } => {}
                    GenerationEvent::Finished { reason: FinishReason::NotANumber } => broken = Some(place),
                }
            });
            if let Some(place) = broken {
                let id = self.tokenizer.decode(&prompts[place])?;
                return Err(Error::NotANumber { id });
            }
        }
        Ok((written, ended))
    }

    /// Takes log-probabilities and values of all tokens, by length, so that little is padded.
    fn judge(&self, model: &ActorCritic, with_values: bool, answers: &mut Answers) {
        let written = &answers.written;
        let drawn = drawn_from(self.config, self.tokenizer);
        let judged = by_like_length(
            written.len(),
            self.together,
            |place| written[place].ids.len(),
            |places| {
                let of_places = || places.iter().map(|place| &written[*place]);
                let episodes: Vec<Episode<'_>> =
                    of_places().map(|Written { ids, prompt }| Episode::new(ids, *prompt)).collect();
                let batch = EpisodeBatch::new(&episodes, self.tokenizer.padding());
                let own = policy_log_probabilities(model.policy(), &batch, drawn);
                let values = if with_values { answer_values(model.value(), &batch) } else { vec![0.0; own.len()] };
                let references = policy_log_probabilities(self.reference, &batch, drawn);
                let mut begin = 0;
                let of_answer = |Written { ids, prompt }: &Written| {
                    let range = begin..begin + ids.len() - prompt;
                    begin = range.end;
                    [&own, &values, &references].map(|numbers| numbers[range.clone()].to_vec())
                };
                of_places().map(of_answer).collect()
            },
        );
        for [own, values, references] in judged {
            answers.log_probabilities.push(own);
            answers.values.push(values);
            answers.references.push(references);
        }
    }
}

/// What answers are drawn from.
pub(super) fn drawn_from(config: &RolloutConfig, tokenizer: &Tokenizer) -> Drawn {
    Drawn { temperature: config.temperature, tokens: tokenizer.vocab_size() }
}

impl Rollouts<'_> {
    /// Steps of a rollout.
    pub fn steps(&self) -> u64 {
        (self.config.epochs * self.config.episodes / self.batch_size) as u64
    }

    fn author(&self) -> Author<'_> {
        let Self { seed, config, together, tokenizer, reference, scores, .. } = *self;
        Author { config, tokenizer, reference, scores, together, seed }
    }

    /// Makes the rollout of a number by the policy as it is.
    fn make(&mut self, number: u64, model: &ActorCritic) -> Result<Rollout> {
        let episodes = self.config.episodes;
        let first = number * episodes as u64;
        let prompts = self.prompts.draw(first, episodes);
        let answers = self.author().answers(model, &prompts, first, true)?;
        let RolloutConfig { gamma, lambda, whiten_rewards, max_kl, .. } = *self.config;

        let mut rewards: Vec<Vec<f32>> = (0..episodes)
            .map(|place| {
                let (own, references) = (&answers.log_probabilities[place], &answers.references[place]);
                token_rewards(own, references, self.kl_coefficient, answers.scores[place])
            })
            .collect();
        if whiten_rewards {
            whiten_together(&mut rewards, false);
        }
        let (mut advantages_of, mut returns) = (Vec::with_capacity(episodes), Vec::with_capacity(episodes));
        for (rewards, values) in rewards.iter().zip(&answers.values) {
            let Advantages { advantages, returns: of_answer } = advantages(rewards, values, gamma, lambda);
            advantages_of.push(advantages);
            returns.push(of_answer);
        }
        whiten_together(&mut advantages_of, true);

        let kl = answers.mean_kl();
        if max_kl.is_some_and(|most| kl > most) || !kl.is_finite() {
            let most = max_kl.unwrap_or(f64::INFINITY);
            return Err(Error::RunawayKl { kl, most, score: answers.mean_score(), rollout: number });
        }
        if let [first, others @ ..] = &answers.scores[..]
            && !others.is_empty()
            && others.iter().all(|score| score.to_bits() == first.to_bits())
        {
            self.notes.push(format!(
                "all {episodes} answers of rollout {number} have the same score, {first}: nothing is learnt but what their divergence costs"
            ));
        }
        let figures = figures(&answers, &returns, self.kl_coefficient);
        let control = match self.config.kl_target {
            Some(target) => KlControl::Adaptive { target, horizon: self.config.kl_horizon },
            None => KlControl::Fixed,
        };
        self.kl_coefficient = control.next_coefficient(self.kl_coefficient, kl, episodes as u64);
        Ok(Rollout { number, answers, advantages: advantages_of, returns, figures })
    }
}

/// Whitens the numbers of all answers together.
fn whiten_together(numbers: &mut [Vec<f32>], shift_mean: bool) {
    let mut all = numbers.concat();
    whiten(&mut all, shift_mean);
    let mut rest = &all[..];
    for own in numbers {
        let (first, others) = rest.split_at(own.len());
        own.copy_from_slice(first);
        rest = others;
    }
}

/// What is said of a rollout in the log. Source: Huang et al. 2024, for those that people watch.
fn figures(answers: &Answers, returns: &[Vec<f32>], kl_coefficient: f64) -> Vec<(&'static str, f32)> {
    let count = answers.written.len() as f64;
    let pairs = || answers.log_probabilities.iter().zip(&answers.references);
    let tokens = answers.log_probabilities.concat();
    let entropy = -tokens.iter().map(|x| f64::from(*x)).sum::<f64>() / tokens.len() as f64;
    let mean = answers.mean_score();
    let deviation = (answers.scores.iter().map(|score| (score - mean).powi(2)).sum::<f64>() / count).sqrt();
    let figures = [
        mean,
        deviation,
        answers.mean_kl(),
        pairs().map(|(own, reference)| kl_k3(own, reference)).sum::<f64>() / count,
        kl_coefficient,
        entropy,
        answers.mean_length(),
        answers.share_ended(),
        explained_variance(&answers.values.concat(), &returns.concat()),
    ];
    #[expect(clippy::cast_possible_truncation, reason = "a log has single precision")]
    let single = |value: f64| value as f32;
    FIGURES.into_iter().zip(figures.map(single)).collect()
}

impl StepBatches<ActorCritic> for Rollouts<'_> {
    type Batch = EpisodeBatch;

    fn batch(&mut self, number: u64, model: &ActorCritic) -> Result<EpisodeBatch> {
        let steps = self.steps();
        let (of_rollout, within) = (number / steps, number % steps);
        if self.current.as_ref().is_none_or(|rollout| rollout.number != of_rollout) {
            self.current = Some(self.make(of_rollout, &model.valid())?);
        }
        let rollout = self.current.as_ref().expect("it was made");
        let in_epoch = self.config.episodes / self.batch_size;
        let (epoch, place) = (within / in_epoch as u64, within % in_epoch as u64);
        let purpose = format!("episodes of rollout {of_rollout} in epoch {epoch}");
        let order = Shuffle::new(self.seed, &purpose, self.config.episodes as u64);
        let first = place * self.batch_size as u64;
        let episodes: Vec<Episode<'_>> = (first..first + self.batch_size as u64)
            .map(|place| usize::try_from(order.at(place)).expect("episodes are in memory"))
            .map(|place| rollout.episode(place))
            .collect();
        let mut batch = EpisodeBatch::new(&episodes, self.tokenizer.padding());
        batch.figures.clone_from(&rollout.figures);
        batch.pretraining = self.pretraining.as_mut().map(|source| BatchSource::batch(source, number)).transpose()?;
        Ok(batch)
    }

    fn notes(&mut self) -> Vec<String> {
        std::mem::take(&mut self.notes)
    }

    fn memory(&self) -> Vec<NamedTensor> {
        let mut memory = Memory::default();
        memory.push_number("kl_coefficient", self.kl_coefficient);
        if let Some(Rollout { number, answers, advantages, returns, figures }) = &self.current {
            #[expect(clippy::cast_precision_loss, reason = "rollouts are fewer")]
            memory.push_number("rollout", *number as f64);
            memory.push_ids("ids", answers.written.iter().map(|written| &written.ids[..]));
            memory.push_ids("prompts", [&prompts(answers)[..]]);
            for (name, numbers) in [
                ("log_probabilities", &answers.log_probabilities),
                ("values", &answers.values),
                ("advantages", advantages),
                ("returns", returns),
            ] {
                memory.push(name, numbers.concat());
            }
            memory.push("figures", figures.iter().map(|(_, value)| *value).collect());
        }
        memory.into_tensors()
    }

    fn remember(&mut self, memory: Vec<NamedTensor>) -> std::result::Result<(), String> {
        self.current = None;
        if memory.is_empty() {
            self.kl_coefficient = self.config.kl_coefficient;
            return Ok(());
        }
        let memory = Remembered::new(memory);
        self.kl_coefficient = memory.number("kl_coefficient")?;
        if !memory.has("rollout") {
            return Ok(());
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it was a count")]
        let number = memory.number("rollout")? as u64;
        let all = memory.ids("ids")?;
        let prompts = memory.ids("prompts")?.concat();
        if all.len() != self.config.episodes || prompts.len() != all.len() {
            return Err(format!("it remembers {} episodes, and a rollout has {}", all.len(), self.config.episodes));
        }
        let written: Vec<Written> =
            all.into_iter().zip(prompts).map(|(ids, prompt)| Written { ids, prompt: prompt as usize }).collect();
        let lengths: Vec<usize> =
            written.iter().map(|Written { ids, prompt }| ids.len().saturating_sub(*prompt)).collect();
        let figures: Vec<(&'static str, f32)> = FIGURES.into_iter().zip(memory.values("figures")?).collect();
        let answers = Answers {
            written,
            log_probabilities: memory.split("log_probabilities", &lengths)?,
            values: memory.split("values", &lengths)?,
            ..Answers::default()
        };
        let advantages = memory.split("advantages", &lengths)?;
        let returns = memory.split("returns", &lengths)?;
        self.current = Some(Rollout { number, answers, advantages, returns, figures });
        Ok(())
    }
}

/// What is said of a rollout, by name. `entropy` is a mean over the tokens that were drawn, in nats.
const FIGURES: [&str; 9] = [
    "reward",
    "reward_deviation",
    "kl",
    "kl_a_token",
    "kl_coefficient",
    "entropy",
    "answer_tokens",
    "ended",
    "explained_variance",
];

/// Ids of each prompt.
fn prompts(answers: &Answers) -> Vec<u32> {
    let length = |written: &Written| u32::try_from(written.prompt).expect("a prompt is in memory");
    answers.written.iter().map(length).collect()
}

impl Rollout {
    fn episode(&self, place: usize) -> Episode<'_> {
        let Written { ids, prompt } = &self.answers.written[place];
        Episode {
            ids,
            prompt: *prompt,
            log_probabilities: &self.answers.log_probabilities[place],
            values: &self.answers.values[place],
            advantages: &self.advantages[place],
            returns: &self.returns[place],
        }
    }
}
