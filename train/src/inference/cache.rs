//! The keys and values of a sequence, in blocks that several sequences may share.
//!
//! A block has room for [`TOKENS`] tokens in all layers. A copy of a cache shares its blocks; who adds to a block that is shared gets one of
//! its own first. So a prefix is computed once and held once.

use std::sync::Arc;

use kernels::packed::{BlockShape, Line, TOKENS};

/// The keys and values of a sequence. A clone shares them.
#[derive(Debug, Clone)]
pub struct SequenceCache {
    blocks: Vec<Arc<[Line]>>,
    length: usize,
    shape: BlockShape,
}

impl SequenceCache {
    /// Tokens of a block: as many are held, shared and copied together.
    pub const BLOCK: usize = TOKENS;

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

    /// Shares the whole blocks of another cache of the same tokens, in the place of its own.
    pub fn adopt(&mut self, other: &Self) {
        let whole = self.length.min(other.length) / TOKENS;
        self.blocks[..whole].clone_from_slice(&other.blocks[..whole]);
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
