//! Substring deduplication: what stands in more than one place is cut out.
//!
//! ```text
//! ids of what was kept -> numbers: ids sorted, each its place                       4 bytes a document, in memory
//! texts -> anchors of n-grams, sorted -> those that stand twice, as bits             8 bytes an anchor, spilled; n-grams alone
//! texts -> substrings (hash, number, start, end), sorted by hash                     20 bytes a substring, spilled
//!       -> all places but the first, or all, sorted by number                        12 bytes a place, spilled
//!       -> (id, cuts), by id
//! ```
//!
//! The first place is that in the document with the least id, and in that the first: so neither order, nor threads, nor files show.
//! Only documents that were kept so far count; so what is cut is still there.
//!
//! Useful for: menus, notices, quotations, texts within texts. Not useful for: documents that repeat as a whole, which cost more here.
//!
//! Source: Lee et al. 2022; see [`crate::text::substrings`]. A suffix array would find the same n-grams, in five times the text's size of
//! memory.

use crate::files::Version;

mod config;
mod exec;
mod places;
mod rows;
mod search;

pub use config::SubstringsConfig;
pub use exec::{SubstringsExec, substrings_schema};

/// How substrings are found that stand in more than one place.
pub const VERSION: Version = Version::new("decide/substrings", 1);
