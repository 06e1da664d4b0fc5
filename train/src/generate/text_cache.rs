//! What models keep of tokens that they have processed.

use crate::{inference::SequenceCache, model::KvCache};

/// What a model keeps of the tokens of some sequences.
pub trait TextCache {
    /// `[batch]`: tokens of each.
    fn lengths(&self) -> Vec<usize>;

    /// Forgets all tokens of some sequences, but not what an encoder has read; of all, where they cannot be forgotten alone. Returns whether it
    /// was of all.
    ///
    /// - `full`: of each sequence, whether it is one of them
    fn forget(&mut self, full: &[bool]) -> bool;

    /// Sequence `i` becomes a copy of sequence `order[i]`; others are forgotten.
    fn reorder(&mut self, order: &[usize]);
}

impl TextCache for KvCache {
    fn lengths(&self) -> Vec<usize> {
        self.lengths().to_vec()
    }

    fn forget(&mut self, _: &[bool]) -> bool {
        self.clear();
        true
    }

    fn reorder(&mut self, order: &[usize]) {
        self.reorder(order);
    }
}

impl TextCache for Vec<SequenceCache> {
    fn lengths(&self) -> Vec<usize> {
        self.iter().map(SequenceCache::len).collect()
    }

    fn forget(&mut self, full: &[bool]) -> bool {
        self.iter_mut().zip(full).filter(|(_, is_full)| **is_full).for_each(|(cache, _)| cache.truncate(0));
        false
    }

    fn reorder(&mut self, order: &[usize]) {
        // copies share what they have in common
        *self = order.iter().map(|from| self[*from].clone()).collect();
    }
}

/// That of a model of any kind.
#[derive(Debug)]
pub enum LoadedCache {
    /// Of all sequences together.
    Tensors(KvCache),
    /// Of each by itself.
    Sequences(Vec<SequenceCache>),
}

impl LoadedCache {
    fn cache(&mut self) -> &mut dyn TextCache {
        match self {
            Self::Tensors(cache) => cache,
            Self::Sequences(caches) => caches,
        }
    }
}

impl TextCache for LoadedCache {
    fn lengths(&self) -> Vec<usize> {
        match self {
            Self::Tensors(cache) => TextCache::lengths(cache),
            Self::Sequences(caches) => caches.lengths(),
        }
    }

    fn forget(&mut self, full: &[bool]) -> bool {
        self.cache().forget(full)
    }

    fn reorder(&mut self, order: &[usize]) {
        self.cache().reorder(order);
    }
}
