//! A transformer block: attention, then feed-forward layers, each added to the residual stream.

use burn::{
    module::Module,
    tensor::{Device, Tensor},
};

use super::{
    Activation, Architecture, NormPlace,
    attention::Attention,
    cross_attention::CrossAttention,
    forward_pass::ForwardPass,
    parts::{Linear, Norm},
    purposes,
};
use crate::tensor::{geglu, gelu, relu, swiglu};

/// A transformer block.
#[derive(Module, Debug)]
pub struct Block {
    attention_norm: Norm,
    attention: Attention,
    /// In a decoder with an encoder.
    cross_attention: Option<CrossAttention>,
    feed_forward_norm: Norm,
    feed_forward: FeedForward,
    #[module(skip)]
    norm_place: NormPlace,
}

impl Block {
    /// A block of zeros.
    pub fn new(architecture: &Architecture, device: &Device) -> Self {
        let norm = || Norm::new(architecture, device);
        Self {
            attention_norm: norm(),
            attention: Attention::new(architecture, device),
            cross_attention: None,
            feed_forward_norm: norm(),
            feed_forward: FeedForward::new(architecture, device),
            norm_place: architecture.norm_place,
        }
    }

    /// The same with cross-attention to an encoder.
    pub fn with_cross_attention(architecture: &Architecture, device: &Device) -> Self {
        Self { cross_attention: Some(CrossAttention::new(architecture, device)), ..Self::new(architecture, device) }
    }

    /// The linear layers of self-attention and of the feed-forward part, by their names.
    pub fn linears_mut(&mut self) -> impl Iterator<Item = (String, &mut Linear)> {
        let of_attention = self.attention.linears_mut().map(|(name, linear)| (format!("attention.{name}"), linear));
        let FeedForward { up, down, .. } = &mut self.feed_forward;
        let others = [("up", up), ("down", down)].map(|(name, linear)| (format!("feed_forward.{name}"), linear));
        of_attention.into_iter().chain(others)
    }

    /// The same to be read.
    pub fn linear(&self, name: &str) -> Option<&Linear> {
        match name {
            "attention.input" => Some(&self.attention.input),
            "attention.output" => Some(&self.attention.output),
            "feed_forward.up" => Some(&self.feed_forward.up),
            "feed_forward.down" => Some(&self.feed_forward.down),
            _ => None,
        }
    }

    /// The keys and values of an encoder's hidden states, `[batch, other time, 2 num_kv_heads * head_dim]`, for a block that attends to them.
    pub fn memory_keys(&self, memory: Tensor<3>) -> Tensor<3> {
        self.cross_attention.as_ref().expect("a decoder's block attends to its encoder").keys(memory)
    }

    /// # Shapes
    /// - `x`: `[batch, time, hidden_size]`
    /// - returns: the same
    pub fn forward(&self, x: Tensor<3>, pass: &ForwardPass<'_>, layer: usize) -> Tensor<3> {
        if self.norm_place == NormPlace::Post {
            let attended = self.attention.forward(x.clone(), pass, layer);
            let x = self.attention_norm.forward(x + pass.dropout(attended, layer, purposes::ATTENTION));
            let x = match &self.cross_attention {
                Some(cross) => {
                    let attended = cross.forward(x.clone(), pass, layer);
                    cross.norm.forward(x + pass.dropout(attended, layer, purposes::CROSS_ATTENTION))
                }
                None => x,
            };
            let fed = self.feed_forward.forward(x.clone(), pass, layer);
            return self.feed_forward_norm.forward(x + pass.dropout(fed, layer, purposes::FEED_FORWARD));
        }
        let attended = self.attention.forward(self.attention_norm.forward(x.clone()), pass, layer);
        let x = x + pass.dropout(attended, layer, purposes::ATTENTION);
        let x = match &self.cross_attention {
            Some(cross) => {
                let attended = cross.forward(cross.norm.forward(x.clone()), pass, layer);
                x + pass.dropout(attended, layer, purposes::CROSS_ATTENTION)
            }
            None => x,
        };
        let fed = self.feed_forward.forward(self.feed_forward_norm.forward(x.clone()), pass, layer);
        x + pass.dropout(fed, layer, purposes::FEED_FORWARD)
    }
}

/// Two linear layers with an activation between them.
#[derive(Module, Debug)]
pub struct FeedForward {
    /// To the intermediate size; where it is gated, the gate stands before it.
    up: Linear,
    down: Linear,
    #[module(skip)]
    activation: Activation,
}

impl FeedForward {
    fn new(architecture: &Architecture, device: &Device) -> Self {
        let Architecture { hidden_size, intermediate_size, feed_forward: activation, .. } = *architecture;
        let (columns, with_bias) = (activation.columns(intermediate_size), architecture.biases.feed_forward);
        Self {
            up: Linear::new(hidden_size, columns, with_bias, device),
            down: Linear::new(intermediate_size, hidden_size, with_bias, device),
            activation,
        }
    }

    fn forward(&self, x: Tensor<3>, pass: &ForwardPass<'_>, layer: usize) -> Tensor<3> {
        let up = self.up.forward_dropping(x, pass.key(layer, purposes::FEED_FORWARD_UP)); // [b, t, i] or [b, t, 2i]
        let activated = match self.activation {
            Activation::Gelu => gelu(up),
            Activation::Relu => relu(up),
            Activation::SwiGlu => swiglu(up),
            Activation::GeGlu => geglu(up),
        };
        let activated = pass.dropout_inside(activated, layer, purposes::FEED_FORWARD_INSIDE);
        self.down.forward_dropping(activated, pass.key(layer, purposes::FEED_FORWARD_DOWN))
    }
}
