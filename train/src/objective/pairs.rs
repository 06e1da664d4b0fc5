//! Pairs of answers, of which one is better than the other: what a model that gives each answer a number says of them.

use burn::tensor::{Tensor, TensorData, activation::log_sigmoid};

use crate::{data::PreferencePairs, model::rows};

/// The differences of pairs, better less worse, and how much each pair counts.
pub(super) struct Compared {
    /// `[pairs, 1]`.
    differences: Tensor<2>,
    /// `[pairs, 1]`.
    weights: Tensor<2>,
}

impl Compared {
    /// - `values`: `[answers, 1]`, a number of each answer
    pub fn new(values: Tensor<2>, pairs: PreferencePairs) -> Self {
        let PreferencePairs { better, worse, weights } = pairs;
        let weights = TensorData::new(weights, [better.len(), 1]);
        let weights = Tensor::from_data(weights, &values.device());
        Self { differences: rows(values.clone(), &better) - rows(values, &worse), weights }
    }

    /// The same with each difference times a factor.
    pub fn scaled(self, factor: f64) -> Self {
        Self { differences: self.differences * factor, ..self }
    }

    fn sum(&self, of_pairs: Tensor<2>) -> Tensor<1> {
        (of_pairs * self.weights.clone()).sum()
    }

    /// The sum over pairs of weight times `-log sigmoid(difference)`, `[1]`.
    pub fn logistic_loss(&self) -> Tensor<1> {
        self.sum(log_sigmoid(self.differences.clone()).neg())
    }

    /// The same where a share of the pairs is taken to be the wrong way round.
    pub fn smoothed_loss(&self, wrong: f64) -> Tensor<1> {
        if wrong == 0.0 {
            return self.logistic_loss();
        }
        let other = self.sum(log_sigmoid(self.differences.clone().neg()).neg());
        self.logistic_loss() * (1.0 - wrong) + other * wrong
    }

    /// The sum over pairs of weight times the square of what the difference is off `target`, `[1]`.
    pub fn squared_loss(&self, target: f64) -> Tensor<1> {
        self.sum((self.differences.clone() - target).square())
    }

    /// The weighted share of pairs whose better answer has more; of equal numbers a half. `[1]`.
    pub fn accuracy(&self) -> Tensor<1> {
        let differences = self.differences.clone().without_autodiff();
        let equal = differences.clone().equal_elem(0.0).float() * 0.5;
        (differences.greater_elem(0.0).float() + equal).mul(self.weights.clone().without_autodiff()).sum()
    }

    /// The weighted mean of differences, `[1]`.
    pub fn margin(&self) -> Tensor<1> {
        self.sum(self.differences.clone())
    }
}
