//! How well a classifier does, from the labels that are right and those that it gives.
//!
//! As `scikit-learn` computes them: `accuracy_score`, `f1_score(average="macro", zero_division=0)`, `matthews_corrcoef`, `log_loss`.
//!
//! Source: Gorodkin 2004 for Matthews' correlation of several classes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bootstrap;

/// What a classifier says of an example, and what is right.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Judged {
    /// The right class.
    pub label: usize,
    /// The class that the classifier gives.
    pub prediction: usize,
    /// The cross-entropy, in nats: minus the logarithm of the right class's probability.
    pub loss: f64,
}

/// A number that says how well a classifier does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// The share of examples whose class is right.
    #[default]
    Accuracy,
    /// The mean over classes of their F1.
    MacroF1,
    /// Matthews' correlation.
    Matthews,
    /// The mean cross-entropy, in nats; less is better.
    CrossEntropy,
}

impl Metric {
    /// Its name, as in configurations.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Accuracy => "accuracy",
            Self::MacroF1 => "macro_f1",
            Self::Matthews => "matthews",
            Self::CrossEntropy => "cross_entropy",
        }
    }

    /// Whether more of it is better.
    #[must_use]
    pub fn higher_is_better(self) -> bool {
        self != Self::CrossEntropy
    }

    /// Its value on some examples, one at least.
    #[must_use]
    pub fn value(self, judged: &[Judged]) -> f64 {
        match self {
            Self::Accuracy => accuracy(judged),
            Self::MacroF1 => macro_f1(judged),
            Self::Matthews => matthews(judged),
            Self::CrossEntropy => cross_entropy(judged),
        }
    }
}

/// The share of examples whose class is right; no number where there are none.
#[must_use]
pub fn accuracy(judged: &[Judged]) -> f64 {
    let right = judged.iter().filter(|judged| judged.label == judged.prediction).count();
    right as f64 / judged.len() as f64
}

/// The mean cross-entropy, in nats.
#[must_use]
pub fn cross_entropy(judged: &[Judged]) -> f64 {
    judged.iter().map(|judged| judged.loss).sum::<f64>() / judged.len() as f64
}

/// The mean over classes of 2 right / (given + wanted), over the classes that are given or wanted at all.
#[must_use]
pub fn macro_f1(judged: &[Judged]) -> f64 {
    let Counts { right, given, wanted } = Counts::of(judged);
    let both = |class: usize| given[class] + wanted[class];
    let there: Vec<usize> = (0..right.len()).filter(|class| both(*class) > 0.0).collect();
    there.iter().map(|class| 2.0 * right[*class] / both(*class)).sum::<f64>() / there.len() as f64
}

/// Matthews' correlation, from -1 to 1; 0 where one class is all that is given, or wanted.
#[must_use]
pub fn matthews(judged: &[Judged]) -> f64 {
    let Counts { right, given, wanted } = Counts::of(judged);
    let all = judged.len() as f64;
    let product = |one: &[f64], other: &[f64]| one.iter().zip(other).map(|(x, y)| x * y).sum::<f64>();
    let (of_given, of_wanted) = (all * all - product(&given, &given), all * all - product(&wanted, &wanted));
    match (of_given * of_wanted).sqrt() {
        0.0 => 0.0,
        root => (right.iter().sum::<f64>() * all - product(&given, &wanted)) / root,
    }
}

/// Examples of each class: those that are right, those that were given it, and those that should have been.
struct Counts {
    right: Vec<f64>,
    given: Vec<f64>,
    wanted: Vec<f64>,
}

impl Counts {
    fn of(judged: &[Judged]) -> Self {
        let classes = judged.iter().map(|judged| judged.label.max(judged.prediction) + 1).max().unwrap_or(0);
        let zeros = || vec![0.0; classes];
        let mut counts = Self { right: zeros(), given: zeros(), wanted: zeros() };
        for Judged { label, prediction, .. } in judged {
            counts.given[*prediction] += 1.0;
            counts.wanted[*label] += 1.0;
            if label == prediction {
                counts.right[*label] += 1.0;
            }
        }
        counts
    }
}

