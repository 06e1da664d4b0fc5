//! Labelled examples that go through a classifier together.
//!
//! ```text
//! ids      [start] a b [extract] pad       example 0, its first alternative
//!          [start] a c d [extract]         example 0, its second
//! lengths  4, 5
//! counts   2
//! labels   1
//! ```

use super::{
    MicroBatches,
    batch::{padded, some_rows},
};

/// A labelled example, in the memory of whoever holds many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example<'a> {
    /// The ids of its sequences; one or more, of one id or more.
    pub sequences: Vec<&'a [u32]>,
    /// The number of the right choice, where it is known.
    pub label: Option<u32>,
}

/// A batch of examples: plain numbers, on no device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SequenceBatch {
    /// `[sequences, time]`, padded to the longest of them.
    pub ids: Vec<i32>,
    /// `[sequences]`, ids that are not padding: the last of them is where a head reads.
    pub lengths: Vec<usize>,
    /// `[examples]`, sequences of each.
    pub counts: Vec<usize>,
    /// `[examples]`, the number of the right choice; 0 where none is known.
    pub labels: Vec<usize>,
}

impl SequenceBatch {
    /// A batch of some examples, one at least.
    ///
    /// - `padding`: any id; nothing attends to it, and no loss is taken on it
    #[must_use]
    pub fn new(examples: &[Example<'_>], padding: u32) -> Self {
        let sequences = || examples.iter().flat_map(|example| &example.sequences);
        Self {
            ids: padded(sequences().copied(), padding),
            lengths: sequences().map(|ids| ids.len()).collect(),
            counts: examples.iter().map(|example| example.sequences.len()).collect(),
            labels: examples.iter().map(|example| example.label.unwrap_or(0) as usize).collect(),
        }
    }

    /// Ids of a sequence, its padding among them.
    #[must_use]
    pub fn time(&self) -> usize {
        self.ids.len() / self.lengths.len()
    }
}

impl MicroBatches for SequenceBatch {
    fn batch_size(&self) -> usize {
        self.counts.len()
    }

    /// The same ids without the padding that only other examples asked for.
    fn slice(&self, first: usize, count: usize) -> Self {
        let last = (first + count).min(self.counts.len());
        let before: usize = self.counts[..first].iter().sum();
        let counts = self.counts[first..last].to_vec();
        let rows = before..before + counts.iter().sum::<usize>();
        Self {
            ids: some_rows(&self.ids, &self.lengths, rows.clone()),
            lengths: self.lengths[rows].to_vec(),
            counts,
            labels: self.labels[first..last].to_vec(),
        }
    }

    /// Those that are not padding.
    fn tokens(&self) -> u64 {
        self.lengths.iter().map(|length| *length as u64).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples_stay_whole_in_micro_batches() {
        let example = |sequences: &[&'static [u32]], label| Example { sequences: sequences.to_vec(), label };
        let batch = SequenceBatch::new(&[example(&[&[5, 6], &[7]], Some(1)), example(&[&[8, 9, 4], &[3, 2]], None)], 0);
        assert_eq!(batch.ids, [5, 6, 0, 7, 0, 0, 8, 9, 4, 3, 2, 0]);
        assert_eq!((&batch.lengths, &batch.counts, &batch.labels), (&vec![2, 1, 3, 2], &vec![2, 2], &vec![1, 0]));
        assert_eq!((batch.batch_size(), batch.time(), batch.tokens()), (2, 3, 8));
        let parts: Vec<SequenceBatch> = batch.micro_batches(2).collect();
        assert_eq!((&parts[0].ids, &parts[0].lengths), (&vec![5, 6, 7, 0], &vec![2, 1]));
        assert_eq!((&parts[1].ids, &parts[1].labels), (&vec![8, 9, 4, 3, 2, 0], &vec![0]));
    }
}
