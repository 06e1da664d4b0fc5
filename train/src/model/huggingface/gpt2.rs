//! `gpt2`: the family `gpt2`, and a `gpt3` whose bands are as wide as its context.

use serde_json::{Value, json};

use super::{
    super::{Family, ModelConfig, Shape},
    gpt,
    keys::Keys,
    layout::Piece,
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

pub(super) fn pieces(shape: &Shape, vocabulary: usize) -> Vec<Piece> {
    let mut pieces = gpt::pieces(shape, vocabulary, "wte", "wpe");
    pieces.push(Piece::vector("norm.gain", "transformer.ln_f.weight", shape.width));
    pieces.push(Piece::vector("norm.bias", "transformer.ln_f.bias", shape.width));
    pieces
}

/// # Errors
/// When blocks look back no further than a band.
pub(super) fn config(shape: &Shape) -> Result<[Value; 2], String> {
    if let Some(band) = shape.band.filter(|band| *band < shape.context) {
        return Err(format!(
            "a model of the family `gpt3`, every other block of which looks back no further than a band of {band}, has no counterpart in \
             Hugging Face's layouts: none of them has its bands together with its biases"
        ));
    }
    let own = json!({
        "model_type": "gpt2", "architectures": ["GPT2LMHeadModel"], "activation_function": "gelu_new", "n_inner": shape.neurons,
        "n_ctx": shape.context,
    });
    Ok([own, gpt::config(shape)])
}

pub(super) fn described(keys: &Keys<'_>) -> Result<ModelConfig, String> {
    keys.only("scale_attn_weights", &[true.into()])?;
    keys.only("scale_attn_by_inverse_layer_idx", &[false.into()])?;
    // the two are names of one function
    keys.only("activation_function", &["gelu_new".into(), "gelu_pytorch_tanh".into()])?;
    let neurons = keys.optional_count("n_inner")?;
    Ok(ModelConfig { family: Some(Family::Gpt2), neurons, ..gpt::described(keys)? })
}
