//! Buckets: the documents that share a hash.

use std::path::Path;

use crate::{
    error::Result,
    files::{ExternalSorter, Record},
};

/// A hash, and the arrival of a document that has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Shared {
    hash: u64,
    arrival: u32,
}

impl Record for Shared {
    const BYTES: usize = 12;

    fn place(&self) -> u64 {
        self.hash
    }

    fn put(&self, bytes: &mut Vec<u8>) {
        let mut both = [0; Self::BYTES];
        both[..8].copy_from_slice(&self.hash.to_le_bytes());
        both[8..].copy_from_slice(&self.arrival.to_le_bytes());
        bytes.extend_from_slice(&both);
    }

    fn get(bytes: &[u8]) -> Self {
        let (hash, arrival) = bytes.split_at(8);
        Self {
            hash: u64::from_le_bytes(hash.try_into().expect("8 bytes")),
            arrival: u32::from_le_bytes(arrival.try_into().expect("4 bytes")),
        }
    }
}

/// The hashes of documents, as they come.
#[derive(Debug)]
pub struct Buckets {
    hashes: ExternalSorter<Shared>,
    count: u64,
}

/// Documents that share a hash: two or more numbers, rising.
#[derive(Debug, Clone, Copy)]
pub struct Bucket<'a> {
    pub members: &'a [u32],
    /// Whether the hash is that of the whole text.
    pub same_text: bool,
}

/// The buckets of one partition, one after the other.
#[derive(Debug, Default)]
struct Found {
    members: Vec<u32>,
    /// Past-the-end places of the buckets in `members`, and whether their hash is that of the whole text.
    ends: Vec<(usize, bool)>,
}

impl Buckets {
    /// Holds up to `budget` bytes, growing buffers among them, of hashes, then spills them to `folder`.
    pub fn new(folder: &Path, budget: usize) -> Self {
        Self { hashes: ExternalSorter::new(folder, budget / 2), count: 0 }
    }

    /// Takes the hashes of a document: that of its whole text first, then those of its bands.
    pub fn push(&mut self, arrival: u32, hashes: &[u64]) -> Result<()> {
        self.count += hashes.len() as u64;
        for (place, hash) in hashes.iter().enumerate() {
            // the lowest bit says which kind of hash it is
            self.hashes.push(Shared { hash: hash & !1 | u64::from(place == 0), arrival })?;
        }
        Ok(())
    }

    /// Hashes that came.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Bytes that did not fit into memory.
    pub fn spilled(&self) -> u64 {
        self.hashes.written()
    }

    /// Every bucket, in the order of the hashes; `numbers` gives each arrival its number.
    pub fn each(&self, numbers: &[u32], mut take: impl FnMut(Bucket<'_>) -> Result<()>) -> Result<()> {
        let find = |shared: Vec<Shared>| found(shared, numbers);
        self.hashes.each_sorted(find, |found| {
            let mut start = 0;
            for (end, same_text) in found.ends {
                take(Bucket { members: &found.members[start..end], same_text })?;
                start = end;
            }
            Ok(())
        })
    }
}

fn found(mut shared: Vec<Shared>, numbers: &[u32]) -> Found {
    for shared in &mut shared {
        shared.arrival = numbers[shared.arrival as usize];
    }
    shared.sort_unstable();
    let mut found = Found::default();
    for same in shared.chunk_by(|one, other| one.hash == other.hash).filter(|same| same.len() > 1) {
        let start = found.members.len();
        found.members.extend(same.iter().map(|shared| shared.arrival));
        // a document that came twice is one
        let mut kept = start + 1;
        for next in start + 1..found.members.len() {
            if found.members[next] != found.members[kept - 1] {
                found.members[kept] = found.members[next];
                kept += 1;
            }
        }
        found.members.truncate(if kept > start + 1 { kept } else { start });
        if found.members.len() > start {
            found.ends.push((found.members.len(), same[0].hash & 1 == 1));
        }
    }
    found
}
