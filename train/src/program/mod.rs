//! One readable file for each kind of training, and what they share.

pub mod bench;
pub mod data;
mod differences;
pub mod huggingface;
pub mod pretrain;
mod training;

pub use training::TrainingConfig;
