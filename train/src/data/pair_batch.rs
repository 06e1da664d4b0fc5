//! Pairs that go through a model with an encoder together: a source that is read, and a target that is written.
//!
//! ```text
//! source   The house is wonderful. </s> <pad> <pad>
//! input    <pad>  Das    Haus  ist        wunderbar.          what the decoder is given: the target, a place later
//! target   Das    Haus   ist   wunderbar. </s>                what it is to write
//! ```

use std::ops::Range;

use super::{MicroBatches, batch::signed};

/// Ids that are read, and ids that are to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// For the encoder; 1 or more.
    pub source: Vec<u32>,
    /// For the decoder; 1 or more.
    pub target: Vec<u32>,
}

/// A batch of pairs: plain numbers, on no device.
#[derive(Debug, Clone, PartialEq)]
pub struct PairBatch {
    /// `[batch, source time]`, ids for the encoder.
    pub sources: Vec<i32>,
    /// `[batch]`, how many of them are not padding.
    pub source_lengths: Vec<usize>,
    /// `[batch, target time]`, ids for the decoder: the targets, a place later.
    pub inputs: Vec<i32>,
    /// `[batch, target time]`, target ids.
    pub targets: Vec<i32>,
    /// `[batch, target time]`, 1 where the loss is taken; 0 on padding.
    pub weights: Vec<f32>,
    /// Pairs.
    pub batch_size: usize,
}

impl PairBatch {
    /// A batch of some pairs, one at least, padded to the longest of them.
    ///
    /// - `start`: what every decoder begins with; T5's is its padding
    /// - `padding`: any id; nothing attends to it, and no loss is taken on it
    #[must_use]
    pub fn new(pairs: &[Pair], start: u32, padding: u32) -> Self {
        let longest = |of: fn(&Pair) -> usize| pairs.iter().map(of).max().expect("a batch has a pair");
        let (source_time, target_time) = (longest(|pair| pair.source.len()), longest(|pair| pair.target.len()));
        let (start, padding) = (signed(start), signed(padding));
        let mut batch = Self {
            sources: Vec::with_capacity(pairs.len() * source_time),
            source_lengths: pairs.iter().map(|pair| pair.source.len()).collect(),
            inputs: Vec::with_capacity(pairs.len() * target_time),
            targets: Vec::with_capacity(pairs.len() * target_time),
            weights: Vec::with_capacity(pairs.len() * target_time),
            batch_size: pairs.len(),
        };
        for (row, Pair { source, target }) in pairs.iter().enumerate() {
            batch.sources.extend(source.iter().copied().map(signed));
            batch.sources.resize((row + 1) * source_time, padding);
            batch.inputs.push(start);
            batch.inputs.extend(target[..target.len() - 1].iter().copied().map(signed));
            batch.inputs.resize((row + 1) * target_time, padding);
            batch.targets.extend(target.iter().copied().map(signed));
            batch.weights.resize(batch.targets.len(), 1.0);
            batch.targets.resize((row + 1) * target_time, padding);
            batch.weights.resize((row + 1) * target_time, 0.0);
        }
        batch
    }

    /// How many positions the loss is taken on.
    #[must_use]
    pub fn weight(&self) -> f64 {
        self.weights.iter().map(|weight| f64::from(*weight)).sum()
    }

    /// How many ids of a target are not padding.
    fn target_length(&self, row: usize) -> usize {
        let time = self.weights.len() / self.batch_size;
        self.weights[row * time..][..time].iter().rposition(|weight| *weight > 0.0).map_or(0, |last| last + 1)
    }

    /// The first `time` positions of some rows of `[batch, longer time]`.
    fn part<T: Copy>(&self, of: &[T], rows: &Range<usize>, time: usize) -> Vec<T> {
        let whole = of.len() / self.batch_size;
        rows.clone().flat_map(|row| &of[row * whole..][..time]).copied().collect()
    }
}

impl MicroBatches for PairBatch {
    fn batch_size(&self) -> usize {
        self.batch_size
    }

    /// The same pairs without the padding that only others asked for.
    fn slice(&self, first: usize, count: usize) -> Self {
        let rows = first..(first + count).min(self.batch_size);
        let source_lengths = self.source_lengths[rows.clone()].to_vec();
        let source_time = source_lengths.iter().copied().max().unwrap_or(0);
        let target_time = rows.clone().map(|row| self.target_length(row)).max().unwrap_or(0);
        Self {
            sources: self.part(&self.sources, &rows, source_time),
            source_lengths,
            inputs: self.part(&self.inputs, &rows, target_time),
            targets: self.part(&self.targets, &rows, target_time),
            weights: self.part(&self.weights, &rows, target_time),
            batch_size: rows.len(),
        }
    }

    /// Those that are not padding.
    fn tokens(&self) -> u64 {
        let read: usize = self.source_lengths.iter().sum();
        let written: usize = (0..self.batch_size).map(|row| self.target_length(row)).sum();
        (read + written) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs() -> [Pair; 2] {
        let pair = |source: &[u32], target: &[u32]| Pair { source: source.to_vec(), target: target.to_vec() };
        [pair(&[5, 6, 1], &[7, 1]), pair(&[8, 1], &[9, 9, 9, 1])]
    }

    fn batch() -> PairBatch {
        PairBatch::new(&pairs(), 0, 2)
    }

    #[test]
    fn a_decoder_is_given_what_comes_before() {
        let batch = batch();
        assert_eq!(batch.sources, [5, 6, 1, 8, 1, 2]);
        assert_eq!(batch.source_lengths, [3, 2]);
        assert_eq!(batch.inputs, [0, 7, 2, 2, 0, 9, 9, 9]);
        assert_eq!(batch.targets, [7, 1, 2, 2, 9, 9, 9, 1]);
        assert_eq!(batch.weights, [1.0, 1.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0]);
        assert!((batch.weight() - 6.0).abs() < f64::EPSILON);
    }

    #[test]
    fn micro_batches_hold_the_pairs_in_their_order() {
        let batch = batch();
        let parts: Vec<PairBatch> = batch.micro_batches(2).collect();
        // padded as if there were no others
        assert_eq!(parts, pairs().map(|pair| PairBatch::new(&[pair], 0, 2)));
        assert_eq!(batch.slice(0, 2), batch);
        assert_eq!(batch.tokens(), 11, "padding is no token");
    }
}
