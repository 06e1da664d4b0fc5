//! The shingles of documents whose texts are to be compared: sets in one row, in memory while they fit, then in a file.

use std::{
    fs::File,
    io::Write as _,
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
};

use crate::error::{Error, Result};

/// Sets of hashes, by their slot.
#[derive(Debug)]
pub struct Sets {
    /// Past-the-end places, in hashes.
    ends: Vec<u64>,
    /// The last hashes, which are not in the file.
    held: Vec<u64>,
    budget: usize,
    path: PathBuf,
    file: Option<File>,
    /// Hashes in the file.
    written: u64,
}

impl Sets {
    /// Holds up to `budget` bytes, then writes to `path`.
    pub fn new(path: &Path, budget: usize) -> Self {
        Self { ends: Vec::new(), held: Vec::new(), budget, path: path.to_owned(), file: None, written: 0 }
    }

    /// Takes a set, sorted and without repeats. Returns its slot.
    pub fn push(&mut self, set: &[u64]) -> Result<u32> {
        let slot =
            u32::try_from(self.ends.len()).map_err(|_| Error::TooManyDocuments { limit: u64::from(u32::MAX) })?;
        self.held.extend(set);
        self.ends.push(self.written + self.held.len() as u64);
        if self.held.len() * 8 > self.budget {
            self.write()?;
        }
        Ok(slot)
    }

    fn write(&mut self) -> Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            None => {
                let create = File::options().read(true).write(true).create(true).truncate(true).open(&self.path);
                self.file.insert(create.map_err(Error::file("write", &self.path))?)
            }
        };
        let bytes: Vec<u8> = self.held.iter().flat_map(|hash| hash.to_le_bytes()).collect();
        file.write_all(&bytes).map_err(Error::file("write", &self.path))?;
        self.written += self.held.len() as u64;
        self.held.clear();
        Ok(())
    }

    /// How large the set in `slot` is.
    pub fn len(&self, slot: u32) -> usize {
        let (start, end) = self.place(slot);
        usize::try_from(end - start).expect("a set fits into memory")
    }

    /// The set in `slot`, which is read into `buffer` where it is not held.
    pub fn get<'s>(&'s self, slot: u32, buffer: &'s mut Vec<u64>) -> Result<&'s [u64]> {
        let (start, _) = self.place(slot);
        if let Some(from) = start.checked_sub(self.written) {
            let from = usize::try_from(from).expect("what is held fits into memory");
            return Ok(&self.held[from..from + self.len(slot)]);
        }
        let file = self.file.as_ref().expect("what was written lies in the file");
        // a set is written whole
        let mut bytes = vec![0; self.len(slot) * 8];
        file.read_exact_at(&mut bytes, start * 8).map_err(Error::file("read", &self.path))?;
        buffer.clear();
        buffer.extend(bytes.as_chunks::<8>().0.iter().map(|bytes| u64::from_le_bytes(*bytes)));
        Ok(buffer)
    }

    fn place(&self, slot: u32) -> (u64, u64) {
        let slot = slot as usize;
        (if slot == 0 { 0 } else { self.ends[slot - 1] }, self.ends[slot])
    }
}

impl Drop for Sets {
    fn drop(&mut self) {
        if self.file.is_some() {
            // the folder goes when the run ends
            let _ = std::fs::remove_file(&self.path);
        }
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
            let mut kept = Sets::new(&folder.path().join("sets"), budget);
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
