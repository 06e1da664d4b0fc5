//! External sort of small records of one size: in memory while they are few, in one spill file when they are many.
//!
//! Records are dealt to [`PARTITIONS`] by the upper bits of their place, which is spread evenly: a hash, or an id. A partition is
//! then small enough to be sorted in memory, and partitions follow one another as their records do.
//!
//! Useful for: ids and hashes on their way through a sort. Not useful for: text; what is not spread evenly.
//! Cost: the records' own bytes, once, in memory or on disk; a partition at a time for each thread.

use std::path::Path;

use rayon::prelude::*;

use super::SpillFile;
use crate::error::Result;

/// A record that can be spilled.
pub trait Record: Copy + Ord + Send {
    /// Its size when it is spilled.
    const BYTES: usize;

    /// Its place, which rises as the records do.
    fn place(&self) -> u64;

    /// Appends its bytes.
    fn put(&self, bytes: &mut Vec<u8>);

    /// The record of such bytes.
    fn get(bytes: &[u8]) -> Self;
}

/// How many partitions there are: of a billion records, a million in each.
pub const PARTITIONS: usize = 1 << 10;

/// Bytes of records that are sorted together, if no single partitions hold more.
const TOGETHER: usize = 16 << 20;

/// Records that wait to be sorted.
#[derive(Debug)]
pub struct ExternalSorter<R> {
    buffers: Vec<Vec<u8>>,
    /// Bytes in the buffers, and how many there may be.
    held: usize,
    budget: usize,
    /// Partitions for each place, in parts of 2^64.
    density: u128,
    /// What did not fit, and for each partition the pieces of it.
    spilled: SpillFile,
    pieces: Vec<Vec<(u64, usize)>>,
    records: std::marker::PhantomData<R>,
}

impl<R: Record> ExternalSorter<R> {
    /// Holds up to `budget` bytes, then spills them to `folder`. Places are spread evenly over all 64 bits, as hashes are.
    #[must_use]
    pub fn new(folder: &Path, budget: usize) -> Self {
        Self::below(1 << u64::BITS, folder, budget)
    }

    /// The same for places that are spread evenly from 0 to below `places`.
    #[must_use]
    pub fn below(places: u128, folder: &Path, budget: usize) -> Self {
        Self {
            density: ((PARTITIONS as u128) << u64::BITS) / places.max(1),
            buffers: vec![Vec::new(); PARTITIONS],
            held: 0,
            budget,
            spilled: SpillFile::new(folder),
            pieces: vec![Vec::new(); PARTITIONS],
            records: std::marker::PhantomData,
        }
    }

    /// Takes a record.
    ///
    /// # Errors
    /// When the disk is full.
    pub fn push(&mut self, record: R) -> Result<()> {
        let partition = (u128::from(record.place()) * self.density) >> u64::BITS;
        record.put(&mut self.buffers[usize::try_from(partition).expect("a place is below all places")]);
        self.held += R::BYTES;
        if self.held > self.budget { self.write() } else { Ok(()) }
    }

    /// Spills all that is held.
    fn write(&mut self) -> Result<()> {
        for (buffer, pieces) in self.buffers.iter_mut().zip(&mut self.pieces).filter(|(buffer, _)| !buffer.is_empty()) {
            pieces.push((self.spilled.append(buffer)?, buffer.len()));
            buffer.clear();
        }
        self.held = 0;
        Ok(())
    }

    /// Bytes that did not fit into memory.
    #[must_use]
    pub fn written(&self) -> u64 {
        self.spilled.written()
    }

    /// Sorts the records partition by partition: `prepare` makes what is wanted of each, on all cores, and `take` takes it, in
    /// the order of the records. Nothing is used up.
    ///
    /// # Errors
    /// When what was written cannot be read, and those of `take`.
    pub fn each_sorted<T: Send>(
        &self,
        prepare: impl Fn(Vec<R>) -> T + Sync,
        mut take: impl FnMut(T) -> Result<()>,
    ) -> Result<()>
    where
        R: Sync,
    {
        self.sorted(prepare).try_for_each(|prepared| take(prepared?))
    }

    /// The same, one prepared partition after the other.
    pub fn sorted<T: Send>(&self, prepare: impl Fn(Vec<R>) -> T + Sync) -> impl Iterator<Item = Result<T>>
    where
        R: Sync,
    {
        let mut first = 0;
        let blocks = std::iter::from_fn(move || {
            let (mut end, mut bytes) = (first, 0);
            while end < PARTITIONS && (bytes < TOGETHER || end - first < rayon::current_num_threads()) {
                bytes += self.bytes(end);
                end += 1;
            }
            let some = (first..end).into_par_iter();
            let prepared: Vec<Result<T>> = some.map(|partition| Ok(prepare(self.records(partition)?))).collect();
            first = end;
            (!prepared.is_empty()).then_some(prepared)
        });
        blocks.flatten()
    }

    fn bytes(&self, partition: usize) -> usize {
        self.pieces[partition].iter().map(|(_, length)| length).sum::<usize>() + self.buffers[partition].len()
    }

    /// The records of a partition, in the order in which they came.
    fn records(&self, partition: usize) -> Result<Vec<R>> {
        let (buffer, pieces) = (&self.buffers[partition], &self.pieces[partition]);
        let mut records = Vec::with_capacity(self.bytes(partition) / R::BYTES);
        let mut bytes = Vec::new();
        for (offset, length) in pieces {
            bytes.resize(*length, 0);
            self.spilled.read(*offset, &mut bytes)?;
            records.extend(bytes.chunks_exact(R::BYTES).map(R::get));
        }
        records.extend(buffer.chunks_exact(R::BYTES).map(R::get));
        Ok(records)
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
    struct Number(u64);

    impl Record for Number {
        const BYTES: usize = 8;

        fn place(&self) -> u64 {
            self.0
        }

        fn put(&self, bytes: &mut Vec<u8>) {
            bytes.extend(self.0.to_le_bytes());
        }

        fn get(bytes: &[u8]) -> Self {
            Self(u64::from_le_bytes(bytes.try_into().expect("eight bytes")))
        }
    }

    proptest! {
        /// However little may be held, what comes out is what went in, sorted.
        #[test]
        fn it_sorts(numbers in vec(any::<u64>(), 0..200), budget in 0usize..2000) {
            let folder = tempfile::tempdir().expect("the temporary folder can be written");
            let mut sorter = ExternalSorter::new(folder.path(), budget);
            numbers.iter().try_for_each(|number| sorter.push(Number(*number))).expect("the disk has room");
            let mut found = Vec::new();
            let sort = |mut records: Vec<Number>| {
                records.sort_unstable();
                records
            };
            let take = |records: Vec<Number>| {
                found.extend(records.into_iter().map(|number| number.0));
                Ok(())
            };
            sorter.each_sorted(sort, take).expect("the file can be read");
            let mut expected = numbers;
            expected.sort_unstable();
            prop_assert_eq!(found, expected);
            prop_assert_eq!(std::fs::read_dir(folder.path()).expect("the folder is there").count(), 0);
        }
    }
}
