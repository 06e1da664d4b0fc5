//! Attention of a sequence to itself.

use burn::{
    module::Module,
    tensor::{Device, Tensor},
};

use super::{Family, Shape, parts::Linear, pass::Pass};
use crate::tensor::{Heads, rotary};

/// Every position looks at itself and at those before it, with several heads.
#[derive(Module, Debug)]
pub struct Attention {
    /// Queries, keys and values side by side.
    input: Linear,
    output: Linear,
    heads: usize,
    key_heads: usize,
}

impl Attention {
    /// A layer without values of its own yet.
    pub fn new(shape: &Shape, device: &Device) -> Self {
        let Shape { width, heads, key_heads, .. } = *shape;
        let columns = width + 2 * key_heads * (width / heads);
        let with_bias = shape.family != Family::Llama;
        Self {
            input: Linear::new(width, columns, with_bias, device),
            output: Linear::new(width, width, with_bias, device),
            heads,
            key_heads,
        }
    }

    /// # Shapes
    /// - `x`: `[rows, time, width]`
    /// - returns: the same
    pub fn forward(&self, x: Tensor<3>, pass: &Pass<'_>, layer: usize) -> Tensor<3> {
        let width = x.dims()[2] / self.heads;
        let heads = Heads { queries: self.heads, keys: self.key_heads, width };
        let mut x = self.input.forward(x); // [r, t, (q + 2k) w]
        if let Some(angles) = &pass.angles {
            x = rotary(x, angles, &pass.positions, self.heads + self.key_heads);
        }
        self.output.forward(pass.attend(x, heads, layer))
    }
}
