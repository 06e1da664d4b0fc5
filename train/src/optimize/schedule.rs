//! The learning rate as a function of the step alone.

use std::f64::consts::PI;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A learning-rate schedule: linear warm-up to a peak, then a decay to a share of it.
///
/// Defaults are those of Brown et al. 2020 (GPT-3), appendix B: half a cosine down to a tenth.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    /// The largest learning rate.
    pub peak: f64,
    /// The share of the peak at the end, `0.0..=1.0`.
    #[serde(default = "a_tenth")]
    pub final_share: f64,
    /// Steps until the peak.
    #[serde(default)]
    pub warmup_steps: u64,
    /// The share of all steps until the peak, in place of `warmup_steps`: `0.0..1.0`.
    #[serde(default)]
    pub warmup_ratio: f64,
    /// How it decays.
    #[serde(default)]
    pub shape: Shape,
}

/// How the learning rate decays from its peak.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Shape {
    /// Half a cosine.
    ///
    /// Source: Loshchilov and Hutter 2017 (SGDR), without its restarts.
    #[default]
    Cosine,
    /// A straight line.
    ///
    /// Source: Bergsma et al. 2025, who let it end at 0.
    Linear,
    /// The peak for most of the training, and a decay in its last part; a checkpoint before the decay can be trained on.
    Wsd(Decay),
    /// The peak until the end.
    Constant,
}

/// The last part of warm-up, stable, decay.
///
/// Source: Hu et al. 2024 (MiniCPM), section 4. Defaults are those of Hägele et al. 2024, who let it end at 0.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Decay {
    /// The share of all steps that decay, `0.0..=1.0`.
    pub share: f64,
    /// The decay's curve.
    pub curve: Curve,
}

impl Default for Decay {
    fn default() -> Self {
        Self { share: 0.2, curve: Curve::OneMinusSqrt }
    }
}

/// What is left of the peak when a part `u` of the decay is done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Curve {
    /// `1 - u`.
    Linear,
    /// `1 - sqrt(u)`: fast at first.
    #[default]
    OneMinusSqrt,
}

fn a_tenth() -> f64 {
    0.1
}

impl Schedule {
    /// The learning rate at `step`, of `steps` in all; steps count from 0.
    #[must_use]
    pub fn at(&self, step: u64, steps: u64) -> f64 {
        let warmup_steps = self.warmup(steps);
        if step < warmup_steps {
            return self.peak * (step + 1) as f64 / warmup_steps as f64;
        }
        let left = self.left(step, steps);
        self.peak * (self.final_share + (1.0 - self.final_share) * left)
    }

    /// Steps until the peak, of `steps` in all.
    #[must_use]
    pub fn warmup(&self, steps: u64) -> u64 {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a part of the steps")]
        let part = (self.warmup_ratio * steps as f64).ceil() as u64;
        self.warmup_steps.max(part)
    }

    /// How much of the decay is left, from 1 to 0.
    fn left(&self, step: u64, steps: u64) -> f64 {
        // the part done of what lies between `first` and the end
        let done = |first: f64| ((step as f64 - first) / (steps as f64 - first).max(1.0)).clamp(0.0, 1.0);
        let warmed = self.warmup(steps) as f64;
        match self.shape {
            Shape::Cosine => f64::midpoint(1.0, (PI * done(warmed)).cos()),
            Shape::Linear => 1.0 - done(warmed),
            Shape::Wsd(Decay { share, curve }) => {
                let done = done((steps as f64 * (1.0 - share)).max(warmed));
                match curve {
                    Curve::Linear => 1.0 - done,
                    Curve::OneMinusSqrt => 1.0 - done.sqrt(),
                }
            }
            Shape::Constant => 1.0,
        }
    }

    /// What is wrong with the numbers, if something is: the key, and the message.
    #[must_use]
    pub fn fault(&self) -> Option<(&'static str, String)> {
        let share = |share: f64| (0.0..=1.0).contains(&share);
        if !(self.peak.is_finite() && self.peak > 0.0) {
            return Some(("peak", format!("a learning rate is more than 0, not {}", self.peak)));
        }
        if !share(self.final_share) {
            return Some(("final_share", format!("a share is 0 to 1, not {}", self.final_share)));
        }
        if !share(self.warmup_ratio) {
            return Some(("warmup_ratio", format!("a share is 0 to 1, not {}", self.warmup_ratio)));
        }
        if self.warmup_steps > 0 && self.warmup_ratio > 0.0 {
            return Some(("warmup_ratio", "it has either `warmup_steps` or `warmup_ratio`".into()));
        }
        match self.shape {
            Shape::Wsd(decay) if !share(decay.share) => {
                Some(("shape.wsd.share", format!("a share is 0 to 1, not {}", decay.share)))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rates(shape: Shape) -> Vec<f64> {
        let schedule = Schedule { peak: 1.0, final_share: 0.1, warmup_steps: 10, warmup_ratio: 0.0, shape };
        (0..=110).map(|step| schedule.at(step, 110)).collect()
    }

    #[test]
    fn it_rises_then_falls_to_its_end() {
        for shape in [Shape::Cosine, Shape::Linear, Shape::Wsd(Decay::default()), Shape::Constant] {
            let rates = rates(shape);
            assert!((rates[0] - 0.1).abs() < 1e-12 && (rates[9] - 1.0).abs() < 1e-12, "{shape:?}");
            assert!(rates[..10].is_sorted() && rates[10..].iter().rev().is_sorted(), "{shape:?}");
            let end = if shape == Shape::Constant { 1.0 } else { 0.1 };
            assert!((rates[10] - 1.0).abs() < 1e-12 && (rates[110] - end).abs() < 1e-12, "{shape:?}");
        }
    }

    /// As a share of the steps, a warm-up has so many steps, of which a part is one.
    #[test]
    fn a_warm_up_may_be_a_share() {
        let by = |warmup_steps, warmup_ratio| {
            let schedule = Schedule { peak: 1.0, final_share: 0.0, warmup_steps, warmup_ratio, shape: Shape::Linear };
            (0..200).map(|step| schedule.at(step, 200)).collect::<Vec<f64>>()
        };
        assert_eq!(by(0, 0.1), by(20, 0.0));
        assert_eq!(by(0, 0.002), by(1, 0.0));
    }

    /// The points that each shape is known by.
    #[test]
    fn shapes_are_those_of_their_sources() {
        let near = |rate: f64, expected: f64| assert!((rate - expected).abs() < 1e-9, "{rate} is not {expected}");
        near(rates(Shape::Cosine)[60], 0.55);
        near(rates(Shape::Linear)[35], 1.0 - 0.9 * 0.25);
        for (curve, quarter) in [(Curve::Linear, 0.75), (Curve::OneMinusSqrt, 0.5)] {
            // the last 40 of 110 steps decay, so that ten of them are a quarter
            let rates = rates(Shape::Wsd(Decay { share: 40.0 / 110.0, curve }));
            assert!(rates[10..=70].iter().all(|rate| (rate - 1.0).abs() < 1e-9));
            near(rates[80], 0.1 + 0.9 * quarter);
        }
    }
}
