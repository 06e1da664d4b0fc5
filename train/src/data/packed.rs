//! Documents one after the other, cut into rows of one length.
//!
//! Every epoch takes all rows once, in an order that is a function of (seed, epoch); so the place in the data is one number,
//! the step.

use crate::random::Stream;

/// Rows of `time + 1` ids each: what is seen and, one place further, what is to be said. Neighbours share one id.
#[derive(Debug, Clone)]
pub struct PackedRows {
    ids: Vec<u32>,
    time: usize,
    seed: u64,
    /// The order of the epoch that was asked for last.
    order: (u64, Vec<u32>),
}

/// Rows that go through the model together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// `[rows, time]`, ids that are seen.
    pub inputs: Vec<i32>,
    /// `[rows, time]`, ids that are to be said.
    pub targets: Vec<i32>,
    /// Rows.
    pub rows: usize,
    /// Ids in a row.
    pub time: usize,
}

impl PackedRows {
    /// Cuts `ids` into rows that see `time` ids each; what is left at the end is left out. None if there is no row.
    #[must_use]
    pub fn new(ids: Vec<u32>, time: usize, seed: u64) -> Option<Self> {
        let rows = ids.len().saturating_sub(1) / time;
        (rows > 0).then(|| Self { ids, time, seed, order: (u64::MAX, Vec::new()) })
    }

    /// How many rows there are.
    #[must_use]
    pub fn rows(&self) -> usize {
        (self.ids.len() - 1) / self.time
    }

    /// The rows of a step, `rows` of them.
    pub fn step(&mut self, step: u64, rows: usize) -> Batch {
        let first = step * rows as u64;
        let numbers: Vec<usize> = (first..first + rows as u64).map(|place| self.row_at(place)).collect();
        self.batch(&numbers)
    }

    /// The rows from `first` on, at most `count` of them, in the order of the data.
    #[must_use]
    pub fn in_order(&self, first: usize, count: usize) -> Batch {
        let numbers: Vec<usize> = (first..self.rows().min(first + count)).collect();
        self.batch(&numbers)
    }

    /// Which row comes at a place in the endless sequence of epochs.
    fn row_at(&mut self, place: u64) -> usize {
        let rows = self.rows() as u64;
        let (epoch, within) = (place / rows, usize::try_from(place % rows).expect("a row is in memory"));
        if self.order.0 != epoch {
            let stream = Stream::new(self.seed, &format!("epoch {epoch}"));
            let mut order: Vec<u32> = (0..u32::try_from(rows).expect("rows can be numbered")).collect();
            order.sort_by_cached_key(|row| (stream.bits(u64::from(*row)), *row));
            self.order = (epoch, order);
        }
        self.order.1[within] as usize
    }

    fn batch(&self, rows: &[usize]) -> Batch {
        let ids = |from: usize| {
            rows.iter()
                .flat_map(|row| &self.ids[row * self.time + from..(row + 1) * self.time + from])
                .map(|id| i32::try_from(*id).expect("a vocabulary has fewer than 2^31 tokens"))
                .collect()
        };
        Batch { inputs: ids(0), targets: ids(1), rows: rows.len(), time: self.time }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// An epoch takes every row once, whatever the size of a batch, and the next takes them in another order.
        #[test]
        fn an_epoch_takes_every_row_once(rows in 2usize..40, batch in 1usize..7, seed: u64) {
            let time = 3;
            let ids: Vec<u32> = (0..u32::try_from(rows * time + 1).expect("few")).collect();
            let mut packed = PackedRows::new(ids, time, seed).expect("there are rows");
            prop_assert_eq!(packed.rows(), rows);
            let firsts: Vec<i32> = (0..(2 * rows).div_ceil(batch) as u64)
                .flat_map(|step| packed.step(step, batch).inputs.chunks(time).map(|row| row[0]).collect::<Vec<_>>())
                .collect();
            for epoch in [&firsts[..rows], &firsts[rows..2 * rows]] {
                prop_assert_eq!(epoch.iter().collect::<BTreeSet<_>>().len(), rows);
            }
        }
    }

    #[test]
    fn targets_are_one_place_further() {
        let packed = PackedRows::new((0..9).collect(), 4, 1).expect("there are two rows");
        let batch = packed.in_order(0, 10);
        assert_eq!((batch.rows, batch.time), (2, 4));
        assert_eq!(batch.inputs, [0, 1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(batch.targets, [1, 2, 3, 4, 5, 6, 7, 8]);
        assert!(PackedRows::new(vec![1, 2, 3], 3, 1).is_none());
    }

    #[test]
    fn a_step_is_the_same_wherever_one_begins() {
        let ids: Vec<u32> = (0..400).collect();
        let mut walked = PackedRows::new(ids.clone(), 5, 7).expect("there are rows");
        let all: Vec<Batch> = (0..50).map(|step| walked.step(step, 4)).collect();
        let mut resumed = PackedRows::new(ids, 5, 7).expect("there are rows");
        assert_eq!(resumed.step(33, 4), all[33]);
    }
}
