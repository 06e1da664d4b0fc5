//! How a recipe is run.

use std::path::PathBuf;

use crate::engine::Engine;

/// How a recipe is run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The output folder.
    pub out: PathBuf,
    /// Where plans run.
    pub engine: Engine,
    /// Threads, 1 or more.
    pub threads: usize,
    /// Bytes that sorts, joins and clusters may hold.
    pub memory: usize,
    /// Start over, even where finished units are found.
    pub fresh: bool,
}
