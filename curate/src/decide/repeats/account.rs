//! What was found on the way to cuts.

use serde::{Deserialize, Serialize};

/// How many of everything there were.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RepeatsAccount {
    /// Documents whose texts were read.
    pub documents: u64,
    /// Passages that may stand in more than one place.
    pub passages: u64,
    /// Those that are cut out.
    pub repeated: u64,
    /// Documents of which something is cut out.
    pub cut_documents: u64,
    /// Bytes that are cut out.
    pub cut_bytes: u64,
}
