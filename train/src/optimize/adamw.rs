//! Adam with decoupled weight decay.

use std::collections::BTreeMap;

use burn::{
    module::{Module, ModuleMapper, Param},
    tensor::{Device, Tensor, TensorData},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Gradients;
use crate::tensor::{self, update};

/// The settings of [`AdamW`]. Defaults are GPT-3's (Brown et al. 2020, appendix B).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AdamWConfig {
    /// The decay rate of the first moment.
    pub beta1: f64,
    /// The decay rate of the second moment.
    pub beta2: f64,
    /// Added to the root of the second moment.
    pub epsilon: f64,
    /// Decoupled weight decay of matrices; biases and gains do not decay.
    pub weight_decay: f64,
}

impl Default for AdamWConfig {
    fn default() -> Self {
        Self { beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weight_decay: 0.1 }
    }
}

/// The optimizer with its state of each parameter.
///
/// Source: Loshchilov and Hutter 2019.
#[derive(Debug)]
pub struct AdamW {
    config: AdamWConfig,
    /// Steps that were taken.
    steps: u64,
    /// First and second moments by name, `[elements]`.
    moments: BTreeMap<String, (Tensor<1>, Tensor<1>)>,
}

/// The optimizer's state of one parameter.
#[derive(Debug, Clone, PartialEq)]
pub struct Moments {
    /// The parameter's name.
    pub name: String,
    /// The first moment: the mean of gradients.
    pub first: Vec<f32>,
    /// The second moment: the mean of their squares.
    pub second: Vec<f32>,
}

impl AdamW {
    /// An optimizer at its first step.
    #[must_use]
    pub fn new(config: AdamWConfig) -> Self {
        Self { config, steps: 0, moments: BTreeMap::new() }
    }

    /// An optimizer that goes on after `steps` steps with the given state.
    #[must_use]
    pub fn restore(config: AdamWConfig, steps: u64, moments: Vec<Moments>, device: &Device) -> Self {
        let tensor = |values: Vec<f32>| {
            let count = values.len();
            Tensor::from_data(TensorData::new(values, [count]), device)
        };
        let restored =
            moments.into_iter().map(|Moments { name, first, second }| (name, (tensor(first), tensor(second))));
        Self { config, steps, moments: restored.collect() }
    }

    /// The state, in the order of the names.
    #[must_use]
    pub fn moments(&self) -> Vec<Moments> {
        let values = |tensor: &Tensor<1>| tensor.to_data().try_to_vec::<f32>().expect("moments are single precision");
        let of = |(name, (first, second)): (&String, &(Tensor<1>, Tensor<1>))| Moments {
            name: name.clone(),
            first: values(first),
            second: values(second),
        };
        self.moments.iter().map(of).collect()
    }

    /// The module after one step of the given learning rate. Parameters without a gradient stay.
    pub fn step<M: Module>(&mut self, module: M, gradients: Gradients, rate: f64) -> M {
        self.steps += 1;
        module.map(&mut Update { optimizer: self, gradients, rate, path: Vec::new() })
    }
}

struct Update<'o> {
    optimizer: &'o mut AdamW,
    gradients: Gradients,
    rate: f64,
    path: Vec<String>,
}

impl ModuleMapper for Update<'_> {
    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let name = self.path.join(".");
        let Some(gradient) = self.gradients.take(&name) else { return param };
        let AdamW { config, steps, moments } = &mut *self.optimizer;
        let AdamWConfig { beta1, beta2, epsilon, weight_decay } = *config;
        let (first, second) = moments.remove(&name).unwrap_or_else(|| {
            let zeros = || Tensor::zeros([gradient.dims()[0]], &gradient.device());
            (zeros(), zeros())
        });
        let exponent = i32::try_from(*steps).unwrap_or(i32::MAX);
        #[expect(clippy::cast_possible_truncation, reason = "parameters are single precision")]
        let step = tensor::AdamWStep {
            learning_rate: self.rate as f32,
            beta1: beta1 as f32,
            beta2: beta2 as f32,
            epsilon: epsilon as f32,
            weight_decay: if D >= 2 { weight_decay as f32 } else { 0.0 },
            bias_correction1: (1.0 - beta1.powi(exponent)) as f32,
            bias_correction2: (1.0 - beta2.powi(exponent)) as f32,
            gradient_scale: self.gradients.scale() as f32,
        };
        param.map(|weights| {
            let shape = weights.dims();
            // the step is no part of what gradients are taken of
            let weights = weights.without_autodiff().reshape([-1]);
            let (weights, first, second) = update(weights, first, second, gradient, step);
            moments.insert(name, (first, second));
            weights.reshape(shape).autodiff().require_grad()
        })
    }
}
