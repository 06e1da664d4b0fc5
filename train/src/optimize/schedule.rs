//! The learning rate as a function of the step alone.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Linear warm-up, then half a cosine down to a share of the peak.
///
/// Source: Brown et al. 2020 (GPT-3), appendix B: down to a tenth.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    /// The largest learning rate.
    pub peak: f64,
    /// The share of the peak at the end.
    #[serde(default = "a_tenth")]
    pub final_share: f64,
    /// Steps until the peak.
    pub warmup_steps: u64,
}

fn a_tenth() -> f64 {
    0.1
}

impl Schedule {
    /// The learning rate at `step`, of `steps` in all; steps count from 0.
    #[must_use]
    pub fn at(&self, step: u64, steps: u64) -> f64 {
        if step < self.warmup_steps {
            return self.peak * (step + 1) as f64 / self.warmup_steps as f64;
        }
        let done = (step - self.warmup_steps) as f64 / (steps.saturating_sub(self.warmup_steps)).max(1) as f64;
        let cosine = f64::midpoint(1.0, (std::f64::consts::PI * done.min(1.0)).cos());
        self.peak * (self.final_share + (1.0 - self.final_share) * cosine)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_rises_then_falls_to_its_end() {
        let schedule = Schedule { peak: 1.0, final_share: 0.1, warmup_steps: 10 };
        let rates: Vec<f64> = (0..110).map(|step| schedule.at(step, 110)).collect();
        assert!((rates[0] - 0.1).abs() < 1e-12 && (rates[9] - 1.0).abs() < 1e-12 && (rates[10] - 1.0).abs() < 1e-12);
        assert!(rates[..10].is_sorted() && rates[10..].iter().rev().is_sorted());
        assert!((rates[60] - 0.55).abs() < 1e-9, "half way down: {}", rates[60]);
        assert!((schedule.at(110, 110) - 0.1).abs() < 1e-12);
    }
}
