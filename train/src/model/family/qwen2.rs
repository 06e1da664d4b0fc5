//! `qwen2`: Llama's layout, and biases of queries, keys and values.

use serde_json::{Value, json};

use super::llama;
use crate::model::{
    Architecture,
    huggingface::{
        format::{Described, Format},
        keys::Keys,
        layout::Mapping,
    },
};

pub const FORMAT: Format = Format {
    model_type: "qwen2",
    class: "Qwen2ForCausalLM",
    // dropout while training, and the numbers of sliding windows that are not used
    harmless: &["attention_dropout", "sliding_window", "max_window_layers"],
    defaults,
    read,
    write: |architecture| Ok(write(architecture)),
    mappings,
    ..llama::FORMAT
};

/// What the format has where a key is missing.
///
/// Source: `Qwen2Config` of transformers 5.24.0.
fn defaults() -> Value {
    json!({
        "hidden_size": 4096, "intermediate_size": 22016, "num_hidden_layers": 32, "num_attention_heads": 32, "hidden_act": "silu",
        "max_position_embeddings": 32768, "rms_norm_eps": 1e-6, "tie_word_embeddings": false, "rope_theta": 10000.0,
        "partial_rotary_factor": 1.0, "use_sliding_window": false,
    })
}

fn mappings(architecture: &Architecture, vocab_size: usize) -> Vec<Mapping> {
    let keys = architecture.num_kv_heads * architecture.head_dim;
    let biases = |layer: usize| {
        let theirs = [("q", architecture.query_columns()), ("k", keys), ("v", keys)]
            .map(|(name, columns)| (format!("model.layers.{layer}.self_attn.{name}_proj.bias"), columns));
        Mapping::vectors(format!("blocks.{layer}.attention.input.bias"), theirs.to_vec())
    };
    llama::mappings(architecture, vocab_size).into_iter().chain((0..architecture.num_layers).map(biases)).collect()
}

fn write(architecture: &Architecture) -> Vec<Value> {
    let [common, rotary] = llama::write_common(architecture);
    vec![common, rotary, json!({"use_sliding_window": false})]
}

/// # Errors
/// When blocks attend to a sliding window.
fn read(keys: &Keys<'_>) -> Result<Described, String> {
    keys.only("use_sliding_window", &[false.into()])?;
    let types = keys.value("layer_types");
    let other = types.as_array().and_then(|types| types.iter().find(|kind| *kind != "full_attention"));
    if let Some(kind) = other {
        return Err(format!("`layer_types` has {kind}; only \"full_attention\" can be computed"));
    }
    llama::read_common(keys)
}
