//! The keys and values of all blocks, so that a token is computed once; and those of what an encoder has read.

use burn::tensor::{Device, Tensor};

use super::Architecture;
use crate::tensor::{AttentionMask, LayerKvCache};

/// The keys and values of all blocks, for sequences of different lengths.
#[derive(Debug)]
pub struct KvCache {
    layers: Vec<LayerKvCache>,
    lengths: Vec<usize>,
    memory: Option<Memory>,
}

/// The keys and values of an encoder's hidden states, in all blocks of its decoder.
#[derive(Debug)]
struct Memory {
    layers: Vec<LayerKvCache>,
    /// `[batch]`: how many of them are not padding.
    lengths: Vec<usize>,
    /// `[batch]`: which of the sequences that were read each attends to.
    sources: Vec<usize>,
}

impl KvCache {
    /// Room for a whole context in each of `batch_size` sequences.
    #[must_use]
    pub fn new(architecture: &Architecture, batch_size: usize, device: &Device) -> Self {
        let columns = 2 * architecture.num_kv_heads * architecture.head_dim;
        let layer = |_| LayerKvCache::new(batch_size, architecture.context_length, columns, device);
        Self { layers: (0..architecture.num_layers).map(layer).collect(), lengths: vec![0; batch_size], memory: None }
    }

    /// The same with what an encoder has read: of each block of its decoder the keys and values, `[batch, other time, columns]`, of whose
    /// sequences the first `lengths[i]` places are not padding.
    pub(super) fn with_memory(self, keys: Vec<Tensor<3>>, lengths: &[usize]) -> Self {
        let layer = |keys: Tensor<3>| {
            let [rows, time, columns] = keys.dims();
            let mut layer = LayerKvCache::new(rows, time, columns, &keys.device());
            layer.append(keys, &vec![0; rows], &vec![time; rows]);
            layer
        };
        let layers = keys.into_iter().map(layer).collect();
        let memory = Memory { layers, lengths: lengths.to_vec(), sources: (0..lengths.len()).collect() };
        Self { memory: Some(memory), ..self }
    }

    /// What a block of a decoder attends to of its encoder, and its mask.
    pub(super) fn memory(&self, layer: usize) -> Option<(&LayerKvCache, AttentionMask)> {
        let memory = self.memory.as_ref()?;
        Some((&memory.layers[layer], AttentionMask::Full { lengths: Some(memory.lengths.as_slice().into()) }))
    }

    /// `[batch]`: tokens in the cache.
    #[must_use]
    pub fn lengths(&self) -> &[usize] {
        &self.lengths
    }

    /// Forgets all tokens, but not what an encoder has read.
    pub fn clear(&mut self) {
        self.lengths.fill(0);
    }

    /// Sequence `i` becomes a copy of sequence `order[i]`, as beams ask for; others are forgotten.
    pub fn reorder(&mut self, order: &[usize]) {
        let before = self.lengths.len();
        self.layers.iter_mut().for_each(|layer| layer.reorder(order, before));
        self.lengths = order.iter().map(|from| self.lengths[*from]).collect();
        if let Some(memory) = &mut self.memory {
            memory.reorder(order);
        }
    }

    /// How far a query among `time` new tokens may look back.
    pub(super) fn furthest(&self, time: usize) -> usize {
        self.lengths.iter().max().copied().unwrap_or(0) + time - 1
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

impl Memory {
    /// Beams of one text share what was read: mostly nothing moves.
    fn reorder(&mut self, order: &[usize]) {
        let sources: Vec<usize> = order.iter().map(|from| self.sources[*from]).collect();
        if sources == self.sources {
            return;
        }
        let before = self.sources.len();
        self.layers.iter_mut().for_each(|layer| layer.reorder(order, before));
        self.lengths = order.iter().map(|from| self.lengths[*from]).collect();
        self.sources = sources;
    }
}
