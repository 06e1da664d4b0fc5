//! `openai-gpt`: the family `gpt1`.

use serde_json::{Value, json};

use super::{
    super::{Architecture, Family, ModelConfig},
    gpt,
    keys::Keys,
    layout::Mapping,
};

pub(super) const TABLE: &str = "transformer.tokens_embed.weight";

/// What the format has where a key is missing.
///
/// Source: `OpenAIGPTConfig` of transformers 5.24.0.
pub(super) fn defaults() -> Value {
    json!({
        "n_positions": 512, "n_embd": 768, "n_layer": 12, "n_head": 12, "afn": "gelu", "layer_norm_epsilon": 1e-5,
        "tie_word_embeddings": true,
    })
}

pub(super) fn mappings(architecture: &Architecture, vocab_size: usize) -> Vec<Mapping> {
    gpt::mappings(architecture, vocab_size, "tokens_embed", "positions_embed")
}

/// # Errors
/// When the intermediate size is not 4 times the hidden size: the format has no key for it.
pub(super) fn config(architecture: &Architecture) -> Result<[Value; 2], String> {
    let Architecture { hidden_size, intermediate_size, .. } = *architecture;
    if intermediate_size != 4 * hidden_size {
        return Err(format!(
            "`openai-gpt` has no key for an `intermediate_size` of {intermediate_size}, which is not 4 times the `hidden_size` of \
             {hidden_size}"
        ));
    }
    Ok([
        json!({"model_type": "openai-gpt", "architectures": ["OpenAIGPTLMHeadModel"], "afn": "gelu"}),
        gpt::config(architecture),
    ])
}

pub(super) fn described(keys: &Keys<'_>) -> Result<ModelConfig, String> {
    // the format calls gelu what GPT-2's calls gelu_new
    keys.only("afn", &["gelu".into()])?;
    Ok(ModelConfig { family: Some(Family::Gpt1), ..gpt::described(keys)? })
}
