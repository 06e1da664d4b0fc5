//! The order in which documents come, by which it is seen whether they come in it again.

use std::hash::Hasher as _;

use xxhash_rust::xxh3::Xxh3;

/// A hash of ids in their order.
#[derive(Default)]
pub struct Order(Xxh3);

impl Order {
    pub fn take(&mut self, id: u128) {
        self.0.write(&id.to_le_bytes());
    }
}

impl PartialEq for Order {
    fn eq(&self, other: &Self) -> bool {
        self.0.digest128() == other.0.digest128()
    }
}
