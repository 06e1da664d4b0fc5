//! `openai-gpt`: the family `gpt1`.

use serde_json::{Value, json};

use super::{
    super::{Family, ModelConfig, Shape},
    gpt,
    keys::Keys,
    layout::Piece,
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

pub(super) fn pieces(shape: &Shape, vocabulary: usize) -> Vec<Piece> {
    gpt::pieces(shape, vocabulary, "tokens_embed", "positions_embed")
}

/// # Errors
/// When neurons are not four times the width, which the format does not say.
pub(super) fn config(shape: &Shape) -> Result<[Value; 2], String> {
    if shape.neurons != 4 * shape.width {
        return Err(format!(
            "`openai-gpt` has four times as many neurons as its width of {}, and no key for {}",
            shape.width, shape.neurons
        ));
    }
    Ok([
        json!({"model_type": "openai-gpt", "architectures": ["OpenAIGPTLMHeadModel"], "afn": "gelu"}),
        gpt::config(shape),
    ])
}

pub(super) fn described(keys: &Keys<'_>) -> Result<ModelConfig, String> {
    // the format calls gelu what GPT-2's calls gelu_new
    keys.only("afn", &["gelu".into()])?;
    Ok(ModelConfig { family: Some(Family::Gpt1), ..gpt::described(keys)? })
}
