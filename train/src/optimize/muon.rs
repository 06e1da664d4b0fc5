//! Momentum whose matrices are made orthogonal before they are a step.

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use super::{
    AdamW,
    optimizer::{Optimizer, ParameterStep, negative, no_decay_rate},
};
use crate::tensor::orthogonalized;

/// Muon for the matrices of affine maps, and AdamW for tables (of tokens, of positions, the head) and vectors, as nanochat has it; the
/// numbers for AdamW are nanochat's.
///
/// A step of a matrix is Nesterov's momentum, made nearly orthogonal, times `sqrt(max(1, outputs/inputs))`. Weights of maps are those
/// named `weight`, `[inputs, outputs]` each; queries, keys and values that are one matrix are taken as one.
///
/// Keeps the `momentum` of a matrix, and AdamW's moments of the rest.
///
/// Source: Jordan et al. 2024.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Muon {
    /// The decay rate of the momentum.
    pub momentum: f64,
    /// Decoupled weight decay of matrices and tables; biases and gains do not decay.
    pub weight_decay: f64,
    /// The learning rate of what AdamW steps, as a multiple of that of the matrices.
    pub adamw_learning_rate: f64,
    /// AdamW's decay rate of the first moment.
    pub beta1: f64,
    /// AdamW's decay rate of the second moment.
    pub beta2: f64,
    /// AdamW's number that is added to the root of the second moment.
    pub epsilon: f64,
}

impl Default for Muon {
    fn default() -> Self {
        Self { momentum: 0.95, weight_decay: 0.0, adamw_learning_rate: 0.1, beta1: 0.8, beta2: 0.95, epsilon: 1e-10 }
    }
}

impl Muon {
    fn adamw(&self) -> AdamW {
        let Self { beta1, beta2, epsilon, weight_decay, .. } = *self;
        AdamW { beta1, beta2, epsilon, weight_decay }
    }
}

/// The sizes of a map's weight: inputs and outputs.
fn map_sizes(name: &str, shape: &[usize]) -> Option<[usize; 2]> {
    let sizes = <[usize; 2]>::try_from(shape).ok()?;
    (name.rsplit('.').next() == Some("weight")).then_some(sizes)
}

impl Optimizer for Muon {
    fn fault(&self) -> Option<(&'static str, String)> {
        let Self { momentum, adamw_learning_rate, .. } = *self;
        no_decay_rate(&[("momentum", momentum)])
            .or_else(|| negative(&[("adamw_learning_rate", adamw_learning_rate)]))
            .or_else(|| self.adamw().fault())
    }

    fn states(&self, name: &str, shape: &[usize]) -> Vec<(&'static str, usize)> {
        match map_sizes(name, shape) {
            Some([inputs, outputs]) => vec![("momentum", inputs * outputs)],
            None => self.adamw().states(name, shape),
        }
    }

    fn step(&self, parameter: ParameterStep<'_>, states: Vec<Tensor<1>>) -> (Tensor<1>, Vec<Tensor<1>>) {
        let Some([inputs, outputs]) = map_sizes(parameter.name, parameter.shape) else {
            let learning_rate = parameter.learning_rate * self.adamw_learning_rate;
            return self.adamw().step(ParameterStep { learning_rate, ..parameter }, states);
        };
        let [momentum] = states.try_into().expect("one momentum is kept");
        let decay = parameter.learning_rate * parameter.weight_decay_or(self.weight_decay);
        let gradient = parameter.gradient * parameter.gradient_scale;
        let momentum = momentum * self.momentum + gradient.clone() * (1.0 - self.momentum);
        let ahead = gradient * (1.0 - self.momentum) + momentum.clone() * self.momentum;
        let direction: Tensor<1> = orthogonalized(ahead.reshape([inputs, outputs])).reshape([inputs * outputs]);
        let scale = (outputs as f64 / inputs as f64).max(1.0).sqrt();
        let values = parameter.values * (1.0 - decay) - direction * (parameter.learning_rate * scale);
        (values, vec![momentum])
    }
}
