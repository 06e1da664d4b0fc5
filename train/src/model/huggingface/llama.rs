//! `llama`: maps as `[outputs, inputs]`; queries, keys and values, gates and ups each for themselves.

use serde_json::{Value, json};

use super::{
    super::{Family, ModelConfig, Shape},
    keys::Keys,
    layout::Piece,
    rotary,
};

pub(super) const TABLE: &str = "model.embed_tokens.weight";

/// What stands in front of every name but the head's.
pub(super) const PREFIX: &str = "model.";

/// The keys that change nothing: dropout while training, and how products are shared out.
pub(super) const HARMLESS: &[&str] = &["attention_dropout", "pretraining_tp"];

/// What the format has where a key is missing.
///
/// Source: `LlamaConfig` of transformers 5.24.0; the base of rotary positions, `default_theta` of its `RotaryEmbeddingConfigMixin`.
pub(super) fn defaults() -> Value {
    json!({
        "hidden_size": 4096, "intermediate_size": 11008, "num_hidden_layers": 32, "num_attention_heads": 32, "hidden_act": "silu",
        "max_position_embeddings": 2048, "rms_norm_eps": 1e-6, "tie_word_embeddings": false, "rope_theta": 10000.0,
        "partial_rotary_factor": 1.0, "attention_bias": false, "mlp_bias": false,
    })
}

pub(super) fn pieces(shape: &Shape, vocabulary: usize) -> Vec<Piece> {
    let Shape { width, neurons, layers, heads, key_heads, .. } = *shape;
    let keys = key_heads * (width / heads);
    let mut pieces = vec![Piece::same("tokens", TABLE, [vocabulary, width])];
    for layer in 0..layers {
        let ours = |name: &str| format!("blocks.{layer}.{name}");
        let theirs = |name: &str| format!("model.layers.{layer}.{name}.weight");
        let attention = |name: &str| theirs(&format!("self_attn.{name}_proj"));
        let neuron = |name: &str| theirs(&format!("mlp.{name}_proj"));
        let input = vec![(attention("q"), width), (attention("k"), keys), (attention("v"), keys)];
        pieces.extend([
            Piece::turned(ours("attention.input.weight"), width, input),
            Piece::turned(ours("attention.output.weight"), width, vec![(attention("o"), width)]),
            Piece::turned(ours("neurons.up.weight"), width, vec![(neuron("gate"), neurons), (neuron("up"), neurons)]),
            Piece::turned(ours("neurons.down.weight"), neurons, vec![(neuron("down"), width)]),
            Piece::vector(ours("attention_norm.gain"), theirs("input_layernorm"), width),
            Piece::vector(ours("neurons_norm.gain"), theirs("post_attention_layernorm"), width),
        ]);
    }
    pieces.push(Piece::vector("norm.gain", "model.norm.weight", width));
    pieces
}

/// Whether a tensor is one of the frequencies of rotary positions that old files have.
pub(super) fn is_buffer(name: &str) -> bool {
    name.ends_with("rotary_emb.inv_freq")
}

pub(super) fn config(shape: &Shape) -> [Value; 2] {
    let Shape { layers, heads, key_heads, width, neurons, context, norm_epsilon, .. } = *shape;
    let own = json!({
        "model_type": "llama", "architectures": ["LlamaForCausalLM"], "hidden_act": "silu", "hidden_size": width,
        "intermediate_size": neurons, "num_hidden_layers": layers, "num_attention_heads": heads, "num_key_value_heads": key_heads,
        "head_dim": width / heads, "max_position_embeddings": context, "rms_norm_eps": norm_epsilon, "attention_bias": false,
        "mlp_bias": false, "attention_dropout": 0.0,
    });
    [own, rotary::config(shape)]
}

pub(super) fn described(keys: &Keys<'_>) -> Result<ModelConfig, String> {
    // the two are names of one function
    keys.only("hidden_act", &["silu".into(), "swish".into()])?;
    keys.only("attention_bias", &[false.into()])?;
    keys.only("mlp_bias", &[false.into()])?;
    let (heads, width) = (keys.count("num_attention_heads")?, keys.count("hidden_size")?);
    if let Some(head) = keys.optional_count("head_dim")?
        && head * heads != width
    {
        return Err(format!("`head_dim` is {head}; {heads} heads of that do not share a `hidden_size` of {width}"));
    }
    let context = keys.count("max_position_embeddings")?;
    let (rotary_base, rotary_scaling) = rotary::described(keys, context)?;
    Ok(ModelConfig {
        family: Some(Family::Llama),
        layers: Some(keys.count("num_hidden_layers")?),
        heads: Some(heads),
        key_heads: keys.optional_count("num_key_value_heads")?,
        width: Some(width),
        neurons: Some(keys.count("intermediate_size")?),
        context: Some(context),
        tied: Some(keys.flag("tie_word_embeddings")?),
        norm_epsilon: Some(keys.number("rms_norm_eps")?),
        rotary_base: Some(rotary_base),
        rotary_scaling,
        ..ModelConfig::default()
    })
}
