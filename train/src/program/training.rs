//! The loop's part of a configuration, which every kind of training shares.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    optimize::{AdamWConfig, Schedule},
    tensor::Precision,
    trainer::{LoopConfig, SamplesConfig, SpikesConfig},
};

/// How a model is trained.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TrainingConfig {
    /// Steps.
    pub steps: u64,
    /// Rows of the model's context in a step.
    pub rows: usize,
    /// Micro-batches that a step's rows go through the model in, one after the other; they divide the rows. More of them need
    /// less memory, and change no more than the last bits of the weights.
    #[serde(default = "one")]
    pub accumulate: usize,
    /// What numbers are computed in: `f32`, or, on a GPU, `bf16`. Parameters, their gradients and the optimizer's memory are f32 in
    /// any case.
    #[serde(default)]
    pub precision: Precision,
    /// The largest norm of all gradients together.
    #[serde(default = "unit")]
    pub clip: f64,
    /// Steps between lines of the log.
    #[serde(default = "ten")]
    pub log_every: u64,
    /// Steps between evaluations.
    #[serde(default = "hundred")]
    pub evaluate_every: u64,
    /// Rows that an evaluation takes, at most: drawn by hash from all that could judge, once for the whole training.
    #[serde(default = "sixty_four")]
    pub evaluate_rows: usize,
    /// Steps between checkpoints.
    #[serde(default = "hundred")]
    pub save_every: u64,
    /// Checkpoints that are kept, beside the best.
    #[serde(default = "two")]
    pub keep: usize,
    /// What counts as a spike, and what is done about one.
    #[serde(default)]
    pub spikes: SpikesConfig,
    /// Texts that the model writes meanwhile.
    #[serde(default)]
    pub samples: Option<SamplesConfig>,
    /// What the device can do at most, in million million operations a second; the log then says what share of it is used.
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

/// What decides nothing about the weights, or is meant to be changed when a training has come to an end before its time: it may
/// differ between a start and a resume.
pub const FREE: [&str; 8] =
    ["log_every", "evaluate_every", "evaluate_rows", "save_every", "keep", "spikes", "samples", "peak_tflops"];

impl TrainingConfig {
    /// What is wrong with the numbers, if something is: the key, and the message.
    #[must_use]
    pub fn fault(&self) -> Option<(&'static str, String)> {
        let Self { rows, accumulate, spikes, .. } = self;
        let counts = [
            ("steps", self.steps),
            ("rows", *rows as u64),
            ("accumulate", *accumulate as u64),
            ("log_every", self.log_every),
            ("evaluate_every", self.evaluate_every),
            ("evaluate_rows", self.evaluate_rows as u64),
            ("save_every", self.save_every),
            ("keep", self.keep as u64),
            ("samples.every", self.samples.as_ref().map_or(1, |samples| samples.every)),
            ("samples.tokens", self.samples.as_ref().map_or(1, |samples| samples.tokens as u64)),
            ("samples.prompts", self.samples.as_ref().map_or(1, |samples| samples.prompts.len() as u64)),
        ];
        if let Some(&(key, _)) = counts.iter().find(|(_, count)| *count == 0) {
            return Some((key, "there has to be 1 or more".into()));
        }
        if !rows.is_multiple_of(*accumulate) {
            return Some(("accumulate", format!("{accumulate} micro-batches cannot share {rows} rows equally")));
        }
        if spikes.window < 2 {
            return Some(("spikes.window", "a deviation is taken of 2 steps or more".into()));
        }
        let positive = [
            ("clip", Some(self.clip)),
            ("peak_tflops", self.peak_tflops),
            ("spikes.deviations", Some(spikes.deviations)),
        ];
        let wrong = positive
            .into_iter()
            .find_map(|(key, number)| Some((key, number.filter(|number| number.is_nan() || *number <= 0.0)?)));
        if let Some((key, number)) = wrong {
            return Some((key, format!("it has to be more than 0, and is {number}")));
        }
        let temperature = self.samples.as_ref().map_or(0.0, |samples| samples.temperature);
        (temperature.is_nan() || temperature < 0.0)
            .then(|| ("samples.temperature", format!("it has to be 0 or more, and is {temperature}")))
    }

    /// The loop, checked; it ends after `until` steps where that is less.
    #[must_use]
    pub fn looped(&self, until: Option<u64>, seed: u64, schedule: Schedule, optimizer: AdamWConfig) -> LoopConfig {
        LoopConfig {
            steps: self.steps,
            until: until.unwrap_or(self.steps).min(self.steps),
            seed,
            rows: self.rows,
            micro_batches: self.accumulate,
            clip: self.clip,
            schedule,
            optimizer,
            spikes: self.spikes,
            log_every: self.log_every,
            evaluate_every: self.evaluate_every,
            save_every: self.save_every,
            keep: self.keep,
        }
    }
}

/// What is wrong with the optimizer's numbers, if something is: the key, and the message.
#[must_use]
pub fn optimizer_fault(config: &AdamWConfig) -> Option<(&'static str, String)> {
    let AdamWConfig { beta1, beta2, epsilon, weight_decay } = *config;
    for (key, beta) in [("beta1", beta1), ("beta2", beta2)] {
        if !(0.0..1.0).contains(&beta) {
            return Some((key, format!("it has to be 0 or more and less than 1, and is {beta}")));
        }
    }
    let least = [("epsilon", epsilon), ("weight_decay", weight_decay)];
    let (key, number) = least.into_iter().find(|(_, number)| number.is_nan() || *number < 0.0)?;
    Some((key, format!("it has to be 0 or more, and is {number}")))
}
