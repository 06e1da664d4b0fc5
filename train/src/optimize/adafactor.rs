//! Adam without its memory: of a matrix's second moments only the means of rows and columns are kept.

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use super::optimizer::{Optimizer, ParameterStep, negative, no_decay_rate};
use crate::tensor::{AdafactorStep, adafactor_update};

/// Adafactor, as `transformers.Adafactor` computes it: the second moment of a number of a matrix is the product of its row's mean and its
/// column's over the mean of all, and an update whose root mean square is above a threshold is scaled down to it.
///
/// Keeps `rows` and `columns` of a matrix, and the `second` moments of a vector; with `beta1` also the mean of updates as `first`.
///
/// Source: Shazeer and Stern 2018. T5 (Raffel et al. 2020) and `GLaM` (Du et al. 2022) are trained with it, without `beta1`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Adafactor {
    /// The second moments' decay rate at step `t` is `1 - t^-decay_rate`.
    pub decay_rate: f64,
    /// The decay rate of the mean of updates; none is kept without it.
    pub beta1: Option<f64>,
    /// Added to squares of gradients.
    pub epsilon: f64,
    /// The largest root mean square of an update, before the learning rate.
    pub clip_threshold: f64,
    /// The learning rate is multiplied by the root mean square of the parameter.
    pub scale_parameter: bool,
    /// The least that it is multiplied by.
    pub min_scale: f64,
    /// The learning rate at step `t` is `min(0.01, 1/sqrt(t))`, whatever the schedule has.
    pub relative_step: bool,
    /// Decoupled weight decay of matrices; biases and gains do not decay.
    pub weight_decay: f64,
}

impl Default for Adafactor {
    fn default() -> Self {
        Self {
            decay_rate: 0.8,
            beta1: None,
            epsilon: 1e-30,
            clip_threshold: 1.0,
            scale_parameter: true,
            min_scale: 1e-3,
            relative_step: false,
            weight_decay: 0.0,
        }
    }
}

impl Optimizer for Adafactor {
    fn fault(&self) -> Option<(&'static str, String)> {
        let Self { decay_rate, beta1, epsilon, clip_threshold, min_scale, weight_decay, .. } = *self;
        let least = [("epsilon", epsilon), ("min_scale", min_scale), ("weight_decay", weight_decay)];
        let above = [("decay_rate", decay_rate), ("clip_threshold", clip_threshold)];
        let not_above = above.into_iter().find(|(_, number)| number.is_nan() || *number <= 0.0);
        no_decay_rate(&[("beta1", beta1.unwrap_or_default())])
            .or_else(|| negative(&least))
            .or_else(|| not_above.map(|(key, number)| (key, format!("it has to be more than 0, and is {number}"))))
    }

    fn states(&self, _: &str, shape: &[usize]) -> Vec<(&'static str, usize)> {
        let count = shape.iter().product();
        let mut states = match *shape {
            [rows, columns] => vec![("rows", rows), ("columns", columns)],
            _ => vec![("second", count)],
        };
        states.extend(self.beta1.map(|_| ("first", count)));
        states
    }

    fn learning_rate(&self, scheduled: f64, step: u64) -> f64 {
        if self.relative_step { (1.0 / (step as f64).sqrt()).min(1e-2) } else { scheduled }
    }

    #[expect(clippy::cast_possible_truncation, reason = "parameters are single precision")]
    fn step(&self, parameter: ParameterStep<'_>, mut states: Vec<Tensor<1>>) -> (Tensor<1>, Vec<Tensor<1>>) {
        let first = self.beta1.and_then(|_| states.pop());
        let step = AdafactorStep {
            learning_rate: parameter.learning_rate as f32,
            beta1: self.beta1.unwrap_or_default() as f32,
            beta2: (1.0 - (parameter.step as f64).powf(-self.decay_rate)) as f32,
            epsilon: self.epsilon as f32,
            clip_threshold: self.clip_threshold as f32,
            min_scale: self.scale_parameter.then_some(self.min_scale as f32),
            weight_decay: parameter.weight_decay_or(self.weight_decay) as f32,
            gradient_scale: parameter.gradient_scale,
        };
        let (values, second, first) = adafactor_update(parameter.values, states, first, parameter.gradient, step);
        (values, second.into_iter().chain(first).collect())
    }
}
