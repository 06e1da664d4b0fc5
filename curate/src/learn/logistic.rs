//! Logistic regression on sparse examples.
//!
//! The loss is the mean over both classes, each with half of the weight, so that a score does not depend on how many
//! examples of each there happen to be; plus an L2 penalty on all weights but the intercept.

use super::{
    lbfgs::{Stop, minimise},
    sparse_matrix::SparseMatrix,
};

/// A fitted model: one weight for each column of the examples, and the intercept.
#[derive(Debug, Clone, PartialEq)]
pub struct Fitted {
    /// Weights by column.
    pub weights: Vec<f64>,
    /// The log-odds of a text without features.
    pub intercept: f64,
    /// Iterations of the search.
    pub iterations: usize,
}

/// Fits the labels, which are true for what is like the reference.
///
/// - `l2`: half of this times the sum of squared weights is added to the loss; 0 or more
/// - `start`: where the search begins; at zeros by default
#[must_use]
pub fn fit(examples: &SparseMatrix, labels: &[bool], l2: f64, max_iterations: usize, start: Option<&Fitted>) -> Fitted {
    let columns = examples.features.len();
    let positives = labels.iter().filter(|label| **label).count();
    let weight_of = |label: bool| 0.5 / (if label { positives } else { labels.len() - positives }).max(1) as f64;
    let mut margins = vec![0.0; examples.len()];
    let mut point = vec![0.0; columns + 1];
    if let Some(start) = start {
        point[..columns].copy_from_slice(&start.weights);
        point[columns] = start.intercept;
    }
    let iterations = minimise(&mut point, Stop { max_iterations, gradient: 1e-6 }, |at, gradient| {
        let (weights, intercept) = at.split_at(columns);
        examples.times(weights, &mut margins);
        let mut loss = 0.5 * l2 * weights.iter().map(|weight| weight * weight).sum::<f64>();
        let mut intercept_slope = 0.0;
        for (margin, &label) in margins.iter_mut().zip(labels) {
            let weight = weight_of(label);
            let log_odds = *margin + intercept[0];
            loss += weight * softplus(if label { -log_odds } else { log_odds });
            let residual = weight * (sigmoid(log_odds) - f64::from(u8::from(label)));
            intercept_slope += residual;
            *margin = residual;
        }
        let (slopes, last) = gradient.split_at_mut(columns);
        examples.transposed_times(&margins, slopes);
        slopes.iter_mut().zip(weights).for_each(|(slope, weight)| *slope += l2 * weight);
        last[0] = intercept_slope;
        loss
    });
    let intercept = point.pop().unwrap_or_default();
    Fitted { weights: point, intercept, iterations }
}

/// The mean loss of log-odds, where both sides weigh the same; none where one of them is empty.
#[must_use]
pub fn balanced_loss(log_odds: &[(f64, bool)]) -> Option<f64> {
    let side = |wanted: bool| {
        let losses = log_odds.iter().filter(|(_, label)| *label == wanted);
        let count = losses.clone().count() as f64;
        let sum = losses.map(|(odds, label)| softplus(if *label { -odds } else { *odds })).sum::<f64>();
        (count > 0.0).then(|| sum / count)
    };
    Some(0.5 * (side(true)? + side(false)?))
}

/// 1 / (1 + exp(-x)).
#[must_use]
pub fn sigmoid(log_odds: f64) -> f64 {
    1.0 / (1.0 + (-log_odds).exp())
}

/// ln(1 + exp(x)), without overflow.
fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gradient_vanishes_at_the_fit() {
        let rows: Vec<Vec<(u32, f32)>> =
            vec![vec![(3, 1.0)], vec![(3, 0.6), (9, 0.8)], vec![(9, 1.0)], vec![(3, 0.8), (9, 0.6)]];
        let labels = [true, false, false, true];
        let examples = SparseMatrix::new(&rows);
        let fitted = fit(&examples, &labels, 0.01, 200, None);
        // by symmetry of the examples the weights are opposite and the intercept is none
        assert!((fitted.weights[0] + fitted.weights[1]).abs() < 1e-4, "{fitted:?}");
        assert!(fitted.weights[0] > 1.0 && fitted.intercept.abs() < 1e-4, "{fitted:?}");
    }
}
