//! A decoder on a CPU for inference: no gradients, no framework's tensors, packed weights.
//!
//! ```text
//! weights     the numbers of a model, by what they are for; packing: how they become what they are
//! cache       keys and values of a sequence in blocks, which sequences share
//! pass        rows through all blocks
//! model       new tokens of several sequences in, logits out
//! ```
//!
//! What a token's logits are, bit for bit, depends on its own sequence alone: not on other sequences of a call, their order, how a prompt was
//! cut into calls, or the number of threads.
//!
//! What is computed stands in [`kernels::packed`].
//!
//! Useful for: generating and scoring text. Not useful for: training, GPUs, a model with an encoder; see [`crate::model`].

mod cache;
mod model;
mod packing;
mod pass;
mod weights;

pub use cache::SequenceCache;
pub use kernels::packed::WeightFormat;
pub use model::{InferenceModel, LogitsAt, NewTokens};
pub use packing::Packing;
