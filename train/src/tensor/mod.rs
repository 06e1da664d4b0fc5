//! Operations of our own, with a backward pass written by hand.
//!
//! ```text
//! gpu/           what is computed on a GPU
//! precision      what numbers are computed in
//! autodiff       how an operation stands in burn's graph
//! attention_mask, distance_bias, kv_cache: what attention is given besides queries, keys and values
//! linear, low_rank, norm, activation, attention, biased_attention, head, embedding, rotary, dropout, update, adafactor, orthogonal: one
//! operation each
//! ```
//!
//! Under gradients burn takes a norm, a softmax or a cross-entropy apart into operations that each pass over memory and keep what they
//! made; attention keeps all scores, and the head all logits. Here each is one pass that keeps the least it can.
//!
//! On a processor the kernels of the crate [`kernels`] run, and on a GPU those in `gpu`; after [`choose`] was called with
//! [`Operations::Framework`], burn's own operations do the same, so that a fault can be placed.

mod activation;
mod adafactor;
mod attention;
mod attention_mask;
mod autodiff;
mod biased_attention;
mod choice;
mod distance_bias;
mod dropout;
mod embedding;
#[cfg(feature = "gpu")]
mod gpu;
mod head;
mod kv_cache;
mod linear;
mod low_rank;
mod norm;
mod orthogonal;
mod precision;
mod rotary;
mod update;

pub use activation::{geglu, gelu, relu, swiglu};
pub use adafactor::{AdafactorStep, adafactor_update};
pub use attention::{Heads, attention, attention_cached, cross_attention};
pub use attention_mask::AttentionMask;
pub use biased_attention::biased_attention;
pub use choice::{Operations, choose, chosen, with};
pub use distance_bias::DistanceBias;
pub use dropout::{Dropout, dropout};
pub use embedding::embedding;
pub use head::{head, head_loss, head_losses};
pub use kernels::likelihood::{likeliest, log_sum_exp, powers};
pub use kv_cache::LayerKvCache;
pub use linear::linear;
pub use low_rank::{LowRank, adapted_linear, merge_low_rank};
pub use norm::norm;
pub use orthogonal::orthogonalized;
pub use precision::Precision;
pub use rotary::{Angles, RopeScaling, rotary};
pub use update::{AdamWStep, norm_of_all, update};
