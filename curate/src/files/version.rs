//! Versions of code: by them a run tells what this code has made from what an earlier one has.

use serde::Serialize;

/// A piece of code that gives outputs which a run keeps. Its number is raised whenever the same input gives another output.
///
/// A version stands beside the code that it is of, and enters the fingerprint of every unit that the code takes part in. The test
/// `versions` holds what each piece gives on a fixed corpus, and fails when that changes and the number does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Version {
    name: &'static str,
    number: u32,
}

impl Version {
    /// A version of the code `name`, which is `ROOM/PIECE` and no other's.
    #[must_use]
    pub const fn new(name: &'static str, number: u32) -> Self {
        Self { name, number }
    }

    /// The code's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.name
    }

    /// Its number.
    #[must_use]
    pub const fn number(self) -> u32 {
        self.number
    }
}
