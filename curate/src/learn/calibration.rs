//! From what a model gives to probabilities.
//!
//! Source: Platt 1999, with the targets and the search of Lin, Lin, Weng 2007, by linfa.

use linfa::{
    ParamGuard as _,
    composing::platt_scaling::{Platt, platt_newton_method},
};
use ndarray::Array1;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A line through log-odds. Both sides weigh the same, however many texts each has.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Calibration {
    /// What log-odds are multiplied by.
    pub slope: f64,
    /// What is added then.
    pub intercept: f64,
}

impl Default for Calibration {
    /// Takes log-odds as they are.
    fn default() -> Self {
        Self { slope: 1.0, intercept: 0.0 }
    }
}

impl Calibration {
    /// Fits the line to texts that the model has not seen. None where one side is empty, or the model tells nothing.
    #[must_use]
    pub fn fit(log_odds: &[(f64, bool)]) -> Option<Self> {
        let positives = log_odds.iter().filter(|(_, label)| *label).count() as f64;
        let negatives = log_odds.len() as f64 - positives;
        if positives == 0.0 || negatives == 0.0 {
            return None;
        }
        let mean = log_odds.iter().map(|(value, _)| value).sum::<f64>() / log_odds.len() as f64;
        let squares = log_odds.iter().map(|(value, _)| (value - mean).powi(2)).sum::<f64>();
        let deviation = (squares / log_odds.len() as f64).sqrt().max(1e-9);
        let values: Array1<f64> = log_odds.iter().map(|(value, _)| (value - mean) / deviation).collect();
        let labels: Array1<bool> = log_odds.iter().map(|(_, label)| *label).collect();
        let settings = Platt::<f64, ()>::params().check().ok()?;
        let (a, b) = platt_newton_method(values.view(), labels.view(), &settings).ok()?;
        // a falling line would turn the model round
        if a >= 0.0 || !a.is_finite() || !b.is_finite() {
            return None;
        }
        let slope = -a / deviation;
        Some(Self { slope, intercept: -b - slope * mean - (positives / negatives).ln() })
    }

    /// Calibrated log-odds.
    #[must_use]
    pub fn apply(&self, log_odds: f64) -> f64 {
        self.slope * log_odds + self.intercept
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::draw::{draw, fraction};

    /// Labels that are drawn with known probabilities, from log-odds that were stretched and moved: the line takes both back.
    #[test]
    fn probabilities_are_found_again() {
        let sample: Vec<(f64, bool)> = (0..20_000)
            .map(|number| {
                let uniform = |purpose| fraction(draw(1, purpose, &format!("{number}")));
                let true_odds = 6.0 * uniform("odds") - 3.0;
                let label = uniform("label") < 1.0 / (1.0 + (-true_odds).exp());
                (5.0 * true_odds + 40.0, label)
            })
            .collect();
        let line = Calibration::fit(&sample).expect("the sample has two sides");
        assert!((line.slope - 0.2).abs() < 0.02 && (line.apply(40.0)).abs() < 0.1, "{line:?}");
    }

    #[test]
    fn one_side_tells_nothing() {
        assert_eq!(Calibration::fit(&[(1.0, true), (2.0, true)]), None);
        assert_eq!(Calibration::fit(&[]), None);
        assert_eq!(Calibration::fit(&[(2.0, false), (1.0, true)]), None, "the model tells the wrong way round");
    }
}
