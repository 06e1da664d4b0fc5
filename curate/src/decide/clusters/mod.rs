//! Clusters of near-duplicates.
//!
//! ```text
//! (id, hashes) -> numbers: ids sorted, each its place           8 bytes a document, in memory
//!              -> buckets: (hash, arrival) sorted by hash       12 bytes a hash, spilled
//!              -> union-find: documents of one bucket are joined, or those of them whose texts are similar enough
//!              -> (member, cluster, members), by member
//! ```
//!
//! A document's number is the place of its id among all ids, and the least number of a cluster is its root: so neither order, nor
//! threads, nor files show. Documents without near-duplicates stand in no cluster.
//!
//! Useful for: reprints, mirrors, page templates. Not useful for: substrings that texts share which differ otherwise;
//! see [`super::substrings`].
//!
//! Source: Broder 1997 (bands of MinHash, exact similarity for candidates); Tarjan 1975 (union-find).
//! Cost: a sort of 20 bytes a document and one of 12 a hash, both spilled; 8 bytes a document in memory, and 20 a cluster.

use crate::files::Version;

mod account;
mod arrivals;
mod buckets;
mod config;
mod exec;
mod joined;
mod order;
mod rows;
mod sets;
mod union_find;
mod verify;

pub use account::ClusterAccount;
pub use config::{ClusterConfig, Verification};
pub use exec::{ClusterExec, clusters_schema};

/// How near-duplicates are joined.
pub const VERSION: Version = Version::new("decide/clusters", 1);
