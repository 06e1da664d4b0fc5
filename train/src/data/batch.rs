//! Sequences that go through the model together.

use std::ops::Range;

use super::MicroBatches;

/// A batch of sequences: plain numbers, on no device.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    /// `[batch, time]`, input ids.
    pub inputs: Vec<i32>,
    /// `[batch, time]`, target ids: the inputs of the next position.
    pub targets: Vec<i32>,
    /// `[batch, time]`, 1 where the loss is taken; 0 on prompts and padding.
    pub weights: Vec<f32>,
    /// `[batch, time]`, the first position of its sequence that a position attends to: 0, or with document masking the start of
    /// its document.
    pub starts: Vec<i32>,
    /// Sequences.
    pub batch_size: usize,
    /// Ids of a sequence.
    pub sequence_length: usize,
}

impl Batch {
    /// A batch without sequences yet, of `sequence_length` ids each.
    #[must_use]
    pub fn empty(sequence_length: usize) -> Self {
        Self {
            inputs: Vec::new(),
            targets: Vec::new(),
            weights: Vec::new(),
            starts: Vec::new(),
            batch_size: 0,
            sequence_length,
        }
    }

    /// How many positions the loss is taken on.
    #[must_use]
    pub fn weight(&self) -> f64 {
        self.weights.iter().map(|weight| f64::from(*weight)).sum()
    }
}

impl MicroBatches for Batch {
    fn batch_size(&self) -> usize {
        self.batch_size
    }

    fn slice(&self, first: usize, count: usize) -> Self {
        let last = (first + count).min(self.batch_size);
        let range = first * self.sequence_length..last * self.sequence_length;
        Self {
            inputs: self.inputs[range.clone()].to_vec(),
            targets: self.targets[range.clone()].to_vec(),
            weights: self.weights[range.clone()].to_vec(),
            starts: self.starts[range].to_vec(),
            batch_size: last - first,
            sequence_length: self.sequence_length,
        }
    }

    fn tokens(&self) -> u64 {
        self.targets.len() as u64
    }
}

/// An id as tensors have it.
pub(super) fn signed(id: u32) -> i32 {
    i32::try_from(id).expect("a vocabulary has fewer than 2^31 tokens")
}

/// Ids of sequences as a tensor has them, each padded to the longest.
pub(super) fn padded<'a>(sequences: impl Iterator<Item = &'a [u32]> + Clone, padding: u32) -> Vec<i32> {
    let time = sequences.clone().map(<[u32]>::len).max().expect("a batch has a sequence");
    let mut padded = Vec::with_capacity(time * sequences.clone().count());
    for (row, ids) in sequences.enumerate() {
        padded.extend(ids.iter().copied().map(signed));
        padded.resize((row + 1) * time, signed(padding));
    }
    padded
}

/// Some rows of padded ids, without the padding that only others asked for.
///
/// - `ids`: `[lengths.len(), time]`
/// - `lengths`: ids of each row that are not padding
pub(super) fn some_rows(ids: &[i32], lengths: &[usize], rows: Range<usize>) -> Vec<i32> {
    let time = ids.len() / lengths.len();
    let longest = lengths[rows.clone()].iter().copied().max().unwrap_or(0);
    rows.flat_map(|row| &ids[row * time..][..longest]).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is summed over micro-batches must be what the batch holds, each sequence once and in its order.
    #[test]
    fn micro_batches_hold_the_sequences_in_their_order() {
        let numbers: Vec<i32> = (0..24).collect();
        let weights: Vec<f32> = numbers.iter().map(|number| if number % 5 == 0 { 0.0 } else { 1.0 }).collect();
        let batch = Batch {
            inputs: numbers.clone(),
            targets: numbers.clone(),
            weights,
            starts: numbers,
            batch_size: 6,
            sequence_length: 4,
        };
        let parts: Vec<Batch> = batch.micro_batches(3).collect();
        assert!(parts.iter().all(|part| (part.batch_size, part.sequence_length) == (2, 4)));
        assert_eq!(parts.iter().flat_map(|part| part.targets.clone()).collect::<Vec<_>>(), batch.targets);
        assert!((parts.iter().map(Batch::weight).sum::<f64>() - batch.weight()).abs() < f64::EPSILON);
    }
}
