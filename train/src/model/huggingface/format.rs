//! What a family says of itself in files of Hugging Face.

use serde_json::Value;

use super::{keys::Keys, layout::Mapping};
use crate::{
    model::{Activation, Architecture},
    tensor::RopeScaling,
};

/// The head, where it is no copy of the token embedding.
pub(super) const HEAD: &str = "lm_head.weight";

/// The names of a family: of its kind, of its tensors, of the keys of its `config.json`.
#[derive(Debug)]
pub struct Format {
    /// `model_type`.
    pub model_type: &'static str,
    /// The class in `architectures`.
    pub class: &'static str,
    /// The token embedding.
    pub embedding: &'static str,
    /// What stands in front of every name but the head's.
    pub prefix: &'static str,
    /// Keys that change no logit, besides those that every `config.json` may have.
    pub harmless: &'static [&'static str],
    /// Keys that it computes and others have to do without.
    pub computed: &'static [&'static str],
    /// Whether tokenizers without a token for what is unknown name the end of a text for it.
    pub end_is_unknown: bool,
    /// Whether a tensor's numbers are made anew by whoever reads it, such as a mask.
    pub is_buffer: fn(name: &str) -> bool,
    /// An object with what the format has where a key is missing.
    pub defaults: fn() -> Value,
    /// Reads the keys; an error says what cannot be computed.
    pub read: fn(keys: &Keys<'_>) -> Result<Described, String>,
    /// Writes the keys, in one object or several; an error says what the format has no words for.
    pub write: fn(&Architecture) -> Result<Vec<Value>, String>,
    /// The linear layers that LoRA adapts where nothing else is said.
    pub lora_targets: &'static [&'static str],
    /// Where each parameter but the head stands, by architecture and size of the vocabulary.
    pub mappings: fn(&Architecture, usize) -> Vec<Mapping>,
}

/// What a `config.json` says of a model.
#[derive(Debug)]
pub struct Described {
    /// What stands between the feed-forward layers, where several families of one `model_type` differ in it.
    pub feed_forward: Option<Activation>,
    pub num_layers: usize,
    pub num_heads: usize,
    pub num_kv_heads: Option<usize>,
    pub head_dim: Option<usize>,
    pub hidden_size: usize,
    pub intermediate_size: Option<usize>,
    pub context_length: usize,
    pub tie_embeddings: bool,
    pub norm_eps: f64,
    pub rope_theta: Option<f64>,
    pub rope_scaling: Option<RopeScaling>,
    pub attention_bias: Option<bool>,
    pub mlp_bias: Option<bool>,
}

impl Format {
    /// Where each parameter stands.
    pub(super) fn all_mappings(&self, architecture: &Architecture, vocab_size: usize) -> Vec<Mapping> {
        let mut mappings = (self.mappings)(architecture, vocab_size);
        if !architecture.tie_embeddings {
            mappings.push(Mapping::same("head", HEAD, [vocab_size, architecture.hidden_size]));
        }
        mappings
    }
}
