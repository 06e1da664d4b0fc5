//! The buckets that n-grams are hashed into, and those of them that have a row.

/// How many buckets there are, for remainders without a division.
///
/// Source: Lemire, Kaser, Kurz 2019, "Faster remainder by direct computation".
pub struct Buckets {
    pub count: u32,
    inverse: u64,
}

impl Buckets {
    /// So many of them.
    pub fn new(count: u32) -> Self {
        // without buckets there are no n-grams, and nothing is divided
        Self { count, inverse: u64::MAX.checked_div(u64::from(count)).unwrap_or_default().wrapping_add(1) }
    }

    /// The bucket of a hash: its remainder.
    pub fn of(&self, hash: u32) -> u32 {
        let fraction = self.inverse.wrapping_mul(u64::from(hash));
        #[expect(clippy::cast_possible_truncation, reason = "a remainder is below the count")]
        let remainder = ((u128::from(fraction) * u128::from(self.count)) >> 64) as u32;
        remainder
    }
}

/// The buckets that have a row: one bit each, and a table for those whose bit is set. Most n-grams have none.
pub struct Kept {
    bits: Vec<u64>,
    /// Bucket and row, from the place that the bucket hashes to.
    slots: Vec<Option<(u32, u32)>>,
}

impl Kept {
    /// From buckets, each with its row.
    pub fn new(pairs: Vec<(u32, u32)>) -> Self {
        let last = pairs.iter().map(|(bucket, _)| *bucket as usize).max().unwrap_or_default();
        let mut kept =
            Self { bits: vec![0; last / 64 + 1], slots: vec![None; (4 * pairs.len()).next_power_of_two().max(2)] };
        for (bucket, row) in pairs {
            kept.bits[bucket as usize / 64] |= 1 << (bucket % 64);
            let mut slot = kept.slot(bucket);
            while kept.slots[slot].is_some() {
                slot = (slot + 1) % kept.slots.len();
            }
            kept.slots[slot] = Some((bucket, row));
        }
        kept
    }

    /// Rows that these need, behind those of words.
    pub fn rows(&self) -> usize {
        self.slots.iter().flatten().map(|(_, row)| *row as usize + 1).max().unwrap_or_default()
    }

    fn slot(&self, bucket: u32) -> usize {
        (bucket.wrapping_mul(0x9e37_79b1) >> 4) as usize & (self.slots.len() - 1)
    }

    /// The row of a bucket.
    pub fn row(&self, bucket: u32) -> Option<u32> {
        if self.bits.get(bucket as usize / 64).is_none_or(|bits| bits >> (bucket % 64) & 1 == 0) {
            return None;
        }
        let mut slot = self.slot(bucket);
        while let Some((found, row)) = self.slots[slot] {
            if found == bucket {
                return Some(row);
            }
            slot = (slot + 1) & (self.slots.len() - 1);
        }
        None
    }
}
