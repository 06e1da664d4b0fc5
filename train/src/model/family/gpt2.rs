//! `gpt2`: the family `gpt2`, and a `gpt3` whose sliding window is as long as its context.

use serde_json::{Value, json};

use super::gpt;
use crate::model::{
    Architecture,
    huggingface::{
        format::{Described, Format},
        keys::Keys,
        layout::Mapping,
    },
};

pub const FORMAT: Format = Format {
    model_type: "gpt2",
    class: "GPT2LMHeadModel",
    embedding: "transformer.wte.weight",
    prefix: gpt::PREFIX,
    harmless: gpt::HARMLESS,
    computed: &[],
    end_is_unknown: true,
    is_buffer: gpt::is_buffer,
    defaults,
    read,
    write,
    lora_targets: &["c_attn"],
    mappings,
};

/// What the format has where a key is missing.
///
/// Source: `GPT2Config` of transformers 5.24.0.
fn defaults() -> Value {
    json!({
        "n_positions": 1024, "n_embd": 768, "n_layer": 12, "n_head": 12, "activation_function": "gelu_new",
        "layer_norm_epsilon": 1e-5, "scale_attn_weights": true, "scale_attn_by_inverse_layer_idx": false, "tie_word_embeddings": true,
    })
}

fn mappings(architecture: &Architecture, vocab_size: usize) -> Vec<Mapping> {
    let mut mappings = gpt::mappings(architecture, vocab_size, "wte", "wpe");
    mappings.push(Mapping::vector("norm.gain", "transformer.ln_f.weight", architecture.hidden_size));
    mappings.push(Mapping::vector("norm.bias", "transformer.ln_f.bias", architecture.hidden_size));
    mappings
}

/// # Errors
/// When blocks attend to a sliding window.
fn write(architecture: &Architecture) -> Result<Vec<Value>, String> {
    let windows = architecture.sliding_window.map(|window| window.tokens);
    if let Some(window) = windows.filter(|tokens| *tokens < architecture.context_length) {
        return Err(format!(
            "a `gpt3` with a `sliding_window` of {window} in every other block has no counterpart in Hugging Face's layouts: none of them \
             has both sliding windows and its biases"
        ));
    }
    let own = json!({
        "activation_function": "gelu_new", "n_inner": architecture.intermediate_size, "n_ctx": architecture.context_length,
    });
    Ok(vec![own, gpt::write_common(architecture)?])
}

fn read(keys: &Keys<'_>) -> Result<Described, String> {
    keys.only("scale_attn_weights", &[true.into()])?;
    keys.only("scale_attn_by_inverse_layer_idx", &[false.into()])?;
    // the two are names of one function
    keys.only("activation_function", &["gelu_new".into(), "gelu_pytorch_tanh".into()])?;
    let intermediate_size = keys.optional_count("n_inner")?;
    Ok(Described { intermediate_size, ..gpt::read_common(keys)? })
}
