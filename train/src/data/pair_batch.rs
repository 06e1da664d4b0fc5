//! Pairs that go through a model with an encoder together: a source that is read, and a target that is written.
//!
//! ```text
//! source   The house is wonderful. </s> <pad> <pad>
//! input    <pad>  Das    Haus  ist        wunderbar.          what the decoder is given: the target, a place later
//! target   Das    Haus   ist   wunderbar. </s>                what it is to write
//! ```

use super::MicroBatches;

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
        let (start, padding) = (number(start), number(padding));
        let mut batch = Self {
            sources: Vec::with_capacity(pairs.len() * source_time),
            source_lengths: pairs.iter().map(|pair| pair.source.len()).collect(),
            inputs: Vec::with_capacity(pairs.len() * target_time),
            targets: Vec::with_capacity(pairs.len() * target_time),
            weights: Vec::with_capacity(pairs.len() * target_time),
            batch_size: pairs.len(),
        };
        for (row, Pair { source, target }) in pairs.iter().enumerate() {
            batch.sources.extend(source.iter().copied().map(number));
            batch.sources.resize((row + 1) * source_time, padding);
            batch.inputs.push(start);
            batch.inputs.extend(target[..target.len() - 1].iter().copied().map(number));
            batch.inputs.resize((row + 1) * target_time, padding);
            batch.targets.extend(target.iter().copied().map(number));
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
}

impl MicroBatches for PairBatch {
    fn batch_size(&self) -> usize {
        self.batch_size
    }

    fn slice(&self, first: usize, count: usize) -> Self {
        let rows = first..(first + count).min(self.batch_size);
        let part = |ids: &[i32]| {
            let time = ids.len() / self.batch_size;
            ids[rows.start * time..rows.end * time].to_vec()
        };
        let time = self.weights.len() / self.batch_size;
        Self {
            sources: part(&self.sources),
            source_lengths: self.source_lengths[rows.clone()].to_vec(),
            inputs: part(&self.inputs),
            targets: part(&self.targets),
            weights: self.weights[rows.start * time..rows.end * time].to_vec(),
            batch_size: rows.len(),
        }
    }

    fn tokens(&self) -> u64 {
        (self.sources.len() + self.targets.len()) as u64
    }
}

fn number(id: u32) -> i32 {
    i32::try_from(id).expect("a vocabulary has fewer than 2^31 tokens")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch() -> PairBatch {
        let pair = |source: &[u32], target: &[u32]| Pair { source: source.to_vec(), target: target.to_vec() };
        PairBatch::new(&[pair(&[5, 6, 1], &[7, 1]), pair(&[8, 1], &[9, 9, 9, 1])], 0, 2)
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
        assert_eq!(parts[1].sources, [8, 1, 2]);
        assert_eq!((&parts[1].source_lengths, parts[1].batch_size), (&vec![2], 1));
        assert_eq!(parts.iter().flat_map(|part| part.targets.clone()).collect::<Vec<_>>(), batch.targets);
        assert_eq!(parts.iter().flat_map(|part| part.weights.clone()).collect::<Vec<_>>(), batch.weights);
    }
}
