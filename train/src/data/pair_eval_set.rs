//! The pairs that a model with an encoder is evaluated on, in memory: the same at every evaluation.

use xxhash_rust::xxh3::Xxh3;

use super::{EvalSet, Pair, PairBatch, SpanCorruption};

/// The pairs of an evaluation.
#[derive(Debug, Clone, PartialEq)]
pub struct PairEvalSet {
    /// What each source gave: how many pairs of the set each of its own counts for, and these.
    parts: Vec<(f64, Vec<Pair>)>,
    all_pairs: u64,
    padding: u32,
    hash: String,
}

impl PairEvalSet {
    /// - `parts`: the pairs of each source, and how much each of them counts for
    /// - `all_pairs`: how many they were drawn from
    #[must_use]
    pub fn new(parts: Vec<(f64, Vec<Pair>)>, all_pairs: u64, padding: u32) -> Self {
        let hash = hash(&parts, padding);
        Self { parts, all_pairs, padding, hash }
    }

    /// The sequences of a set, corrupted: what is noise depends on the seed and a sequence's place in the set.
    #[must_use]
    pub fn corrupted(set: &EvalSet, corruption: &SpanCorruption, padding: u32) -> Self {
        let mut number = 0;
        let mut pair = |ids: &[i32]| {
            number += 1;
            corruption.pair_of_inputs(ids, number)
        };
        let parts = set.batches(usize::MAX).map(|(factor, batch)| {
            let sequences = batch.targets.chunks_exact(batch.sequence_length);
            (factor, sequences.map(&mut pair).collect())
        });
        Self::new(parts.collect(), set.all_sequences(), padding)
    }

    /// The hash of all that a loss on it depends on beside the model, as 32 hexadecimal digits.
    #[must_use]
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// How many pairs it has.
    #[must_use]
    pub fn pairs(&self) -> usize {
        self.parts.iter().map(|(_, pairs)| pairs.len()).sum()
    }

    /// How many pairs they were drawn from.
    #[must_use]
    pub fn all_pairs(&self) -> u64 {
        self.all_pairs
    }

    /// The tokens of all targets, on which the loss is taken.
    #[must_use]
    pub fn target_tokens(&self) -> u64 {
        self.parts.iter().flat_map(|(_, pairs)| pairs).map(|pair| pair.target.len() as u64).sum()
    }

    /// All pairs in batches of at most `batch_size`, each with the weight of its pairs in a mean over all.
    ///
    /// - `batch_size`: 1 or more
    pub fn batches(&self, batch_size: usize) -> impl Iterator<Item = (f64, PairBatch)> {
        let few = move |pairs: &[Pair]| PairBatch::new(pairs, self.padding, self.padding);
        self.parts
            .iter()
            .flat_map(move |(factor, pairs)| pairs.chunks(batch_size).map(move |pairs| (*factor, few(pairs))))
    }
}

/// The hash of some pairs, with how much each counts for.
fn hash(parts: &[(f64, Vec<Pair>)], padding: u32) -> String {
    let mut hash = Xxh3::new();
    hash.update(&padding.to_le_bytes());
    for (factor, pairs) in parts {
        hash.update(&factor.to_le_bytes());
        for ids in pairs.iter().flat_map(|Pair { source, target }| [source, target]) {
            hash.update(&(ids.len() as u64).to_le_bytes());
            ids.iter().for_each(|id| hash.update(&id.to_le_bytes()));
        }
    }
    format!("{:032x}", hash.digest128())
}
