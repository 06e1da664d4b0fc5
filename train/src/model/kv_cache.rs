//! The keys and values of all blocks, so that a token is computed once.

use burn::tensor::{Device, Tensor};

use super::Architecture;
use crate::tensor::LayerKvCache;

/// The keys and values of all blocks, for sequences of different lengths.
#[derive(Debug)]
pub struct KvCache {
    layers: Vec<LayerKvCache>,
    lengths: Vec<usize>,
}

impl KvCache {
    /// Room for a whole context in each of `batch_size` sequences.
    #[must_use]
    pub fn new(architecture: &Architecture, batch_size: usize, device: &Device) -> Self {
        let columns = 2 * architecture.num_kv_heads * architecture.head_dim;
        let layer = |_| LayerKvCache::new(batch_size, architecture.context_length, columns, device);
        Self { layers: (0..architecture.num_layers).map(layer).collect(), lengths: vec![0; batch_size] }
    }

    /// `[batch]`: tokens in the cache.
    #[must_use]
    pub fn lengths(&self) -> &[usize] {
        &self.lengths
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.lengths.fill(0);
    }

    /// Sequence `i` becomes a copy of sequence `order[i]`, as beams ask for; others are forgotten.
    pub fn reorder(&mut self, order: &[usize]) {
        let before = self.lengths.len();
        self.layers.iter_mut().for_each(|layer| layer.reorder(order, before));
        self.lengths = order.iter().map(|from| self.lengths[*from]).collect();
    }

    pub(super) fn layer(&self, layer: usize) -> &LayerKvCache {
        &self.layers[layer]
    }

    pub(super) fn append(&mut self, layer: usize, new: Tensor<3>, counts: &[usize]) {
        self.layers[layer].append(new, &self.lengths, counts);
    }

    /// Counts the tokens that all blocks have appended.
    pub(super) fn advance(&mut self, counts: &[usize]) {
        self.lengths.iter_mut().zip(counts).for_each(|(length, count)| *length += count);
    }
}
