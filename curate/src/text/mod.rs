//! Kernels on text: `&str` in, a value out, and no Arrow.
//!
//! Each is a function of the text alone, walks it once, and reuses the buffers that it is given.
//!
//! Useful for: whatever is measured about a document. Not useful for: thresholds, which stand in [`crate::decide`].

pub mod bm25;
pub mod c4;
pub mod characters;
mod counts;
pub mod cuts;
pub mod draw;
pub mod exact;
pub mod facts;
pub mod hashing;
mod lanes;
pub mod letters;
pub mod lines;
pub mod markup;
pub mod minhash;
pub mod normal;
pub mod overlap;
pub mod pairs;
pub mod passages;
pub mod personal;
pub mod refinedweb;
pub mod repetition;
mod rolling;
pub mod sameness;
pub mod shingles;
pub mod substrings;
pub mod tokens;
pub mod unspaced;
pub mod url_form;
pub mod urls;
pub mod white_space;
pub mod words;
