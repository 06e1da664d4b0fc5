//! One readable file for each kind of training, and what they share.

mod adaptation;
mod adapted_model;
pub mod bench;
mod classifier_config;
pub mod classify;
pub mod data;
mod differences;
pub mod evaluate;
mod example_data;
pub mod huggingface;
mod huggingface_folder;
pub mod inference_model;
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
pub mod serve;
mod session;
mod trained_classifier;
mod trained_model;
mod training;
mod training_tasks;
pub mod tune;
mod tuning_data;

pub use loaded::Loaded;
pub use session::Options;
pub use trained_model::load;
pub use training::TrainingConfig;
