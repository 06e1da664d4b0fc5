//! One block: attention, then a layer of neurons, each added to what came in.

use burn::{
    module::Module,
    tensor::{Device, Tensor},
};

use super::{
    Architecture, Family,
    across::Across,
    attention::Attention,
    parts::{Linear, Norm},
    pass::Pass,
};
use crate::tensor::{gelu, swiglu};

/// A block.
#[derive(Module, Debug)]
pub struct Block {
    attention_norm: Norm,
    attention: Attention,
    /// In a decoder that looks at an encoder.
    across: Option<Across>,
    neurons_norm: Norm,
    neurons: Neurons,
    /// The norms stand behind the sums, and not in front of the parts.
    norms_behind: bool,
}

impl Block {
    /// A block without values of its own yet.
    pub fn new(architecture: &Architecture, device: &Device) -> Self {
        let norm = || Norm::new(architecture, device);
        Self {
            attention_norm: norm(),
            attention: Attention::new(architecture, device),
            across: None,
            neurons_norm: norm(),
            neurons: Neurons::new(architecture, device),
            norms_behind: architecture.family == Family::Gpt1,
        }
    }

    /// The same, which looks at what an encoder made of another sequence, too.
    pub fn looking_across(architecture: &Architecture, device: &Device) -> Self {
        Self { across: Some(Across::new(architecture, device)), ..Self::new(architecture, device) }
    }

    /// # Shapes
    /// - `x`: `[batch, time, hidden_size]`
    /// - returns: the same
    pub fn forward(&self, x: Tensor<3>, pass: &Pass<'_>, layer: usize) -> Tensor<3> {
        if self.norms_behind {
            let seen = pass.dropped(self.attention.forward(x.clone(), pass, layer), layer, "attention");
            let x = self.attention_norm.forward(x + seen);
            let x = match &self.across {
                Some(across) => across.norm.forward(x.clone() + pass.dropped(across.forward(x, pass), layer, "across")),
                None => x,
            };
            let thought = pass.dropped(self.neurons.forward(x.clone()), layer, "neurons");
            return self.neurons_norm.forward(x + thought);
        }
        let seen = self.attention.forward(self.attention_norm.forward(x.clone()), pass, layer);
        let x = x + pass.dropped(seen, layer, "attention");
        let x = match &self.across {
            Some(across) => {
                let seen = across.forward(across.norm.forward(x.clone()), pass);
                x + pass.dropped(seen, layer, "across")
            }
            None => x,
        };
        let thought = self.neurons.forward(self.neurons_norm.forward(x.clone()));
        x + pass.dropped(thought, layer, "neurons")
    }
}

/// Two maps with a bend between them.
#[derive(Module, Debug)]
pub struct Neurons {
    /// To the neurons; where they are gated, the gates stand before them.
    up: Linear,
    down: Linear,
    gated: bool,
}

impl Neurons {
    fn new(architecture: &Architecture, device: &Device) -> Self {
        let gated = architecture.family == Family::Llama;
        let outputs = if gated { 2 * architecture.intermediate_size } else { architecture.intermediate_size };
        Self {
            up: Linear::new(architecture.hidden_size, outputs, !gated, device),
            down: Linear::new(architecture.intermediate_size, architecture.hidden_size, !gated, device),
            gated,
        }
    }

    fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        let up = self.up.forward(x); // [b, t, i] or [b, t, 2i]
        self.down.forward(if self.gated { swiglu(up) } else { gelu(up) })
    }
}
