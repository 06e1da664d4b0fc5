//! The keys and values of a sequence, in blocks that several sequences may share.
//!
//! A block has room for [`TOKENS`] tokens in all layers. A copy of a cache shares its blocks; who adds to a block that is shared gets one of
//! its own first. So a prefix is computed once and held once.
//!
//! ```text
//! block          [layers][kv_heads] of keys, then values
//! keys           [TOKENS / 16][head_dim][16 tokens]      a panel of weights for queries
//! values         [head_dim / 16][TOKENS][16 numbers]     a panel of weights for probabilities
//! ```

use std::sync::Arc;

use super::kernel::line::{Line, WIDE};
use crate::model::Architecture;

/// Tokens of a block.
pub(super) const TOKENS: usize = 32;

/// The keys and values of a sequence. A clone shares them.
#[derive(Debug, Clone)]
pub struct SequenceCache {
    blocks: Vec<Arc<[Line]>>,
    length: usize,
    shape: BlockShape,
}

/// How large a block is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BlockShape {
    layers: usize,
    kv_heads: usize,
    /// Lines of a head's numbers.
    lines: usize,
}

impl BlockShape {
    /// That of a model.
    pub fn new(architecture: &Architecture) -> Self {
        let Architecture { num_layers: layers, num_kv_heads: kv_heads, head_dim, .. } = *architecture;
        Self { layers, kv_heads, lines: head_dim.div_ceil(WIDE) }
    }

    /// Lines of a block.
    fn size(self) -> usize {
        self.layers * self.kv_heads * 2 * self.values()
    }

    /// Where a head's keys begin.
    pub fn head(self, layer: usize, head: usize) -> usize {
        (layer * self.kv_heads + head) * 2 * self.values()
    }

    /// How far behind its keys a head's values begin.
    pub fn values(self) -> usize {
        self.lines * TOKENS
    }
}

impl SequenceCache {
    /// An empty one.
    pub(super) fn new(shape: BlockShape) -> Self {
        Self { blocks: Vec::new(), length: 0, shape }
    }

    /// Tokens in it.
    #[must_use]
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Forgets all tokens from place `length` on; of fewer none.
    pub fn truncate(&mut self, length: usize) {
        self.length = self.length.min(length);
        self.blocks.truncate(self.length.div_ceil(TOKENS));
    }

    /// Memory of its blocks, those that it shares among them.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.blocks.iter().map(|block| size_of_val(&**block)).sum()
    }

    /// The size of its blocks.
    pub(super) fn shape(&self) -> BlockShape {
        self.shape
    }

    /// Makes room for further tokens, in blocks of its own, and gives the places of all blocks to `take`: those from the first new token on may
    /// be written for as long as the cache is lent and not touched otherwise.
    pub(super) fn grow(&mut self, more: usize, mut take: impl FnMut(*mut Line)) {
        let size = self.shape.size();
        let blocks = (self.length + more).div_ceil(TOKENS);
        self.blocks.resize_with(blocks, || std::iter::repeat_n(Line::ZERO, size).collect());
        let (shared, own) = self.blocks.split_at_mut(self.length / TOKENS);
        shared.iter().for_each(|block| take(block.as_ptr().cast_mut()));
        // a copy only of what others have, too
        own.iter_mut().for_each(|block| take(Arc::make_mut(block).as_mut_ptr()));
    }

    /// Counts tokens that all layers have written.
    pub(super) fn advance(&mut self, tokens: usize) {
        self.length += tokens;
    }
}
