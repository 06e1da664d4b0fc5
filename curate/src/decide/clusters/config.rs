//! How documents are clustered: data alone.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::text::shingles::Shingle;

/// How documents are clustered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClusterConfig {
    /// Look at the texts of documents that share a band.
    pub verification: Option<Verification>,
    /// Bytes of ids, of hashes and of shingles, each, that are held in memory; the rest is spilled. It does not show.
    pub budget: usize,
    /// Where the [`super::ClusterAccount`] is written, as JSON.
    pub account: PathBuf,
}

/// Which candidates are near-duplicates.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Verification {
    /// What texts are compared by.
    pub shingle: Shingle,
    /// The Jaccard similarity of their shingles from which on they are near-duplicates, above 0.
    pub similarity: f64,
    /// Documents of a bucket that one is compared with, at most: those whose texts come next in size.
    pub max_bucket: usize,
}

impl Verification {
    /// Checks what was asked for.
    ///
    /// # Errors
    /// What is out of range, in words.
    pub fn new(shingle: Shingle, similarity: f64, max_bucket: usize) -> Result<Self, String> {
        if !(similarity > 0.0 && similarity <= 1.0) {
            return Err(format!("`verify` is {similarity}, and should be a similarity above 0, at most 1"));
        }
        if max_bucket == 0 {
            return Err("`max_bucket` is 1 or more".into());
        }
        Ok(Self { shingle, similarity, max_bucket })
    }
}
