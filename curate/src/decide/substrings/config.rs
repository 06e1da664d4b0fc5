//! How substrings are searched for: data alone.

use serde::{Deserialize, Serialize};

use crate::text::{sameness::Sameness, substrings::SubstringUnit};

/// How substrings are searched for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubstringsConfig {
    /// What a substring is.
    pub unit: SubstringUnit,
    /// By what two substrings are the same.
    pub sameness: Sameness,
    /// Whether the first place of a substring stays.
    pub keep_first: bool,
    /// Bytes of anchors, of substrings and of places, each, that are held in memory; the rest is spilled. It does not show.
    pub budget: usize,
}
