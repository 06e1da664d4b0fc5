//! Attention of a decoder to the hidden states of an encoder.

use burn::{
    module::Module,
    tensor::{Device, Tensor},
};

use super::{
    Architecture,
    forward_pass::ForwardPass,
    parts::{Linear, Norm},
};
use crate::tensor::Heads;

/// Multi-head cross-attention: every position attends to all of another sequence.
///
/// Source: Vaswani et al. 2017, section 3.2.3.
#[derive(Module, Debug)]
pub struct CrossAttention {
    pub(super) norm: Norm,
    queries: Linear,
    /// To keys and values side by side.
    memory: Linear,
    output: Linear,
    #[module(skip)]
    heads: Heads,
}

impl CrossAttention {
    /// A layer of zeros.
    pub fn new(architecture: &Architecture, device: &Device) -> Self {
        let Architecture { hidden_size, num_kv_heads, head_dim, biases, .. } = *architecture;
        let (of_queries, of_memory) = (architecture.query_columns(), 2 * num_kv_heads * head_dim);
        Self {
            norm: Norm::new(architecture, device),
            queries: Linear::new(hidden_size, of_queries, biases.attention_input, device),
            memory: Linear::new(hidden_size, of_memory, biases.attention_input, device),
            output: Linear::new(of_queries, hidden_size, biases.attention_output, device),
            heads: architecture.heads(),
        }
    }

    /// The keys and values of an encoder's hidden states side by side.
    pub fn keys(&self, memory: Tensor<3>) -> Tensor<3> {
        self.memory.forward(memory) // [b, o, 2 kv d]
    }

    /// # Shapes
    /// - `x`: `[batch, time, hidden_size]`
    /// - returns: the same
    pub fn forward(&self, x: Tensor<3>, pass: &ForwardPass<'_>, layer: usize) -> Tensor<3> {
        let queries = self.queries.forward(x);
        self.output.forward(pass.cross_attend(queries, |memory| self.keys(memory), self.heads, layer))
    }
}
