//! The transformer: tokens and positions in, logits out.
//!
//! Source: Radford et al. 2018, 2019; Brown et al. 2020; Touvron et al. 2023; Vaswani et al. 2017.

mod across;
mod attention;
mod block;
mod cache;
mod config;
mod encoder_decoder;
mod gpt;
pub mod huggingface;
mod parameters;
mod parts;
mod pass;

pub use cache::Cache;
pub use config::{Architecture, Family, ModelConfig};
pub use encoder_decoder::{EncoderDecoder, Read};
pub use gpt::Gpt;
pub use parameters::{Named, named, replace};
pub use pass::Tokens;
