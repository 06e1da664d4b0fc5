//! Attention of a decoder to what an encoder made.

use burn::{
    module::Module,
    tensor::{Device, Tensor},
};

use super::{
    Architecture, Family,
    parts::{Linear, Norm},
    pass::Pass,
};
use crate::tensor::Heads;

/// Every position looks at all of another sequence.
///
/// Source: Vaswani et al. 2017, section 3.2.3.
#[derive(Module, Debug)]
pub struct Across {
    pub(super) norm: Norm,
    queries: Linear,
    /// Keys and values side by side.
    memory: Linear,
    output: Linear,
    num_heads: usize,
    num_kv_heads: usize,
}

impl Across {
    /// A layer without values of its own yet.
    pub fn new(architecture: &Architecture, device: &Device) -> Self {
        let Architecture { hidden_size, num_heads, num_kv_heads, .. } = *architecture;
        let with_bias = architecture.family != Family::Llama;
        Self {
            norm: Norm::new(architecture, device),
            queries: Linear::new(hidden_size, hidden_size, with_bias, device),
            memory: Linear::new(hidden_size, 2 * num_kv_heads * architecture.head_dim(), with_bias, device),
            output: Linear::new(hidden_size, hidden_size, with_bias, device),
            num_heads,
            num_kv_heads,
        }
    }

    /// # Shapes
    /// - `x`: `[batch, time, hidden_size]`
    /// - returns: the same
    pub fn forward(&self, x: Tensor<3>, pass: &Pass<'_>) -> Tensor<3> {
        let heads = Heads::of(x.dims()[2], self.num_heads, self.num_kv_heads);
        let memory = pass.memory().expect("a block that looks across has something to look at");
        let keys = self.memory.forward(memory.clone()); // [b, o, 2 kv d]
        self.output.forward(pass.attend_across(self.queries.forward(x), keys, heads))
    }
}
