//! The transformer: tokens and positions in, logits out.
//!
//! GPT-2's shape: a layer norm before each part of a block, learned positions, the head tied to the embedding.
//!
//! Source: Radford et al. 2019 (GPT-2); Vaswani et al. 2017.

mod attention;
mod block;
mod gpt;
mod parameters;

pub use gpt::{Gpt, GptConfig};
pub use parameters::{Named, named, replace};
