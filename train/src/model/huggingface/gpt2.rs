//! `gpt2`: the family `gpt2`, and a `gpt3` whose sliding window is as long as its context.

use serde_json::{Value, json};

use super::{
    super::{Architecture, Family, ModelConfig},
    gpt,
    keys::Keys,
    layout::Mapping,
};

pub(super) const TABLE: &str = "transformer.wte.weight";

/// What the format has where a key is missing.
///
/// Source: `GPT2Config` of transformers 5.24.0.
pub(super) fn defaults() -> Value {
    json!({
        "n_positions": 1024, "n_embd": 768, "n_layer": 12, "n_head": 12, "activation_function": "gelu_new",
        "layer_norm_epsilon": 1e-5, "scale_attn_weights": true, "scale_attn_by_inverse_layer_idx": false, "tie_word_embeddings": true,
    })
}

pub(super) fn mappings(architecture: &Architecture, vocab_size: usize) -> Vec<Mapping> {
    let mut mappings = gpt::mappings(architecture, vocab_size, "wte", "wpe");
    mappings.push(Mapping::vector("norm.gain", "transformer.ln_f.weight", architecture.hidden_size));
    mappings.push(Mapping::vector("norm.bias", "transformer.ln_f.bias", architecture.hidden_size));
    mappings
}

/// # Errors
/// When blocks attend to a sliding window.
pub(super) fn config(architecture: &Architecture) -> Result<[Value; 2], String> {
    if let Some(window) = architecture.sliding_window.filter(|window| *window < architecture.context_length) {
        return Err(format!(
            "a `gpt3` with a `sliding_window` of {window} in every other block has no counterpart in Hugging Face's layouts: none of them \
             has both sliding windows and its biases"
        ));
    }
    let own = json!({
        "model_type": "gpt2", "architectures": ["GPT2LMHeadModel"], "activation_function": "gelu_new", "n_inner": architecture.intermediate_size,
        "n_ctx": architecture.context_length,
    });
    Ok([own, gpt::config(architecture)])
}

pub(super) fn described(keys: &Keys<'_>) -> Result<ModelConfig, String> {
    keys.only("scale_attn_weights", &[true.into()])?;
    keys.only("scale_attn_by_inverse_layer_idx", &[false.into()])?;
    // the two are names of one function
    keys.only("activation_function", &["gelu_new".into(), "gelu_pytorch_tanh".into()])?;
    let intermediate_size = keys.optional_count("n_inner")?;
    Ok(ModelConfig { family: Some(Family::Gpt2), intermediate_size, ..gpt::described(keys)? })
}
