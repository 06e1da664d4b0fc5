//! One readable file for each kind of training, and what they share.

pub mod bench;
pub mod data;
mod decoder;
mod differences;
pub mod huggingface;
mod huggingface_folder;
mod loaded;
pub mod pretrain;
pub mod pretrained_model;
mod samples;
mod session;
mod trained_model;
mod training;
pub mod tune;
mod tuning_data;

pub use loaded::Loaded;
pub use session::Options;
pub use trained_model::load;
pub use training::TrainingConfig;
