//! The transformer: tokens and positions in, logits out.
//!
//! Source: Radford et al. 2018, 2019; Brown et al. 2020; Touvron et al. 2023; Vaswani et al. 2017.

mod attention;
mod block;
mod config;
mod cross_attention;
mod encoder_decoder;
mod forward_pass;
mod gpt;
pub mod huggingface;
mod kv_cache;
mod parameters;
mod parts;
mod purposes;

pub use config::{Architecture, Family, ModelConfig};
pub use encoder_decoder::{EncoderDecoder, EncoderInput};
pub use forward_pass::Tokens;
pub use gpt::Gpt;
pub use kv_cache::KvCache;
pub use parameters::{NamedTensor, named_parameters, replace};
