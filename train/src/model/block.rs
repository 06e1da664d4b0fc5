//! One block: attention, then a layer of neurons, each added to what came in.

use burn::{
    module::Module,
    nn::{LayerNorm, LayerNormConfig, Linear, LinearConfig},
    tensor::{Device, Tensor, activation::gelu_approximate},
};

use super::attention::Attention;

/// A block with its norms in front.
#[derive(Module, Debug)]
pub struct Block {
    attention_norm: LayerNorm,
    attention: Attention,
    neurons_norm: LayerNorm,
    up: Linear,
    down: Linear,
}

impl Block {
    /// A block of `width`, with four times as many neurons.
    pub fn new(width: usize, heads: usize, device: &Device) -> Self {
        Self {
            attention_norm: LayerNormConfig::new(width).init(device),
            attention: Attention::new(width, heads, device),
            neurons_norm: LayerNormConfig::new(width).init(device),
            up: LinearConfig::new(width, 4 * width).init(device),
            down: LinearConfig::new(4 * width, width).init(device),
        }
    }

    /// # Shapes
    /// - `x`: `[batch, time, width]`
    /// - returns: `[batch, time, width]`
    pub fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        let x = x.clone() + self.attention.forward(self.attention_norm.forward(x));
        let neurons = gelu_approximate(self.up.forward(self.neurons_norm.forward(x.clone()))); // [b, t, 4w]
        x + self.down.forward(neurons)
    }
}
