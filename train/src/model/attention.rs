//! Causal self-attention.

use burn::{
    module::Module,
    nn::{Linear, LinearConfig},
    tensor::{Device, Tensor, module::attention, ops::AttentionModuleOptions},
};

/// Every position looks at itself and at those before it, with several heads.
#[derive(Module, Debug)]
pub struct Attention {
    /// Queries, keys and values side by side.
    input: Linear,
    output: Linear,
    heads: usize,
}

impl Attention {
    /// A layer without values of its own yet; see [`super::GptConfig::init`].
    pub fn new(width: usize, heads: usize, device: &Device) -> Self {
        Self {
            input: LinearConfig::new(width, 3 * width).init(device),
            output: LinearConfig::new(width, width).init(device),
            heads,
        }
    }

    /// # Shapes
    /// - `x`: `[batch, time, width]`
    /// - returns: `[batch, time, width]`
    pub fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        let [batch, time, width] = x.dims();
        let head_width = width / self.heads;
        let parts = self.input.forward(x).reshape([batch, time, 3 * self.heads, head_width]).swap_dims(1, 2); // [b, 3h, t, d]
        let part = |number: usize| {
            let heads = number * self.heads..(number + 1) * self.heads;
            parts.clone().slice([0..batch, heads, 0..time, 0..head_width]) // [b, h, t, d]
        };
        let options = AttentionModuleOptions { is_causal: true, ..AttentionModuleOptions::default() };
        let seen = attention(part(0), part(1), part(2), None, None, options); // [b, h, t, d]
        self.output.forward(seen.swap_dims(1, 2).reshape([batch, time, width]))
    }
}
