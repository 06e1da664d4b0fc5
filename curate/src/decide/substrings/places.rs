//! Substrings, and places of those that repeat others, on their way through a sort.

use crate::files::Record;

/// A hash that was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Anchor(pub u64);

impl Record for Anchor {
    const BYTES: usize = 8;

    fn place(&self) -> u64 {
        self.0
    }

    fn put(&self, bytes: &mut Vec<u8>) {
        bytes.extend(self.0.to_le_bytes());
    }

    fn get(bytes: &[u8]) -> Self {
        Self(u64::from_le_bytes(bytes.try_into().expect("8 bytes")))
    }
}

/// Part of a document's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub number: u32,
    pub start: u32,
    pub end: u32,
}

impl Record for Place {
    const BYTES: usize = 12;

    fn place(&self) -> u64 {
        u64::from(self.number)
    }

    fn put(&self, bytes: &mut Vec<u8>) {
        [self.number, self.start, self.end].iter().for_each(|field| bytes.extend(field.to_le_bytes()));
    }

    fn get(bytes: &[u8]) -> Self {
        let field = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().expect("4 bytes"));
        Self { number: field(0), start: field(4), end: field(8) }
    }
}

/// A place of a substring, with the substring's hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Occurrence {
    pub hash: u64,
    pub place: Place,
}

impl Record for Occurrence {
    const BYTES: usize = 20;

    fn place(&self) -> u64 {
        self.hash
    }

    fn put(&self, bytes: &mut Vec<u8>) {
        bytes.extend(self.hash.to_le_bytes());
        self.place.put(bytes);
    }

    fn get(bytes: &[u8]) -> Self {
        let (hash, place) = bytes.split_at(8);
        Self { hash: u64::from_le_bytes(hash.try_into().expect("8 bytes")), place: Place::get(place) }
    }
}

/// The places of substrings that stand elsewhere, too: all, or all but the first.
pub fn repeated(mut occurrences: Vec<Occurrence>, keep_first: bool) -> Vec<Place> {
    occurrences.sort_unstable();
    let same = occurrences.chunk_by(|one, other| one.hash == other.hash).filter(|same| same.len() > 1);
    same.flat_map(|same| &same[usize::from(keep_first)..]).map(|occurrence| occurrence.place).collect()
}

/// The hashes that stand more than once, each once.
pub fn seen_twice(mut anchors: Vec<Anchor>) -> Vec<u64> {
    anchors.sort_unstable();
    anchors.chunk_by(|one, other| one == other).filter(|same| same.len() > 1).map(|same| same[0].0).collect()
}

/// A Bloom filter of one hash function, for what is hashed already. A hash that was not inserted may be found in it, with a probability of
/// the share of bits that are set.
#[derive(Debug)]
pub struct BloomFilter(Vec<u64>);

impl BloomFilter {
    /// So many bytes of them, 8 or more.
    pub fn new(bytes: usize) -> Self {
        Self(vec![0; (bytes / 8).max(1).next_power_of_two()])
    }

    pub fn insert(&mut self, hash: u64) {
        let (word, bit) = self.place(hash);
        self.0[word] |= bit;
    }

    pub fn contains(&self, hash: u64) -> bool {
        let (word, bit) = self.place(hash);
        self.0[word] & bit != 0
    }

    fn place(&self, hash: u64) -> (usize, u64) {
        let word = usize::try_from(hash >> 6).expect("64 bits") & (self.0.len() - 1);
        (word, 1 << (hash & 63))
    }
}
