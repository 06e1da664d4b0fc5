//! The loop's part of a configuration, which every kind of training shares.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::training_tasks::TasksConfig;
use crate::{
    optimize::{OptimizerConfig, Schedule},
    tensor::Precision,
    trainer::{LoopConfig, SamplesConfig, SpikesConfig},
};

/// How a model is trained.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TrainingConfig {
    /// Optimizer steps; or `epochs`.
    #[serde(default)]
    pub steps: Option<u64>,
    /// Passes over the training data, in place of `steps`. Of several sources by weight, one is as many examples as all have together.
    #[serde(default)]
    pub epochs: Option<f64>,
    /// Sequences in a step, each of the model's context length.
    pub batch_size: usize,
    /// Micro-batches of a step, whose gradients are summed; they divide the batch size. More of them need less memory, and change
    /// only the last bits of the weights.
    #[serde(default = "one")]
    pub gradient_accumulation: usize,
    /// The precision of computation: `f32`, or, on a GPU, `bf16`. Parameters, gradients and optimizer states are always f32.
    #[serde(default)]
    pub precision: Precision,
    /// Gradients are clipped to this global norm.
    #[serde(default = "unit")]
    pub max_grad_norm: f64,
    /// What stays at a step of an exponential moving average of the weights, less than 1: evaluations, samples, and whatever reads the folder
    /// then take the average. With 0, the default, there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ema_decay: Option<f64>,
    /// Steps between lines of the log.
    #[serde(default = "ten")]
    pub log_every: u64,
    /// Steps between evaluations.
    #[serde(default = "hundred")]
    pub evaluate_every: u64,
    /// Sequences in an evaluation, at most: a random sample of the validation data, the same each time.
    #[serde(default = "sixty_four")]
    pub evaluate_sequences: usize,
    /// Evaluations in a row of which none was the best, after which the training ends before its last step. By default it does not.
    #[serde(default)]
    pub patience: Option<u64>,
    /// Steps between checkpoints.
    #[serde(default = "hundred")]
    pub save_every: u64,
    /// Checkpoints to keep, beside the best.
    #[serde(default = "two")]
    pub keep: usize,
    /// What counts as a spike, and what to do about one.
    #[serde(default)]
    pub spikes: SpikesConfig,
    /// Texts that the model generates meanwhile.
    #[serde(default)]
    pub samples: Option<SamplesConfig>,
    /// Tasks that the model is evaluated on meanwhile.
    #[serde(default)]
    pub evaluate: Option<TasksConfig>,
    /// The peak of the device in TFLOP/s; the log then has the model FLOPs utilization.
    #[serde(default)]
    pub peak_tflops: Option<f64>,
}

fn unit() -> f64 {
    1.0
}

fn one() -> usize {
    1
}

fn two() -> usize {
    2
}

fn ten() -> u64 {
    10
}

fn sixty_four() -> usize {
    64
}

fn hundred() -> u64 {
    100
}

/// The keys that may change between a start and a resume: they do not affect the weights, or are there to be changed when a training has
/// stopped early.
pub const FREE: [&str; 10] = [
    "log_every",
    "evaluate_every",
    "evaluate_sequences",
    "patience",
    "save_every",
    "keep",
    "spikes",
    "samples",
    "evaluate",
    "peak_tflops",
];

