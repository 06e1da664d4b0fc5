//! `qwen2`: Llama's layout, and biases of queries, keys and values.

use serde_json::{Value, json};

use super::llama;
use crate::model::{
    Architecture, Biases,
    huggingface::{
        format::{Described, Format},
        keys::Keys,
    },
};

/// Those of the family.
pub const BIASES: Biases = Biases { attention_input: true, ..Biases::NONE };

pub const FORMAT: Format = Format {
    model_type: "qwen2",
    class: "Qwen2ForCausalLM",
    // dropout while training, and the numbers of sliding windows that are not used
    harmless: &["attention_dropout", "sliding_window", "max_window_layers"],
    defaults,
    read,
    write,
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

/// # Errors
/// When other layers have biases than those to queries, keys and values: the format has no key for it.
fn write(architecture: &Architecture) -> Result<Vec<Value>, String> {
    if architecture.biases != BIASES {
        return Err("`qwen2` has no keys for `attention_bias` and `mlp_bias`: queries, keys and values have biases, and no other layer".into());
    }
    let [common, rotary] = llama::write_common(architecture);
    Ok(vec![common, rotary, json!({"use_sliding_window": false})])
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
