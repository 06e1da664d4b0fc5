//! One block: attention, then a layer of neurons, each added to what came in.

use burn::{
    module::Module,
    nn::{LayerNorm, LayerNormConfig, Linear, LinearConfig},
    tensor::{Device, Tensor, activation::sigmoid},
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
        let neurons = gelu(self.up.forward(self.neurons_norm.forward(x.clone()))); // [b, t, 4w]
        x + self.down.forward(neurons)
    }
}

/// The Gaussian error linear unit in GPT-2's approximation, 0.5 x (1 + tanh(u)) with u = sqrt(2 / pi) (x + 0.044715 x^3).
///
/// It is computed as x times the sigmoid of 2u, which is the same and costs one exponential instead of a hyperbolic tangent.
///
/// Source: Hendrycks and Gimpel 2016, section 2.
fn gelu(x: Tensor<3>) -> Tensor<3> {
    let cube = x.clone() * x.clone() * x.clone();
    let twice_u = (x.clone() + cube * 0.044_715) * (2.0 * (2.0 / std::f64::consts::PI).sqrt());
    x * sigmoid(twice_u)
}

#[cfg(test)]
mod tests {
    use burn::tensor::activation::gelu_approximate;

    use super::*;

    #[test]
    fn gelu_is_that_of_the_framework() {
        let x =
            Tensor::<1>::from_floats([-6.0, -1.5, -0.1, 0.0, 0.3, 2.0, 7.0, 30.0], &Device::flex()).reshape([1, 2, 4]);
        let difference = (gelu(x.clone()) - gelu_approximate(x)).abs().max().into_scalar::<f32>();
        assert!(difference < 1e-5, "they differ by {difference}");
    }
}
