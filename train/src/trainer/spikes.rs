//! Steps that are not like those before them: a loss or a gradient norm that is no number, or far above its mean.
//!
//! A bad batch or a step too far shows in the loss, or in the norm of the gradients before anything is changed. So a step is checked
//! between its gradients and its update, and one that spikes leaves weights and optimizer as they are.
//!
//! Source: the rule, a deviation from the mean of a window of steps, is that of `llm.c` (`-sl`, `-sg`) and of `OLMo-core` (`SkipStep`
//! optimizers: 6 deviations, 128 steps); unlike theirs, the window has no spikes in it, so that one does not hide the next.
//! Rolling back and going on past the batches is what Chowdhery et al. 2022 (PaLM), section 5.1, did by hand.

use std::{collections::VecDeque, fmt};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::checkpoint::{Exact, SpikeMemory};

/// What counts as a spike, and what to do about it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SpikesConfig {
    /// A spike is more standard deviations above the mean than this. NaN and infinity always are.
    pub deviations: f64,
    /// Steps that mean and deviation are taken over; before there are as many, only NaN and infinity are spikes.
    pub window: usize,
    /// What to do about one.
    pub action: Action,
    /// Consecutive spikes that are handled so; one more stops the training.
    pub limit: u64,
}

impl Default for SpikesConfig {
    fn default() -> Self {
        Self { deviations: 6.0, window: 128, action: Action::Skip, limit: 10 }
    }
}

/// What to do about a spike.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// The step is left out, and the next takes the next batch.
    #[default]
    Skip,
    /// The newest checkpoint that was due is loaded, and the training goes on from there with the batch after the one that spiked.
    Rollback,
    /// The training stops.
    Stop,
}

/// What was measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Quantity {
    /// Nats a token.
    Loss,
    /// The norm of all gradients together, before clipping.
    GradientNorm,
}

/// A measurement that is a spike.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Spike {
    /// What was measured.
    pub quantity: Quantity,
    /// How much it was; JSON has null for what is no number.
    pub value: f64,
    /// The mean of the window; none for a value that is a spike without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mean: Option<f64>,
    /// Standard deviations above the mean.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deviations: Option<f64>,
}

impl fmt::Display for Spike {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.quantity {
            Quantity::Loss => "the loss",
            Quantity::GradientNorm => "the gradient norm",
        };
        let value = self.value;
        match (self.mean, self.deviations) {
            (Some(mean), Some(deviations)) => {
                write!(formatter, "{what} is {value:.4}, {deviations:.1} deviations above its mean of {mean:.4}")
            }
            _ => write!(formatter, "{what} is {value}"),
        }
    }
}

/// The window of steps that spikes are measured against.
#[derive(Debug, Clone, PartialEq)]
pub struct SpikeDetector {
    config: SpikesConfig,
    losses: VecDeque<f64>,
    gradient_norms: VecDeque<f64>,
    in_a_row: u64,
    last: u64,
}

impl SpikeDetector {
    /// Goes on with what a training remembers of its steps.
    #[must_use]
    pub fn restore(config: SpikesConfig, memory: &SpikeMemory) -> Self {
        let newest = |values: &[Exact]| {
            values[values.len().saturating_sub(config.window)..].iter().map(|value| value.0).collect()
        };
        let (losses, gradient_norms) = (newest(&memory.losses), newest(&memory.gradient_norms));
        Self { config, losses, gradient_norms, in_a_row: memory.in_a_row, last: memory.last }
    }

    /// What is to be remembered.
    #[must_use]
    pub fn memory(&self) -> SpikeMemory {
        let exact = |values: &VecDeque<f64>| values.iter().copied().map(Exact).collect();
        let (losses, gradient_norms) = (exact(&self.losses), exact(&self.gradient_norms));
        SpikeMemory { losses, gradient_norms, in_a_row: self.in_a_row, last: self.last }
    }

