//! Trains language models on the mixtures that `curate` writes.
//!
//! ```text
//! mixture -> tokenizer -> tokens -> packed sequences -> batches
//!                                                          |
//!                        model -> objective -> gradients -> optimize -> model    one step of the trainer
//!                                                                         |
//!                                                     checkpoint -> resume, generate
//! ```
//!
//! - [`device`] names backends, and [`tensor`] those that its kernels run on; [`model`] opens no file; [`data`] touches no
//!   device
//! - [`program`] has one readable file for each kind of training
//! - a run that was stopped and resumed gives the same weights, bit for bit, on the CPU at the same number of threads:
//!   everything that is random is a hash of the seed and a place, and a checkpoint holds the rest

pub mod checkpoint;
pub mod cli;
pub mod data;
pub mod device;
mod error;
pub mod evaluate;
pub mod generate;
pub mod inference;
pub mod label;
pub mod metrics;
mod minimum;
pub mod mixing;
pub mod model;
pub mod objective;
pub mod optimize;
mod percent;
pub mod program;
pub mod random;
pub mod retrieve;
pub mod rollout;
pub mod scaling;
pub mod serve;
pub mod tensor;
pub mod tokenizer;
pub mod trainer;

pub use error::{Error, Result};
