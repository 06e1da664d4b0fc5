//! An architecture: the sizes of a model, and the parts that it is made of.
//!
//! ```text
//! norm, norm_place   LayerNorm or RmsNorm, in front of a layer or behind its residual sum
//! positions          learned, or rotary
//! feed_forward       GELU, or SwiGLU
//! biases             in which linear layers
//! sliding_window     how far some blocks attend
//! tie_embeddings     one table for the first layer and the last
//! ```
//!
//! Whatever builds or runs a model asks for parts alone: which family has them is not known here.
//!
//! Useful for: a model of parts that are there, in any combination. Not useful for: where they come from; see [`super::ModelConfig`].

use crate::tensor::{Heads, RopeScaling};

/// The usual base of rotary angles (Su et al. 2021).
pub(super) const ROPE_THETA: f64 = 10_000.0;

/// What a model is built from, checked: see [`super::ModelConfig::architecture`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Architecture {
    /// Transformer blocks.
    pub num_layers: usize,
    /// Attention heads of each block.
    pub num_heads: usize,
    /// Key and value heads.
    pub num_kv_heads: usize,
    /// The size of a head.
    pub head_dim: usize,
    /// The width of the residual stream.
    pub hidden_size: usize,
    /// The width of the feed-forward layers.
    pub intermediate_size: usize,
    /// The longest sequence that the model reads, in tokens.
    pub context_length: usize,
    /// How hidden states are normalised.
    pub norm: NormKind,
    /// Added to the variance in norms.
    pub norm_eps: f64,
    /// Where norms stand.
    pub norm_place: NormPlace,
    /// How a model knows where a token stands.
    pub positions: Positions,
    /// What stands between the two feed-forward layers.
    pub feed_forward: Activation,
    /// Which linear layers have a bias.
    pub biases: Biases,
    /// How far some blocks attend; the others attend to the whole context.
    pub sliding_window: Option<SlidingWindow>,
    /// Whether the output head is the token embedding.
    pub tie_embeddings: bool,
    /// The dropout rate while training.
    pub dropout: f32,
}

/// How hidden states are normalised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NormKind {
    /// By mean and variance, with a gain and a bias (Ba et al. 2016).
    LayerNorm,
    /// By the mean square, with a gain (Zhang and Sennrich 2019).
    RmsNorm,
}

/// Where norms stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NormPlace {
    /// In front of each layer, and one behind the last block (Radford et al. 2019).
    Pre,
    /// Behind each residual sum, so that the last block ends with one (Vaswani et al. 2017).
    Post,
}

/// How a model knows where a token stands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Positions {
    /// A learned embedding of each position of the context, added to the token's.
    Learned,
    /// Queries and keys are turned (Su et al. 2021).
    Rotary {
        /// The base of the angles.
        theta: f64,
        /// How the angles are scaled.
        scaling: Option<RopeScaling>,
    },
}

/// What stands between the two feed-forward layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    /// GELU, by its approximation with a hyperbolic tangent (Hendrycks and Gimpel 2016).
    Gelu,
    /// A linear layer gated by the SiLU of another (Shazeer 2020).
    SwiGlu,
}

/// Which linear layers have a bias.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Biases {
    /// Those to queries, keys and values.
    pub attention_input: bool,
    /// Those from the attention heads back.
    pub attention_output: bool,
    /// Both feed-forward layers.
    pub feed_forward: bool,
}

/// How far some blocks attend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SlidingWindow {
    /// Tokens that a position attends to, itself among them.
    pub tokens: usize,
    /// The last of so many blocks in a row has the window: 2 for every other block, those with odd numbers.
    pub every: usize,
}

impl Activation {
    /// Whether the first layer makes a gate beside what is gated.
    #[must_use]
    pub fn is_gated(self) -> bool {
        self == Self::SwiGlu
    }

    /// The columns of the first feed-forward layer.
    #[must_use]
    pub fn columns(self, intermediate_size: usize) -> usize {
        if self.is_gated() { 2 * intermediate_size } else { intermediate_size }
    }

    /// The usual intermediate size: 4 times the hidden size; with a gate 8/3 of it, for as many parameters, up to the next multiple of 32.
    ///
    /// Source: Vaswani et al. 2017; Shazeer 2020, section 3; Touvron et al. 2023, section 2.2.
    #[must_use]
    pub fn usual_intermediate_size(self, hidden_size: usize) -> usize {
        if self.is_gated() { (8 * hidden_size).div_ceil(3).next_multiple_of(32) } else { 4 * hidden_size }
    }
}

impl Biases {
    /// In all layers.
    pub const ALL: Self = Self { attention_input: true, attention_output: true, feed_forward: true };
    /// In none.
    pub const NONE: Self = Self { attention_input: false, attention_output: false, feed_forward: false };
}

impl SlidingWindow {
    /// Whether a block, counted from 0, has the window.
    #[must_use]
    pub fn is_in(self, layer: usize) -> bool {
        layer % self.every == self.every - 1
    }
}

impl Architecture {
    /// The heads of each block.
    #[must_use]
    pub fn heads(&self) -> Heads {
        let Self { num_heads, num_kv_heads, head_dim, .. } = *self;
        Heads { num_heads, num_kv_heads, head_dim }
    }

    /// The columns of queries, and of what heads give back.
    #[must_use]
    pub fn query_columns(&self) -> usize {
        self.num_heads * self.head_dim
    }

    /// The columns of queries, keys and values side by side.
    #[must_use]
    pub fn attention_columns(&self) -> usize {
        (self.num_heads + 2 * self.num_kv_heads) * self.head_dim
    }

    /// Whether a learned embedding of positions is added to the tokens'.
    #[must_use]
    pub fn has_position_embedding(&self) -> bool {
        self.positions == Positions::Learned
    }

    /// Whether a norm follows the last block.
    #[must_use]
    pub fn has_last_norm(&self) -> bool {
        self.norm_place == NormPlace::Pre
    }

    /// Parameters of a model with this architecture.
    #[must_use]
    pub fn parameters(&self, vocab_size: usize) -> usize {
        let Self { hidden_size, intermediate_size, biases, .. } = *self;
        let linear = |inputs, outputs, with_bias| inputs * outputs + if with_bias { outputs } else { 0 };
        let norm = match self.norm {
            NormKind::LayerNorm => 2 * hidden_size,
            NormKind::RmsNorm => hidden_size,
        };
        let block = linear(hidden_size, self.attention_columns(), biases.attention_input)
            + linear(self.query_columns(), hidden_size, biases.attention_output)
            + linear(hidden_size, self.feed_forward.columns(intermediate_size), biases.feed_forward)
            + linear(intermediate_size, hidden_size, biases.feed_forward)
            + 2 * norm;
        let positions = if self.has_position_embedding() { self.context_length * hidden_size } else { 0 };
        let last_norm = if self.has_last_norm() { norm } else { 0 };
        let embeddings = if self.tie_embeddings { 1 } else { 2 } * vocab_size * hidden_size;
        self.num_layers * block + positions + last_norm + embeddings
    }
}
