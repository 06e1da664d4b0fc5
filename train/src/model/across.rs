//! Attention of a decoder to what an encoder made.

use burn::{
    module::Module,
    tensor::{Device, Tensor},
};

use super::{
    Family, Shape,
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
    heads: usize,
    key_heads: usize,
}

impl Across {
    /// A layer without values of its own yet.
    pub fn new(shape: &Shape, device: &Device) -> Self {
        let Shape { width, heads, key_heads, .. } = *shape;
        let with_bias = shape.family != Family::Llama;
        Self {
            norm: Norm::new(shape, device),
            queries: Linear::new(width, width, with_bias, device),
            memory: Linear::new(width, 2 * key_heads * (width / heads), with_bias, device),
            output: Linear::new(width, width, with_bias, device),
            heads,
            key_heads,
        }
    }

    /// # Shapes
    /// - `x`: `[rows, time, width]`
    /// - returns: the same
    pub fn forward(&self, x: Tensor<3>, pass: &Pass<'_>) -> Tensor<3> {
        let heads = Heads { queries: self.heads, keys: self.key_heads, width: x.dims()[2] / self.heads };
        let memory = pass.memory().expect("a block that looks across has something to look at");
        let keys = self.memory.forward(memory.clone()); // [r, o, 2k w]
        self.output.forward(pass.attend_across(self.queries.forward(x), keys, heads))
    }
}
