//! Sequences that go through a model together, each padded to the longest.

use std::ops::Range;

use super::batch::{padded, some_rows};

/// Some sequences: plain numbers, on no device.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PaddedSequences {
    /// `[sequences, time]`.
    pub ids: Vec<i32>,
    /// `[sequences]`, ids that are not padding, 1 or more.
    pub lengths: Vec<usize>,
}

impl PaddedSequences {
    /// Of some sequences, one at least.
    ///
    /// - `padding`: any id; nothing attends to it
    pub fn new<'a>(sequences: impl Iterator<Item = &'a [u32]> + Clone, padding: u32) -> Self {
        Self { ids: padded(sequences.clone(), padding), lengths: sequences.map(<[u32]>::len).collect() }
    }

    /// Some of them, without the padding that only others asked for.
    #[must_use]
    pub fn some(&self, rows: Range<usize>) -> Self {
        Self { ids: some_rows(&self.ids, &self.lengths, rows.clone()), lengths: self.lengths[rows].to_vec() }
    }

    /// Ids that are not padding.
    #[must_use]
    pub fn tokens(&self) -> u64 {
        self.lengths.iter().map(|length| *length as u64).sum()
    }
}
