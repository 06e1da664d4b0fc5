//! A decoder on a CPU for inference: no gradients, no framework's tensors, packed weights.
//!
//! ```text
//! format      how weights are held: f32, bf16, int8
//! weights     the numbers of a model, by what they are for
//! cache       keys and values of a sequence in blocks, which sequences share
//! model       new tokens of several sequences in, logits out
//! ```
//!
//! What a token's logits are, bit for bit, depends on its own sequence alone: not on other sequences of a call, their order, how a prompt was
//! cut into calls, or the number of threads.
//!
//! Useful for: generating and scoring text. Not useful for: training, GPUs, a model with an encoder; see [`crate::model`].

mod attention;
mod cache;
mod elementwise;
mod format;
mod heads;
mod kernel;
mod matrix;
mod memory;
mod model;
mod pass;
mod product;
mod rows;
mod team;
mod weights;

pub use cache::SequenceCache;
pub use format::WeightFormat;
pub use model::{InferenceModel, LogitsAt, NewTokens};
