//! One readable file for each kind of training.

pub mod pretrain;
