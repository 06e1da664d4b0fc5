//! An architecture: the sizes of a model, and the parts that it is made of.
//!
//! ```text
//! norm, norm_place   LayerNorm or RmsNorm, in front of a layer or behind its residual sum
//! positions          learned, rotary, or relative
//! feed_forward       GELU, ReLU, SwiGLU, or a gated GELU
//! biases             in which linear layers
//! sliding_window     how far some blocks attend
//! tie_embeddings     one table for the first layer and the last
//! stacks             a decoder, or an encoder and a decoder that attends to it
//! ```
//!
//! Whatever builds or runs a model asks for parts alone: which family has them is not known here.
//!
//! Useful for: a model of parts that are there, in any combination. Not useful for: where they come from; see [`super::ModelConfig`].

pub use kernels::activation::Activation;

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
    /// Whether scores of attention are divided by the root of the size of a head.
    pub scale_scores: bool,
    /// Whether hidden states are divided by the root of the hidden size in front of the head.
    pub scale_logits: bool,
    /// Which stacks of blocks there are.
    pub stacks: Stacks,
    /// How weights are drawn at first.
    pub initialization: Initialization,
    /// The dropout rate while training.
    pub dropout: f32,
    /// Where numbers are dropped.
    pub dropout_places: DropoutPlaces,
}

/// Where numbers are dropped while training.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DropoutPlaces {
    /// Embeddings, and what each layer adds to the residual stream (Vaswani et al. 2017).
    Residual,
    /// There, and inside of layers: the weights of attention, what lies between feed-forward layers, and what the last norm of a stack gives
    /// (Raffel et al. 2020, by their code).
    Everywhere,
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
    /// A learned number for each head and each bucket of distances is added to scores (Raffel et al. 2020).
    Relative {
        /// Buckets.
        buckets: usize,
        /// The distance from which on all have one bucket.
        max_distance: usize,
    },
}

/// The stacks of blocks of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stacks {
    /// A decoder, which goes on with a text.
    Decoder,
    /// An encoder, which reads a text, and a decoder of as many blocks, which attends to it and writes another (Vaswani et al. 2017).
    EncoderDecoder,
}

/// How weights are drawn at first: normal, with a standard deviation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Initialization {
    /// 0.02; for layers that add to the residual stream less, the more there are (Radford et al. 2019).
    Gpt,
    /// 1 for embeddings, and for a layer by its inputs, so that scores need not be scaled (Raffel et al. 2020, by their code).
    T5,
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
        let Self { num_heads, num_kv_heads, head_dim, scale_scores: scaled, .. } = *self;
        Heads { num_heads, num_kv_heads, head_dim, scaled }
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

    /// Whether an encoder reads what the decoder answers.
    #[must_use]
    pub fn has_encoder(&self) -> bool {
        self.stacks == Stacks::EncoderDecoder
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
        let relative = match self.positions {
            Positions::Relative { buckets, .. } => buckets * self.num_heads,
            Positions::Learned | Positions::Rotary { .. } => 0,
        };
        let stack = self.num_layers * block + last_norm + relative;
        let cross_attention = linear(hidden_size, self.query_columns(), biases.attention_input)
            + linear(hidden_size, 2 * self.num_kv_heads * self.head_dim, biases.attention_input)
            + linear(self.query_columns(), hidden_size, biases.attention_output)
            + norm;
        let encoder = if self.has_encoder() { stack + self.num_layers * cross_attention } else { 0 };
        stack + encoder + positions + embeddings
    }

    /// Those of its embeddings among them: of tokens, and of positions where these are learnt. A head of its own is none.
    #[must_use]
    pub fn embedding_parameters(&self, vocab_size: usize) -> usize {
        let positions = if self.has_position_embedding() { self.context_length } else { 0 };
        (vocab_size + positions) * self.hidden_size
    }
}
