//! Dense numbers for ids: the place of each among all, found by one sort that spills.
//!
//! Useful for: memory of some bytes a document, and an order that no file shows in. Not useful for: more than 2^32 documents.

use std::path::Path;

use datafusion::error::DataFusionError;

use crate::{
    error::{Error, Result},
    files::{ExternalSorter, Record},
};

/// An id, and which document it is in the order in which they came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Named {
    id: u128,
    arrival: u32,
}

impl Record for Named {
    const BYTES: usize = 20;

    fn place(&self) -> u64 {
        u64::try_from(self.id >> 64).expect("64 bits are left")
    }

    fn put(&self, bytes: &mut Vec<u8>) {
        bytes.extend(self.id.to_le_bytes());
        bytes.extend(self.arrival.to_le_bytes());
    }

    fn get(bytes: &[u8]) -> Self {
        let (id, arrival) = bytes.split_at(16);
        Self {
            id: u128::from_le_bytes(id.try_into().expect("16 bytes")),
            arrival: u32::from_le_bytes(arrival.try_into().expect("4 bytes")),
        }
    }
}

/// The ids of documents, as they come.
#[derive(Debug)]
pub struct Numbers {
    ids: ExternalSorter<Named>,
    arrivals: u32,
}

impl Numbers {
    /// Holds up to `budget` bytes, growing buffers among them, of ids, then spills them to `folder`.
    pub fn new(folder: &Path, budget: usize) -> Self {
        Self { ids: ExternalSorter::new(folder, budget / 2), arrivals: 0 }
    }

    /// Takes the next document's id. Returns which arrival it is.
    pub fn push(&mut self, id: u128) -> Result<u32> {
        let arrival = self.arrivals;
        if arrival == WANTED {
            return Err(Error::TooManyDocuments { limit: u64::from(WANTED) });
        }
        self.arrivals += 1;
        self.ids.push(Named { id, arrival })?;
        Ok(arrival)
    }

    /// Takes the id of a document that is wanted, for [`Numbers::of_wanted`].
    pub fn want(&mut self, id: u128) -> Result<()> {
        self.ids.push(Named { id, arrival: WANTED })
    }

    /// Documents that came.
    pub fn arrivals(&self) -> u32 {
        self.arrivals
    }

    /// Bytes that did not fit into memory.
    pub fn spilled(&self) -> u64 {
        self.ids.written()
    }

    /// The number of each arrival, and how many numbers there are: equal ids have one.
    pub fn of_arrivals(&self) -> Result<(Vec<u32>, u32)> {
        let mut numbers = vec![0; self.arrivals as usize];
        let count = self.each_group(any, |number, same| {
            same.iter().for_each(|named| numbers[named.arrival as usize] = number);
            Ok(())
        })?;
        Ok((numbers, count))
    }

    /// The number of each arrival whose id is wanted, among those that are; [`WANTED`], which is no number, for all others, and
    /// where an id has come before. And how many numbers there are.
    pub fn of_wanted(&self) -> Result<(Vec<u32>, u32)> {
        let mut numbers = vec![WANTED; self.arrivals as usize];
        let count = self.each_group(is_wanted, |number, same| {
            if same[0].arrival != WANTED {
                numbers[same[0].arrival as usize] = number;
            }
            Ok(())
        })?;
        Ok((numbers, count))
    }

    /// Every number of [`Numbers::of_arrivals`] with its id, in rising order.
    pub fn each(&self, mut take: impl FnMut(u32, u128) -> Result<()>) -> Result<()> {
        self.each_group(any, |number, same| take(number, same[0].id)).map(|_| ())
    }

    /// Every number of [`Numbers::of_wanted`] with its id, in rising order.
    pub fn each_wanted(&self, mut take: impl FnMut(u32, u128) -> Result<()>) -> Result<()> {
        self.each_group(is_wanted, |number, same| take(number, same[0].id)).map(|_| ())
    }

    /// The arrivals of every id that `counts`, in the order of the ids, each with its number. Returns how many those are.
    fn each_group(
        &self,
        counts: fn(&[Named]) -> bool,
        mut take: impl FnMut(u32, &[Named]) -> Result<()>,
    ) -> Result<u32> {
        let mut next = 0;
        self.ids.each_sorted(sorted, |named| {
            for same in named.chunk_by(|one, other| one.id == other.id).filter(|same| counts(same)) {
                take(next, same)?;
                next += 1;
            }
            Ok(())
        })?;
        Ok(next)
    }
}

/// The arrival of what is wanted, and no number.
pub const WANTED: u32 = u32::MAX;

fn any(_: &[Named]) -> bool {
    true
}

fn is_wanted(same: &[Named]) -> bool {
    same.last().is_some_and(|named| named.arrival == WANTED)
}

fn sorted(mut named: Vec<Named>) -> Vec<Named> {
    named.sort_unstable();
    named
}

/// The number that an id is, as 32 hexadecimal digits.
pub fn number(id: Option<&str>) -> datafusion::error::Result<u128> {
    let id = id.unwrap_or_default();
    u128::from_str_radix(id, 16).map_err(|_| DataFusionError::Internal(format!("{id:?} is no id")))
}
