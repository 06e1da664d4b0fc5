//! What was found on the way to clusters.

use serde::{Deserialize, Serialize};

/// How many of everything there were.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClusterAccount {
    /// Documents that came, with all repeats of an id.
    pub documents: u64,
    /// Hashes that they came with.
    pub hashes: u64,
    /// Documents with near-duplicates.
    pub members: u64,
    /// Clusters of them.
    pub clusters: u64,
    /// Pairs whose similarity was computed; none where a shared band is enough.
    pub pairs_compared: u64,
    /// Those that were similar enough.
    pub pairs_alike: u64,
    /// Buckets within which not all pairs that may be alike were compared, for the limit on them.
    pub buckets_over_limit: u64,
    /// Pairs that were not compared for that reason.
    pub pairs_left: u64,
}