/// The 95 % interval of a metric, by bootstrap.
#[must_use]
pub fn interval(judged: &[Judged], seed: u64, metric: Metric) -> [f64; 2] {
    let value = |places: &[usize]| metric.value(&places.iter().map(|place| judged[*place]).collect::<Vec<_>>());
    bootstrap(judged.len(), seed, value).interval
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(labels: &[usize], predictions: &[usize]) -> Vec<Judged> {
        let judged =
            |(label, prediction): (&usize, &usize)| Judged { label: *label, prediction: *prediction, loss: 0.0 };
        labels.iter().zip(predictions).map(judged).collect()
    }

    fn near(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-9, "{found} is not {expected}");
    }

    /// By hand. Two classes: 6 right of 10 with 4 true and 2 false positives, 2 false and 2 true negatives. Three: the confusion
    /// [[2, 0, 0], [0, 0, 1], [0, 2, 1]].
    #[test]
    fn metrics_are_those_of_their_definitions() {
        let two = judged(&[1, 1, 1, 1, 1, 1, 0, 0, 0, 0], &[1, 1, 1, 1, 0, 0, 1, 1, 0, 0]);
        near(accuracy(&two), 0.6);
        near(macro_f1(&two), f64::midpoint(2.0 * 4.0 / 12.0, 2.0 * 2.0 / 8.0));
        near(matthews(&two), (4.0 * 2.0 - 2.0 * 2.0) / (6.0f64 * 6.0 * 4.0 * 4.0).sqrt());

        let three = judged(&[2, 0, 2, 2, 0, 1], &[1, 0, 2, 1, 0, 2]);
        near(accuracy(&three), 0.5);
        near(macro_f1(&three), (1.0 + 0.0 + 0.4) / 3.0);
        // (3 * 6 - (2*2 + 1*2 + 3*2)) / sqrt((36 - (4 + 4 + 4)) (36 - (4 + 1 + 9)))
        near(matthews(&three), 6.0 / (24.0f64 * 22.0).sqrt());
    }

    #[test]
    fn extremes_have_their_values() {
        let right = judged(&[0, 1, 2], &[0, 1, 2]);
        near(accuracy(&right) + macro_f1(&right) + matthews(&right), 3.0);
        let opposite = judged(&[0, 1, 0, 1], &[1, 0, 1, 0]);
        near(matthews(&opposite), -1.0);
        near(macro_f1(&opposite), 0.0);
        let one = judged(&[0, 1, 0, 1], &[0, 0, 0, 0]);
        near(matthews(&one), 0.0);
        near(macro_f1(&one), f64::midpoint(2.0 / 3.0, 0.0));
        // a class that nobody gives or wants is no class of theirs
        near(macro_f1(&judged(&[5, 5], &[5, 5])), 1.0);
        let losses = [0.5, 1.5].map(|loss| Judged { label: 0, prediction: 0, loss });
        near(cross_entropy(&losses), 1.0);
    }

    /// The interval is that of the examples themselves, and the seed alone decides.
    #[test]
    fn an_interval_is_that_of_bootstrap_samples() {
        let labels = vec![0; 400];
        let predictions: Vec<usize> = (0..400).map(|place| usize::from(place % 5 == 0)).collect();
        let judged = judged(&labels, &predictions);
        let [low, high] = interval(&judged, 1, Metric::Accuracy);
        let error = (0.8f64 * 0.2 / 400.0).sqrt();
        assert!(
            (low - (0.8 - 1.96 * error)).abs() < 0.006 && (high - (0.8 + 1.96 * error)).abs() < 0.006,
            "{low} {high}"
        );
        assert!(
            interval(&judged, 1, Metric::Accuracy).iter().zip([low, high]).all(|(x, y)| x.to_bits() == y.to_bits())
        );
    }
}
