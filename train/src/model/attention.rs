//! Self-attention.

use burn::{
    module::Module,
    tensor::{Device, Tensor},
};

use super::{Architecture, forward_pass::ForwardPass, parts::Linear};
use crate::tensor::{Heads, rotary};

/// Multi-head self-attention.
#[derive(Module, Debug)]
pub struct Attention {
    /// To queries, keys and values side by side.
    input: Linear,
    output: Linear,
    num_heads: usize,
    num_kv_heads: usize,
}

impl Attention {
    /// A layer of zeros.
    pub fn new(architecture: &Architecture, device: &Device) -> Self {
        let Architecture { hidden_size, num_heads, num_kv_heads, biases, .. } = *architecture;
        Self {
            input: Linear::new(hidden_size, architecture.attention_columns(), biases.attention_input, device),
            output: Linear::new(hidden_size, hidden_size, biases.attention_output, device),
            num_heads,
            num_kv_heads,
        }
    }

    /// # Shapes
    /// - `x`: `[batch, time, hidden_size]`
    /// - returns: the same
    pub fn forward(&self, x: Tensor<3>, pass: &ForwardPass<'_>, layer: usize) -> Tensor<3> {
        let heads = Heads::of(x.dims()[2], self.num_heads, self.num_kv_heads);
        let mut x = self.input.forward(x); // [b, t, (h + 2 kv) d]
        if let Some(angles) = &pass.angles {
            x = rotary(x, angles, &pass.positions, self.num_heads + self.num_kv_heads);
        }
        self.output.forward(pass.attend(x, heads, layer))
    }
}
