//! `llama`, and what its descendants have in common with it: maps as `[outputs, inputs]`; queries, keys and values, gates and ups each for themselves.

use serde_json::{Value, json};

use crate::model::{
    Architecture, Biases,
    huggingface::{
        format::{Described, Format},
        keys::Keys,
        layout::Mapping,
        rotary,
    },
};

pub const FORMAT: Format = Format {
    model_type: "llama",
    class: "LlamaForCausalLM",
    embedding: "model.embed_tokens.weight",
    prefix: "model.",
    // dropout while training, and how products are shared out
    harmless: &["attention_dropout", "pretraining_tp"],
    computed: &[],
    end_is_unknown: false,
    is_buffer,
    defaults,
    read,
    write: |architecture| Ok(write(architecture)),
    lora_targets: &["q_proj", "v_proj"],
    mappings: |architecture, vocab_size| {
        let mut mappings = mappings(architecture, vocab_size);
        mappings.extend(biases(architecture));
        mappings
    },
};

/// What the format has where a key is missing.
///
/// Source: `LlamaConfig` of transformers 5.24.0; the base of rotary positions, `default_theta` of its `RotaryEmbeddingConfigMixin`.
fn defaults() -> Value {
    json!({
        "hidden_size": 4096, "intermediate_size": 11008, "num_hidden_layers": 32, "num_attention_heads": 32, "hidden_act": "silu",
        "max_position_embeddings": 2048, "rms_norm_eps": 1e-6, "tie_word_embeddings": false, "rope_theta": 10000.0,
        "partial_rotary_factor": 1.0, "attention_bias": false, "mlp_bias": false,
    })
}

fn mappings(architecture: &Architecture, vocab_size: usize) -> Vec<Mapping> {
    let Architecture { hidden_size, intermediate_size, num_layers, num_kv_heads, .. } = *architecture;
    let keys = num_kv_heads * architecture.head_dim;
    let mut mappings = vec![Mapping::same("tokens", FORMAT.embedding, [vocab_size, hidden_size])];
    for layer in 0..num_layers {
        let ours = |name: &str| format!("blocks.{layer}.{name}");
        let theirs = |name: &str| format!("model.layers.{layer}.{name}.weight");
        let attention = |name: &str| theirs(&format!("self_attn.{name}_proj"));
        let mlp = |name: &str| theirs(&format!("mlp.{name}_proj"));
        let input =
            vec![(attention("q"), architecture.query_columns()), (attention("k"), keys), (attention("v"), keys)];
        mappings.extend([
            Mapping::transposed(ours("attention.input.weight"), hidden_size, input),
            Mapping::transposed(
                ours("attention.output.weight"),
                architecture.query_columns(),
                vec![(attention("o"), hidden_size)],
            ),
            Mapping::transposed(
                ours("feed_forward.up.weight"),
                hidden_size,
                vec![(mlp("gate"), intermediate_size), (mlp("up"), intermediate_size)],
            ),
            Mapping::transposed(ours("feed_forward.down.weight"), intermediate_size, vec![(mlp("down"), hidden_size)]),
            Mapping::vector(ours("attention_norm.gain"), theirs("input_layernorm"), hidden_size),
            Mapping::vector(ours("feed_forward_norm.gain"), theirs("post_attention_layernorm"), hidden_size),
        ]);
    }
    mappings.push(Mapping::vector("norm.gain", "model.norm.weight", hidden_size));
    mappings
}

/// Where biases stand, by the layers that have some.
fn biases(architecture: &Architecture) -> Vec<Mapping> {
    let Architecture { hidden_size, intermediate_size, num_layers, biases, .. } = *architecture;
    let (queries, keys) = (architecture.query_columns(), architecture.num_kv_heads * architecture.head_dim);
    let mut mappings = Vec::new();
    for layer in 0..num_layers {
        let mut stands_in = |ours: &str, part: &str, theirs: &[(&str, usize)]| {
            let name = |name: &str| format!("model.layers.{layer}.{part}.{name}_proj.bias");
            let theirs = theirs.iter().map(|(their, columns)| (name(their), *columns)).collect();
            mappings.push(Mapping::vectors(format!("blocks.{layer}.{ours}.bias"), theirs));
        };
        if biases.attention_input {
            stands_in("attention.input", "self_attn", &[("q", queries), ("k", keys), ("v", keys)]);
        }
        if biases.attention_output {
            stands_in("attention.output", "self_attn", &[("o", hidden_size)]);
        }
        if biases.feed_forward {
            stands_in("feed_forward.up", "mlp", &[("gate", intermediate_size), ("up", intermediate_size)]);
            stands_in("feed_forward.down", "mlp", &[("down", hidden_size)]);
        }
    }
    mappings
}

/// Whether a tensor is one of the frequencies of rotary positions that old files have.
fn is_buffer(name: &str) -> bool {
    name.ends_with("rotary_emb.inv_freq")
}

fn write(architecture: &Architecture) -> Vec<Value> {
    let [common, rotary] = write_common(architecture);
    let Biases { attention_input, feed_forward, .. } = architecture.biases;
    vec![common, rotary, json!({"attention_bias": attention_input, "mlp_bias": feed_forward})]
}

/// The keys that descendants write, too.
pub fn write_common(architecture: &Architecture) -> [Value; 2] {
    let Architecture {
        num_layers,
        num_heads,
        num_kv_heads,
        hidden_size,
        intermediate_size,
        context_length,
        norm_eps,
        ..
    } = *architecture;
    let common = json!({
        "hidden_act": "silu", "hidden_size": hidden_size, "intermediate_size": intermediate_size, "num_hidden_layers": num_layers,
        "num_attention_heads": num_heads, "num_key_value_heads": num_kv_heads, "head_dim": architecture.head_dim,
        "max_position_embeddings": context_length, "rms_norm_eps": norm_eps, "attention_dropout": 0.0,
    });
    [common, rotary::config(architecture.positions)]
}

fn read(keys: &Keys<'_>) -> Result<Described, String> {
    let written = |name: &str| Ok::<_, String>(Some(keys.flag(name)?).filter(|has| *has));
    let (attention_bias, mlp_bias) = (written("attention_bias")?, written("mlp_bias")?);
    Ok(Described { attention_bias, mlp_bias, ..read_common(keys)? })
}

/// The numbers that descendants read, too.
pub fn read_common(keys: &Keys<'_>) -> Result<Described, String> {
    // the two are names of one function
    keys.only("hidden_act", &["silu".into(), "swish".into()])?;
    let (num_heads, hidden_size) = (keys.count("num_attention_heads")?, keys.count("hidden_size")?);
    let context_length = keys.count("max_position_embeddings")?;
    let (rope_theta, rope_scaling) = rotary::described(keys, context_length)?;
    Ok(Described {
        feed_forward: None,
        num_layers: keys.count("num_hidden_layers")?,
        num_heads,
        num_kv_heads: keys.optional_count("num_key_value_heads")?,
        // the usual one stays unwritten
        head_dim: keys.optional_count("head_dim")?.filter(|head_dim| head_dim * num_heads != hidden_size),
        hidden_size,
        intermediate_size: Some(keys.count("intermediate_size")?),
        context_length,
        tie_embeddings: keys.flag("tie_word_embeddings")?,
        norm_eps: keys.number("rms_norm_eps")?,
        rope_theta: Some(rope_theta),
        rope_scaling,
        attention_bias: None,
        mlp_bias: None,
    })
}
