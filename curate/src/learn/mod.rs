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
mod document;
mod evaluation;
mod fasttext;
mod features;
mod hashed;
mod kind;
mod labels;
pub mod language;
mod lbfgs;
mod logistic;
mod scoring;
mod sparse_matrix;
mod statistics;
mod training;

pub use calibration::Calibration;
pub use card::{Card, Labelled, Penalty, SourceScores, TrainedOn, Weight};
pub use classifier::{Classifier, MIN_KNOWN, Score, Scratch, StoredModel};
pub use document::{Document, Label};
pub use evaluation::{BINS, Evaluation, ReliabilityBin, shown};
pub use fasttext::{Buffers, FastTextConfig, LineForm};
pub use features::{Features, FeaturesPreset, HashedWords, Scale};
pub use kind::Kind;
pub use scoring::evaluate;
pub use training::{ModelFiles, Training, VERSION as TRAINING_VERSION, train};
