//! Laws by name: what a domain's loss is by the weights of sources.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{
    exponential::Exponential,
    regression::Linear,
    trees::{Boosted, TreesConfig},
};

/// What is added to weights before their logarithm is taken: most sources have none in some run.
const FLOOR: f64 = 1e-3;

/// What squares of coefficients are multiplied by, for each run: those of weights, of their logarithms, and of their products.
const RIDGES: [f64; 3] = [1e-6, 1e-4, 1e-2];

/// The form of a law.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LawKind {
    /// A constant, and so much for each share.
    Linear,
    /// The same of the logarithms of shares.
    LogLinear,
    /// Shares and their products.
    Quadratic,
    /// A constant and an exponential function of shares: the data mixing law.
    Exponential,
    /// Boosted trees, as `RegMix` has them.
    Trees,
}

impl LawKind {
    /// All forms.
    pub const ALL: [Self; 5] = [Self::Linear, Self::LogLinear, Self::Quadratic, Self::Exponential, Self::Trees];

    /// The fewest runs of `sources` sources that it is fitted to: one more than there are unknowns; those of products are held by a ridge. Trees
    /// want a hundred, below which they propose what no run has tried.
    #[must_use]
    pub fn least_runs(self, sources: usize) -> usize {
        match self {
            Self::Linear | Self::LogLinear => sources + 2,
            Self::Exponential => sources + 3,
            Self::Quadratic => 2 * sources + 2,
            Self::Trees => 100,
        }
    }
}

impl fmt::Display for LawKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::Linear => "linear",
            Self::LogLinear => "log-linear",
            Self::Quadratic => "quadratic",
            Self::Exponential => "exponential",
            Self::Trees => "trees",
        })
    }
}

/// A law that was fitted to runs.
#[derive(Debug, Clone)]
pub struct Law(Form);

#[derive(Debug, Clone)]
enum Form {
    Linear(Linear),
    LogLinear(Linear),
    Quadratic(Linear),
    Exponential(Exponential),
    Trees(Boosted),
}

impl Law {
    /// Fits a law.
    ///
    /// - `weights`: `[runs, sources]`, shares that add up to 1
    /// - `losses`: `[runs]`
    #[must_use]
    pub fn fit(kind: LawKind, weights: &[Vec<f64>], losses: &[f64]) -> Self {
        let of = |features: fn(&[f64]) -> Vec<f64>, ridge: f64| {
            let rows: Vec<Vec<f64>> = weights.iter().map(|row| features(row)).collect();
            Linear::fit(&rows, losses, ridge)
        };
        let [shares, logs, products] = RIDGES;
        Self(match kind {
            LawKind::Linear => Form::Linear(Linear::fit(weights, losses, shares)),
            LawKind::LogLinear => Form::LogLinear(of(logarithms, logs)),
            LawKind::Quadratic => Form::Quadratic(of(with_products, products)),
            LawKind::Exponential => Form::Exponential(Exponential::fit(weights, losses)),
            LawKind::Trees => Form::Trees(Boosted::fit(weights, losses, TreesConfig::default())),
        })
    }

    /// The loss that it expects.
    ///
    /// - `weights`: `[sources]`
    #[must_use]
    pub fn predict(&self, weights: &[f64]) -> f64 {
        match &self.0 {
            Form::Linear(linear) => linear.predict(weights),
            Form::LogLinear(linear) => linear.predict(&logarithms(weights)),
            Form::Quadratic(linear) => linear.predict(&with_products(weights)),
            Form::Exponential(exponential) => exponential.predict(weights),
            Form::Trees(trees) => trees.predict(weights),
        }
    }
}

fn logarithms(weights: &[f64]) -> Vec<f64> {
    weights.iter().map(|weight| (weight + FLOOR).ln()).collect()
}

/// Shares, and the product of each with each.
fn with_products(weights: &[f64]) -> Vec<f64> {
    let mut all = weights.to_vec();
    for (place, one) in weights.iter().enumerate() {
        all.extend(weights[..=place].iter().map(|other| one * other));
    }
    all
}
