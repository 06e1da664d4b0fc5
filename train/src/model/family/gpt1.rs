//! `openai-gpt`: the family `gpt1`.

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
    model_type: "openai-gpt",
    class: "OpenAIGPTLMHeadModel",
    embedding: "transformer.tokens_embed.weight",
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
/// Source: `OpenAIGPTConfig` of transformers 5.24.0.
fn defaults() -> Value {
    json!({
        "n_positions": 512, "n_embd": 768, "n_layer": 12, "n_head": 12, "afn": "gelu", "layer_norm_epsilon": 1e-5,
        "tie_word_embeddings": true,
    })
}

fn mappings(architecture: &Architecture, vocab_size: usize) -> Vec<Mapping> {
    gpt::mappings(architecture, vocab_size, "tokens_embed", "positions_embed")
}

/// # Errors
/// When the intermediate size is not 4 times the hidden size: the format has no key for it.
fn write(architecture: &Architecture) -> Result<Vec<Value>, String> {
    let Architecture { hidden_size, intermediate_size, .. } = *architecture;
    if intermediate_size != 4 * hidden_size {
        return Err(format!(
            "`openai-gpt` has no key for an `intermediate_size` of {intermediate_size}, which is not 4 times the `hidden_size` of \
             {hidden_size}"
        ));
    }
    Ok(vec![json!({"afn": "gelu"}), gpt::write_common(architecture)?])
}

fn read(keys: &Keys<'_>) -> Result<Described, String> {
    // the format calls gelu what GPT-2's calls gelu_new
    keys.only("afn", &["gelu".into()])?;
    gpt::read_common(keys)
}
