//! Models of documents: what language they are in, and how much they are like a reference.
//!
//! ```text
//! passages with labels -> features -> examples -> logistic -> HashedModel + Card
//! ```
//!
//! Useful for: scores between 0 and 1, and labels. Not useful for: what follows from a score; see [`crate::decide`].

mod card;
mod examples;
mod features;
mod hashed;
mod label_tree;
pub mod language;
mod lbfgs;
mod logistic;
mod quantized;
mod training;

pub use card::{Card, Evaluation, TrainedOn};
pub use features::{Features, HashedWords};
pub use hashed::HashedModel;
pub use quantized::Buffers;
pub use training::{Label, Passage, Training, train};