    /// The spike of a step with this loss and this gradient norm, if it is one.
    #[must_use]
    pub fn detect(&self, loss: f64, gradient_norm: f64) -> Option<Spike> {
        self.detect_in(Quantity::Loss, loss, &self.losses)
            .or_else(|| self.detect_in(Quantity::GradientNorm, gradient_norm, &self.gradient_norms))
    }

    fn detect_in(&self, quantity: Quantity, value: f64, window: &VecDeque<f64>) -> Option<Spike> {
        if !value.is_finite() {
            return Some(Spike { quantity, value, mean: None, deviations: None });
        }
        if window.len() < self.config.window {
            return None;
        }
        let count = window.len() as f64;
        let mean = window.iter().sum::<f64>() / count;
        let deviation = (window.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count).sqrt();
        let deviations = (value - mean) / deviation;
        // a window of one value has no deviation, and says nothing
        (deviation > 0.0 && deviations > self.config.deviations).then_some(Spike {
            quantity,
            value,
            mean: Some(mean),
            deviations: Some(deviations),
        })
    }

    /// Adds a step that was no spike to the window.
    pub fn record(&mut self, step: u64, loss: f64, gradient_norm: f64) {
        for (window, value) in [(&mut self.losses, loss), (&mut self.gradient_norms, gradient_norm)] {
            window.push_back(value);
            if window.len() > self.config.window {
                window.pop_front();
            }
        }
        // a training that was rolled back gets to the same step again before it is past it
        if step > self.last {
            self.in_a_row = 0;
        }
    }

    /// Spikes in a row, if the step that comes is one.
    #[must_use]
    pub fn with_one_more(&self) -> u64 {
        self.in_a_row + 1
    }

    /// Counts a spike at `step`, the `in_a_row`th; a training that was rolled back remembers it, too.
    pub fn count_spike(&mut self, step: u64, in_a_row: u64) {
        self.in_a_row = in_a_row;
        self.last = self.last.max(step);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: SpikesConfig = SpikesConfig { deviations: 3.0, window: 4, action: Action::Skip, limit: 2 };

    fn warm() -> SpikeDetector {
        let mut spikes = SpikeDetector::restore(CONFIG, &SpikeMemory::default());
        for (step, loss) in (1..).zip([9.0, 1.0, 3.0, 1.0, 3.0]) {
            spikes.record(step, loss, 10.0 * loss);
        }
        spikes
    }

    /// The window is 1, 3, 1, 3: mean 2, deviation 1.
    #[test]
    fn far_above_the_mean_is_a_spike() {
        let spikes = warm();
        assert_eq!(spikes.detect(4.9, 20.0), None);
        assert_eq!(spikes.detect(-100.0, 0.0), None, "a fall is good news");
        let spike = spikes.detect(5.5, 20.0).expect("3.5 deviations are more than 3");
        assert_eq!(spike.to_string(), "the loss is 5.5000, 3.5 deviations above its mean of 2.0000");
        let spike = spikes.detect(2.0, 70.0).expect("5 deviations are more than 3");
        assert_eq!(spike.quantity, Quantity::GradientNorm);
    }

    #[test]
    fn what_is_no_number_is_a_spike_from_the_start() {
        let spikes = SpikeDetector::restore(CONFIG, &SpikeMemory::default());
        assert_eq!(spikes.detect(1e30, 1e30), None, "nothing to compare with");
        assert_eq!(spikes.detect(f64::NAN, 1.0).expect("no number").to_string(), "the loss is NaN");
        assert_eq!(spikes.detect(1.0, f64::INFINITY).expect("no number").to_string(), "the gradient norm is inf");
    }

    /// A training that is rolled back meets steps again that it had taken; the count ends beyond the spike.
    #[test]
    fn spikes_are_in_a_row_until_a_step_beyond_them() {
        let mut spikes = warm();
        spikes.count_spike(6, 1);
        spikes.record(5, 2.0, 20.0);
        assert_eq!(spikes.with_one_more(), 2);
        let mut resumed = SpikeDetector::restore(CONFIG, &spikes.memory());
        assert_eq!(resumed, spikes);
        resumed.record(7, 2.0, 20.0);
        assert_eq!(resumed.with_one_more(), 1);
    }
}
