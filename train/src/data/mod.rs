//! Mixtures in, batches out.
//!
//! ```text
//! train-*.parquet -> texts -> ids with <|endoftext|> -> rows of time + 1 ids -> batches in the order of (seed, step)
//! ```
//!
//! No device is touched here: a batch is numbers.

mod mixture;
mod packed;

pub use mixture::{Mixture, Split};
pub use packed::{Batch, PackedRows};
