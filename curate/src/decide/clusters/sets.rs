//! The shingles of documents whose texts are to be compared: sets in one row, in memory while they fit, then in a file.

use std::path::Path;

use crate::{
    error::{Error, Result},
    files::SpillFile,
};

/// Hashes that are written together.
const PIECE: usize = 1 << 15;

/// Sets of hashes, by their slot.
#[derive(Debug)]
pub struct Sets {
    /// Past-the-end places, in hashes.
    ends: Vec<u64>,
    /// The last hashes, which are not in the file.
    held: Vec<u64>,
    budget: usize,
    spilled: SpillFile,
}

impl Sets {
    /// Holds up to `budget` bytes, then spills them to `folder`.
    pub fn new(folder: &Path, budget: usize) -> Self {
        Self { ends: Vec::new(), held: Vec::new(), budget, spilled: SpillFile::new(folder) }
    }

    /// Takes a set, sorted and without repeats. Returns its slot.
    pub fn push(&mut self, set: &[u64]) -> Result<u32> {
        let slot =
            u32::try_from(self.ends.len()).map_err(|_| Error::TooManyDocuments { limit: u64::from(u32::MAX) })?;
        self.held.extend(set);
        self.ends.push(self.written() + self.held.len() as u64);
        if self.held.len() * 8 > self.budget {
            self.write()?;
        }
        Ok(slot)
    }

    fn write(&mut self) -> Result<()> {
        let mut bytes = Vec::with_capacity(8 * PIECE);
        for piece in self.held.chunks(PIECE) {
            bytes.clear();
            bytes.extend(piece.iter().flat_map(|hash| hash.to_le_bytes()));
            self.spilled.append(&bytes)?;
        }
        self.held.clear();
        Ok(())
    }

    /// Hashes that were spilled.
    fn written(&self) -> u64 {
        self.spilled.written() / 8
    }

    /// How large the set in `slot` is.
    pub fn len(&self, slot: u32) -> usize {
        let (start, end) = self.place(slot);
        usize::try_from(end - start).expect("a set fits into memory")
    }

    /// The set in `slot`, which is read into `buffer` where it is not held.
    pub fn get<'s>(&'s self, slot: u32, buffer: &'s mut Vec<u64>) -> Result<&'s [u64]> {
        let (start, _) = self.place(slot);
        if let Some(from) = start.checked_sub(self.written()) {
            let from = usize::try_from(from).expect("what is held fits into memory");
            return Ok(&self.held[from..from + self.len(slot)]);
        }
        // a set is spilled whole
        let mut bytes = vec![0; self.len(slot) * 8];
        self.spilled.read(start * 8, &mut bytes)?;
        buffer.clear();
        buffer.extend(bytes.as_chunks::<8>().0.iter().map(|bytes| u64::from_le_bytes(*bytes)));
        Ok(buffer)
    }

    fn place(&self, slot: u32) -> (u64, u64) {
        let slot = slot as usize;
        (if slot == 0 { 0 } else { self.ends[slot - 1] }, self.ends[slot])
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    proptest! {
        /// However little may be held, a set comes back as it was put.
        #[test]
        fn sets_come_back(sets in vec(vec(any::<u64>(), 0..9), 1..20), budget in 0usize..400) {
            let folder = tempfile::tempdir().expect("the temporary folder can be written");
            let mut kept = Sets::new(folder.path(), budget);
            let mut buffer = Vec::new();
            for (slot, set) in (0u32..).zip(&sets) {
                prop_assert_eq!(kept.push(set).expect("the disk has room"), slot);
            }
            for (slot, set) in (0u32..).zip(&sets) {
                let found = kept.get(slot, &mut buffer).expect("the file can be read");
                prop_assert_eq!(found, &set[..]);
            }
        }
    }
}
