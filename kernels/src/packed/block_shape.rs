//! How keys and values lie in the blocks of a cache.
//!
//! ```text
//! block          [layers][kv_heads] of keys, then values
//! keys           [TOKENS / 16][head_dim][16 tokens]      a panel of weights for queries
//! values         [head_dim / 16][TOKENS][16 numbers]     a panel of weights for probabilities
//! ```

use super::kernel::line::WIDE;

/// Tokens of a block.
pub const TOKENS: usize = 32;

/// How large a block is: room for [`TOKENS`] tokens in all layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockShape {
    layers: usize,
    kv_heads: usize,
    /// Lines of a head's numbers.
    lines: usize,
}

impl BlockShape {
    /// That of a decoder.
    #[must_use]
    pub fn new(layers: usize, kv_heads: usize, head_dim: usize) -> Self {
        Self { layers, kv_heads, lines: head_dim.div_ceil(WIDE) }
    }

    /// Lines of a block.
    #[must_use]
    pub fn size(self) -> usize {
        self.layers * self.kv_heads * 2 * self.values()
    }

    /// Where a head's keys begin.
    pub(super) fn head(self, layer: usize, head: usize) -> usize {
        (layer * self.kv_heads + head) * 2 * self.values()
    }

    /// How far behind its keys a head's values begin.
    pub(super) fn values(self) -> usize {
        self.lines * TOKENS
    }
}
