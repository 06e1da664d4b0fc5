//! Self-attention.

use burn::{
    module::Module,
    tensor::{Device, Tensor},
};

use super::{Architecture, forward_pass::ForwardPass, parts::Linear, purposes};
use crate::tensor::{Heads, rotary};

/// Multi-head self-attention.
#[derive(Module, Debug)]
pub struct Attention {
    /// To queries, keys and values side by side.
    pub input: Linear,
    pub output: Linear,
    #[module(skip)]
    heads: Heads,
}

impl Attention {
    /// A layer of zeros.
    pub fn new(architecture: &Architecture, device: &Device) -> Self {
        let Architecture { hidden_size, biases, .. } = *architecture;
        Self {
            input: Linear::new(hidden_size, architecture.attention_columns(), biases.attention_input, device),
            output: Linear::new(architecture.query_columns(), hidden_size, biases.attention_output, device),
            heads: architecture.heads(),
        }
    }

    /// # Shapes
    /// - `x`: `[batch, time, hidden_size]`
    /// - returns: the same
    pub fn forward(&self, x: Tensor<3>, pass: &ForwardPass<'_>, layer: usize) -> Tensor<3> {
        let heads = self.heads;
        let mut x = self.input.forward_dropping(x, pass.key(layer, purposes::ATTENTION_INPUT)); // [b, t, (h + 2 kv) d]
        if let Some(angles) = &pass.angles {
            x = rotary(x, angles, &pass.positions, heads.num_heads + heads.num_kv_heads);
        }
        self.output.forward_dropping(pass.attend(x, heads, layer), pass.key(layer, purposes::ATTENTION_OUTPUT))
    }

    /// Its linear layers, by their names.
    pub fn linears_mut(&mut self) -> [(&'static str, &mut Linear); 2] {
        [("input", &mut self.input), ("output", &mut self.output)]
    }
}
