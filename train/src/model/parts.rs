//! The small parts that blocks are made of. Their numbers are drawn later, all at once: see [`super::Architecture::init`].

use burn::{
    module::{Module, Param},
    tensor::{Device, Tensor},
};

use super::{Architecture, NormKind, adapter::Adapter};
use crate::tensor;

/// An affine map, `x W + b`.
#[derive(Module, Debug)]
pub struct Linear {
    /// `[inputs, outputs]`.
    pub weight: Param<Tensor<2>>,
    /// `[outputs]`.
    pub bias: Option<Param<Tensor<1>>>,
    /// What is added to some of its columns.
    pub lora: Option<Adapter>,
}

impl Linear {
    /// A map of zeros.
    pub fn new(inputs: usize, outputs: usize, with_bias: bool, device: &Device) -> Self {
        let bias = with_bias.then(|| Param::from_tensor(Tensor::zeros([outputs], device)));
        Self { weight: Param::from_tensor(Tensor::zeros([inputs, outputs], device)), bias, lora: None }
    }

    /// # Shapes
    /// - `x`: `[..., inputs]`
    /// - returns: `[..., outputs]`
    pub fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        self.forward_dropping(x, None)
    }

    /// The same while training, where `key` is a hash of (seed, step, layer, part) for what its adapters drop.
    pub fn forward_dropping<const D: usize>(&self, x: Tensor<D>, key: Option<u64>) -> Tensor<D> {
        let (weight, bias) = (self.weight.val(), self.bias.as_ref().map(Param::val));
        match &self.lora {
            None => tensor::linear(x, weight, bias),
            Some(adapter) => tensor::adapted_linear(x, weight, bias, adapter.low_rank(key)),
        }
    }
}

/// A layer norm, or, without biases, an RMS norm.
#[derive(Module, Debug)]
pub struct Norm {
    /// `[hidden_size]`.
    pub gain: Param<Tensor<1>>,
    /// `[hidden_size]`.
    pub bias: Option<Param<Tensor<1>>>,
    /// What is added to the variance.
    epsilon: f64,
}

impl Norm {
    /// A norm of zeros, of the kind that the architecture has.
    pub fn new(architecture: &Architecture, device: &Device) -> Self {
        let zeros = || Param::from_tensor(Tensor::zeros([architecture.hidden_size], device));
        let with_bias = architecture.norm == NormKind::LayerNorm;
        Self { gain: zeros(), bias: with_bias.then(zeros), epsilon: architecture.norm_eps }
    }

    /// # Shapes
    /// - `x`: `[..., hidden_size]`
    /// - returns: the same
    pub fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        tensor::norm(x, self.gain.val(), self.bias.as_ref().map(Param::val), self.epsilon)
    }
}
