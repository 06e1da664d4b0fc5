//! Adam with decoupled weight decay.

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use super::optimizer::{Optimizer, ParameterStep, negative, no_decay_rate};
use crate::tensor::{self, update};

/// Adam with decoupled weight decay. Defaults are GPT-3's (Brown et al. 2020, appendix B).
///
/// Keeps the first and the second moment of each number.
///
/// Source: Loshchilov and Hutter 2019.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AdamW {
    /// The decay rate of the first moment.
    pub beta1: f64,
    /// The decay rate of the second moment.
    pub beta2: f64,
    /// Added to the root of the second moment.
    pub epsilon: f64,
    /// Decoupled weight decay of matrices; biases and gains do not decay.
    pub weight_decay: f64,
}

impl Default for AdamW {
    fn default() -> Self {
        Self { beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weight_decay: 0.1 }
    }
}

impl Optimizer for AdamW {
    fn fault(&self) -> Option<(&'static str, String)> {
        let Self { beta1, beta2, epsilon, weight_decay } = *self;
        no_decay_rate(&[("beta1", beta1), ("beta2", beta2)])
            .or_else(|| negative(&[("epsilon", epsilon), ("weight_decay", weight_decay)]))
    }

    fn states(&self, _: &str, shape: &[usize]) -> Vec<(&'static str, usize)> {
        let count = shape.iter().product();
        vec![("first", count), ("second", count)]
    }

    #[expect(clippy::cast_possible_truncation, reason = "parameters are single precision")]
    fn step(&self, parameter: ParameterStep<'_>, states: Vec<Tensor<1>>) -> (Tensor<1>, Vec<Tensor<1>>) {
        let Self { beta1, beta2, epsilon, weight_decay } = *self;
        let [first, second] = states.try_into().expect("two moments are kept");
        let exponent = i32::try_from(parameter.step).unwrap_or(i32::MAX);
        let step = tensor::AdamWStep {
            learning_rate: parameter.learning_rate as f32,
            beta1: beta1 as f32,
            beta2: beta2 as f32,
            epsilon: epsilon as f32,
            weight_decay: parameter.weight_decay_or(weight_decay) as f32,
            bias_correction1: (1.0 - beta1.powi(exponent)) as f32,
            bias_correction2: (1.0 - beta2.powi(exponent)) as f32,
            gradient_scale: parameter.gradient_scale,
        };
        let (values, first, second) = update(parameter.values, first, second, parameter.gradient, step);
        (values, vec![first, second])
    }
}