impl TrainingConfig {
    /// What is wrong with the numbers, if something is: the key, and the message.
    #[must_use]
    pub fn fault(&self) -> Option<(&'static str, String)> {
        let Self { batch_size, gradient_accumulation, spikes, .. } = self;
        let counts = [
            ("steps", self.steps.unwrap_or(1)),
            ("batch_size", *batch_size as u64),
            ("gradient_accumulation", *gradient_accumulation as u64),
            ("log_every", self.log_every),
            ("evaluate_every", self.evaluate_every),
            ("evaluate_sequences", self.evaluate_sequences as u64),
            ("patience", self.patience.unwrap_or(1)),
            ("save_every", self.save_every),
            ("keep", self.keep as u64),
            ("samples.every", self.samples.as_ref().map_or(1, |samples| samples.every)),
            ("samples.tokens", self.samples.as_ref().map_or(1, |samples| samples.tokens as u64)),
            ("evaluate.every", self.evaluate.as_ref().map_or(1, |tasks| tasks.every.unwrap_or(1))),
            ("evaluate.tasks", self.evaluate.as_ref().map_or(1, |tasks| tasks.tasks.len() as u64)),
            ("evaluate.shots", self.evaluate.as_ref().map_or(1, |tasks| tasks.shots.len() as u64)),
            ("samples.prompts", self.samples.as_ref().map_or(1, |samples| samples.prompts.len() as u64)),
        ];
        if let Some(&(key, _)) = counts.iter().find(|(_, count)| *count == 0) {
            return Some((key, "it has to be 1 or more".into()));
        }
        if self.steps.is_some() == self.epochs.is_some() {
            return Some(("steps", "it has either `steps` or `epochs`".into()));
        }
        if !batch_size.is_multiple_of(*gradient_accumulation) {
            let message = format!("{gradient_accumulation} micro-batches do not divide a batch size of {batch_size}");
            return Some(("gradient_accumulation", message));
        }
        if spikes.window < 2 {
            return Some(("spikes.window", "a deviation is taken of 2 steps or more".into()));
        }
        let positive = [
            ("epochs", self.epochs),
            ("max_grad_norm", Some(self.max_grad_norm)),
            ("peak_tflops", self.peak_tflops),
            ("spikes.deviations", Some(spikes.deviations)),
        ];
        let wrong = positive
            .into_iter()
            .find_map(|(key, number)| Some((key, number.filter(|number| number.is_nan() || *number <= 0.0)?)));
        if let Some((key, number)) = wrong {
            return Some((key, format!("it has to be more than 0, and is {number}")));
        }
        if let Some(decay) = self.ema_decay.filter(|decay| !(0.0..1.0).contains(decay)) {
            return Some(("ema_decay", format!("it has to be 0 or more and less than 1, and is {decay}")));
        }
        let temperature = self.samples.as_ref().map_or(0.0, |samples| samples.temperature);
        (!temperature.is_finite() || temperature < 0.0)
            .then(|| ("samples.temperature", format!("it has to be 0 or more, and is {temperature}")))
    }

    /// Steps in all, where an epoch has so many examples.
    #[must_use]
    pub fn steps_of(&self, examples: u64) -> u64 {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "steps can be counted")]
        let of_epochs = |epochs: f64| (epochs * examples as f64 / self.batch_size as f64).ceil() as u64;
        self.steps.or(self.epochs.map(of_epochs)).unwrap_or(0).max(1)
    }

    /// The step at which the epochs end, of so many examples each; none where steps are written, of which there may be more when a training
    /// goes on.
    #[must_use]
    pub fn end_of(&self, examples: u64) -> Option<u64> {
        self.epochs.map(|_| self.steps_of(examples))
    }

    /// The loop, checked. How many steps it has may not be known yet: see [`LoopConfig::ends_after`].
    #[must_use]
    pub fn loop_config(&self, seed: u64, schedule: Schedule, optimizer: &OptimizerConfig) -> LoopConfig {
        LoopConfig {
            steps: 0,
            until: 0,
            patience: self.patience,
            seed,
            micro_batches: self.gradient_accumulation,
            max_grad_norm: self.max_grad_norm,
            schedule,
            optimizer: optimizer.clone(),
            ema_decay: self.ema_decay.filter(|decay| *decay > 0.0),
            spikes: self.spikes,
            log_every: self.log_every,
            evaluate_every: self.evaluate_every,
            save_every: self.save_every,
            keep: self.keep,
        }
    }
}
