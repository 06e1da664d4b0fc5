//! The numbers of a model, packed.

use kernels::packed::{elementwise::Norm, matrix::Matrix, memory::Memory, product::Linear};

/// A block.
#[derive(Debug)]
pub struct Block {
    pub attention_norm: Norm,
    /// To queries, keys and values side by side.
    pub input: Linear,
    pub output: Linear,
    pub feed_forward_norm: Norm,
    /// Where it is gated, each panel of gates stands before the panel that it gates.
    pub up: Linear,
    pub down: Linear,
}

/// All numbers of a model.
#[derive(Debug)]
pub struct Weights {
    pub memory: Memory,
    /// Token embeddings, as outputs; none where they are those of the head.
    pub tokens: Option<Matrix>,
    /// `[context_length, hidden_size]`.
    pub positions: Option<Vec<f32>>,
    /// `[num_heads][context_length]`: what is added to scores, by how far a key stands before its query.
    pub distances: Option<Vec<f32>>,
    pub blocks: Vec<Block>,
    pub norm: Option<Norm>,
    pub head: Linear,
}
