//! The exponential law: `constant + exp(scale + slopes . weights)` (Ye et al. 2024, equation 6).

use super::regression::Linear;
use crate::minimum::minimize;

/// Residuals, in deviations of the targets, up to which they are squared, and beyond which they count by their size.
const HUBER: f64 = 0.1;

/// What half of the squares of slopes are multiplied by.
const PENALTY: f64 = 1e-6;

/// Starts of the search, by how far below the least target the constant begins, in ranges of the targets.
const STARTS: [f64; 6] = [0.02, 0.1, 0.3, 1.0, 3.0, 10.0];

/// What a domain's loss is by the weights of sources.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Exponential {
    constant: f64,
    scale: f64,
    slopes: Vec<f64>,
}

/// What is minimized: Huber's loss of residuals, and a little of all slopes, without which those of sources that never come would be anything.
struct Fit<'r> {
    weights: &'r [Vec<f64>],
    /// Of mean 0 and deviation 1.
    targets: &'r [f64],
}

impl Fit<'_> {
    fn cost_and_gradient(&self, parameters: &[f64], gradient: &mut [f64]) -> f64 {
        let count = self.targets.len() as f64;
        gradient.fill(0.0);
        let mut cost = 0.0;
        for (weights, target) in self.weights.iter().zip(self.targets) {
            let exponent = parameters[1] + dot(&parameters[2..], weights);
            let power = exponent.min(50.0).exp();
            let residual = parameters[0] + power - target;
            let (own, slope) = if residual.abs() <= HUBER {
                (0.5 * residual * residual, residual)
            } else {
                (HUBER * (residual.abs() - 0.5 * HUBER), HUBER * residual.signum())
            };
            cost += own / count;
            let slope = slope / count;
            gradient[0] += slope;
            gradient[1] += slope * power;
            for (sum, weight) in gradient[2..].iter_mut().zip(weights) {
                *sum += slope * power * weight;
            }
        }
        for (sum, slope) in gradient[2..].iter_mut().zip(&parameters[2..]) {
            cost += 0.5 * PENALTY * slope * slope;
            *sum += PENALTY * slope;
        }
        cost
    }
}

fn dot(one: &[f64], other: &[f64]) -> f64 {
    one.iter().zip(other).map(|(one, other)| one * other).sum()
}

impl Exponential {
    /// Fits the law from several starts, of which the best stays.
    pub fn fit(weights: &[Vec<f64>], targets: &[f64]) -> Self {
        let count = targets.len() as f64;
        let mean = targets.iter().sum::<f64>() / count;
        let deviation = (targets.iter().map(|target| (target - mean).powi(2)).sum::<f64>() / count).sqrt().max(1e-12);
        let scaled: Vec<f64> = targets.iter().map(|target| (target - mean) / deviation).collect();
        let least = scaled.iter().copied().fold(f64::INFINITY, f64::min);
        let most = scaled.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let fit = Fit { weights, targets: &scaled };
        let mut best: Option<(f64, Vec<f64>)> = None;
        for below in STARTS {
            let constant = least - below * (most - least).max(1e-9);
            let logs: Vec<f64> = scaled.iter().map(|target| (target - constant).ln()).collect();
            let Linear { intercept, coefficients } = Linear::fit(weights, &logs, 1e-3);
            let start = [vec![constant, intercept], coefficients].concat();
            let (cost, parameters) =
                minimize(|parameters, gradient| fit.cost_and_gradient(parameters, gradient), &start);
            if best.as_ref().is_none_or(|(least, _)| cost < *least) {
                best = Some((cost, parameters));
            }
        }
        let (_, parameters) = best.expect("there are starts");
        Self {
            constant: mean + deviation * parameters[0],
            scale: parameters[1] + deviation.ln(),
            slopes: parameters[2..].to_vec(),
        }
    }

    /// What the law says of weights.
    pub fn predict(&self, weights: &[f64]) -> f64 {
        self.constant + (self.scale + dot(&self.slopes, weights)).exp()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What follows the law is found, and what lies far off once changes little.
    #[test]
    fn a_law_is_found_from_what_follows_it() {
        let weights: Vec<Vec<f64>> = (0..60)
            .map(|run| {
                let (one, two) = (f64::from(run % 10) / 10.0, f64::from(run / 10) / 12.0);
                vec![one, two * (1.0 - one), (1.0 - two) * (1.0 - one)]
            })
            .collect();
        let law = |row: &[f64]| 2.5 + (0.3 - 2.0 * row[0] + 0.5 * row[1]).exp();
        let mut targets: Vec<f64> = weights.iter().map(|row| law(row)).collect();
        targets[7] += 3.0;
        let fitted = Exponential::fit(&weights, &targets);
        for row in [[0.9, 0.05, 0.05], [0.1, 0.8, 0.1], [0.2, 0.2, 0.6]] {
            assert!(
                (fitted.predict(&row) - law(&row)).abs() < 0.05,
                "{row:?}: {} is not {}",
                fitted.predict(&row),
                law(&row)
            );
        }
    }
}
