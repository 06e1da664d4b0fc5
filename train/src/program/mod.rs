//! One readable file for each kind of training.

pub mod bench;
pub mod pretrain;
