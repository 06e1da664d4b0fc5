//! Models of documents: what language they are in, and how much they are like a reference.
//!
//! ```text
//! documents with labels -> chunks -> hashed words | fastText | statistics -> calibration -> Classifier + Card
//!                                      ensemble: the mean of the log-odds of several
//! ```
//!
//! Useful for: scores between 0 and 1, and labels. Not useful for: what follows from a score; see [`crate::decide`].

mod calibration;
mod card;
mod chunks;
mod classifier;
mod evaluation;
mod fasttext;
#[cfg(test)]
mod fasttext_made;
mod fasttext_model;
mod features;
mod hashed;
mod label_tree;
mod labels;
pub mod language;
mod lbfgs;
mod logistic;
mod sparse_matrix;
mod statistics;
mod training;

pub use calibration::Calibration;
pub use card::{Card, Labelled, Penalty, SourceScores, TrainedOn, Weight};
pub use classifier::{Classifier, MIN_KNOWN, Score, Scratch, StoredModel};
pub use evaluation::{BINS, Evaluation, ReliabilityBin, shown};
pub use fasttext::{FastTextConfig, LineForm};
pub use fasttext_model::Buffers;
pub use features::{Features, FeaturesPreset, HashedWords, Scale};
pub use training::{Document, Kind, Label, ModelFiles, Training, VERSION as TRAINING_VERSION, evaluate, train};
