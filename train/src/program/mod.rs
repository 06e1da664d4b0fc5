//! One readable file for each kind of training, and what they share.

mod adaptation;
mod adapted_model;
pub mod bench;
mod classifier_config;
pub mod classify;
pub mod data;
mod differences;
mod example_data;
pub mod huggingface;
mod huggingface_folder;
mod language_model;
mod loaded;
pub mod pairs;
mod peft_folder;
pub mod predict;
mod preset;
pub mod pretrain;
pub mod pretrained_model;
mod recorded;
mod samples;
mod session;
mod trained_classifier;
mod trained_model;
mod training;
pub mod tune;
mod tuning_data;

pub use loaded::Loaded;
pub use session::Options;
pub use trained_model::load;
pub use training::TrainingConfig;
