//! fastText's classifier: trained by the crate, read and asked by our own reader, in files that the original reads.
//!
//! ```text
//! chunks -> training: lines -> the crate -> a file
//! a file -> model: settings, dictionary, matrices -> linear: a number for each row -> classifier: log-odds
//!                                                 -> the likeliest of many labels, such as languages
//! text   -> line_form -> vocabulary: rows of words and n-grams
//! ```
//!
//! Useful for: telling two kinds of text apart by words; labels of models that others trained. Not useful for: word vectors.

mod buckets;
mod classifier;
mod config;
mod dictionary;
mod fields;
mod grams;
mod label_tree;
mod line_form;
mod linear;
#[cfg(test)]
mod made;
mod matrix;
mod model;
mod quantized;
mod training;
mod vocabulary;

pub use classifier::{FastTextBuffers, FastTextClassifier};
pub use config::FastTextConfig;
pub use line_form::LineForm;
pub use model::FastTextModel;
pub use training::{POSITIVE, train};
pub use vocabulary::Buffers;

/// How fastText is trained, read and scored.
pub const VERSION: crate::files::Version = crate::files::Version::new("learn/fasttext", 1);
