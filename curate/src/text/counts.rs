//! How often each of many hashes occurs: a table that is emptied without a walk and kept from text to text.

#![expect(clippy::cast_possible_truncation, reason = "slots are fewer than 2^32, and a hash may lose its upper half")]

/// What is known of a hash.
#[derive(Debug, Clone, Copy, Default)]
pub struct Count {
    key: u64,
    /// The filling that wrote it; an older one is an empty place.
    filling: u32,
    /// How often it was added.
    pub times: u32,
    /// The place that it was added with first.
    pub first: u32,
    /// For the caller, false at first.
    pub seen: bool,
}

/// Counts by hash.
#[derive(Debug, Default)]
pub struct Counts {
    entries: Vec<Count>,
    mask: usize,
    filling: u32,
}

impl Counts {
    /// Empties the table and makes room for `keys` different hashes.
    pub fn reset(&mut self, keys: usize) {
        let wanted = (2 * keys).next_power_of_two().max(16);
        if wanted > self.entries.len() || self.filling == u32::MAX {
            self.entries.clear();
            self.entries.resize(wanted, Count::default());
            self.filling = 0;
        }
        // a small text uses a small part, which stays in the cache
        self.mask = wanted - 1;
        self.filling += 1;
    }

    /// Counts `key` once more. Returns its slot, for [`Counts::at`], and what is known of it now.
    pub fn add(&mut self, key: u64, place: u32) -> (u32, Count) {
        let mut slot = (key ^ (key >> 32)) as usize & self.mask;
        loop {
            let entry = &mut self.entries[slot];
            if entry.filling != self.filling {
                *entry = Count { key, filling: self.filling, times: 1, first: place, seen: false };
                return (slot as u32, *entry);
            }
            if entry.key == key {
                entry.times += 1;
                return (slot as u32, *entry);
            }
            slot = (slot + 1) & self.mask;
        }
    }

    /// What is known of the hash in a slot.
    pub fn at(&mut self, slot: u32) -> &mut Count {
        &mut self.entries[slot as usize]
    }
}
