//! Where the files of a mixture lie, and what they are called.
//!
//! ```text
//! OUT/manifest.json                                  the hash of every file of a run
//! OUT/mixtures/NAME/train-00000-of-00002.parquet     a shard of a split
//! ```

/// The folder of all mixtures, in that of a run.
pub const FOLDER: &str = "mixtures";

/// The name of a shard, which are numbered from 0 within their split.
///
/// ```
/// assert_eq!(schemas::mixture::shard("train", 0, 2), "train-00000-of-00002.parquet");
/// ```
#[must_use]
pub fn shard(split: &str, number: u32, count: u32) -> String {
    format!("{}{number:05}-of-{count:05}.parquet", shard_prefix(split))
}

/// What the name of every shard of a split begins with.
#[must_use]
pub fn shard_prefix(split: &str) -> String {
    format!("{split}-")
}
