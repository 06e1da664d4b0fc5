//! `t5`: the families `t5` and `t5-v1.1`, an encoder and a decoder whose maps stand as `[outputs, inputs]`.

use serde_json::{Value, json};

use crate::model::{
    Activation, Architecture, Biases,
    huggingface::{
        format::{Described, Format},
        keys::Keys,
        layout::Mapping,
    },
};

/// Buckets of relative positions; all published models have so many.
pub const BUCKETS: usize = 32;
/// Where the last of them begins.
pub const MAX_DISTANCE: usize = 128;

pub const FORMAT: Format = Format {
    model_type: "t5",
    class: "T5ForConditionalGeneration",
    embedding: "shared.weight",
    prefix: "",
    // dropout while training, heads that are not read, how weights are drawn
    harmless: &["dropout_rate", "classifier_dropout", "initializer_factor"],
    computed: &["is_encoder_decoder"],
    end_is_unknown: false,
    is_buffer,
    defaults,
    read,
    write,
    lora_targets: &[],
    mappings,
};

/// What the format has where a key is missing.
///
/// Source: `T5Config` of transformers 5.24.0, and `n_positions` of the published models, which nothing is computed from.
fn defaults() -> Value {
    json!({
        "d_model": 512, "d_kv": 64, "d_ff": 2048, "num_layers": 6, "num_heads": 8, "relative_attention_num_buckets": 32,
        "relative_attention_max_distance": 128, "layer_norm_epsilon": 1e-6, "feed_forward_proj": "relu", "is_encoder_decoder": true,
        "tie_word_embeddings": true, "n_positions": 512,
    })
}

/// Whether a tensor is a copy of the table, or one that old files have and nothing reads.
fn is_buffer(name: &str) -> bool {
    name.ends_with("coder.embed_tokens.weight") || name.ends_with("EncDecAttention.relative_attention_bias.weight")
}

fn mappings(architecture: &Architecture, vocab_size: usize) -> Vec<Mapping> {
    let Architecture { hidden_size, num_layers, num_heads, .. } = *architecture;
    let mut mappings = vec![Mapping::same("tokens", FORMAT.embedding, [vocab_size, hidden_size])];
    for stack in ["encoder", "decoder"] {
        mappings.push(Mapping::same(
            format!("{stack}_relative.table"),
            format!("{stack}.block.0.layer.0.SelfAttention.relative_attention_bias.weight"),
            [BUCKETS, num_heads],
        ));
        for layer in 0..num_layers {
            mappings.extend(block(architecture, stack, layer));
        }
        let last = format!("{stack}.final_layer_norm.weight");
        mappings.push(Mapping::vector(format!("{stack}_norm.gain"), last, hidden_size));
    }
    mappings
}

/// The names of a block: self-attention, in the decoder attention to the encoder, and feed-forward layers.
fn block(architecture: &Architecture, stack: &str, layer: usize) -> Vec<Mapping> {
    let Architecture { hidden_size, intermediate_size, .. } = *architecture;
    let columns = architecture.query_columns();
    let ours = |name: &str| format!("{stack}.{layer}.{name}");
    let theirs = |part: usize, name: &str| format!("{stack}.block.{layer}.layer.{part}.{name}.weight");
    let of_self = |name: &str| (theirs(0, &format!("SelfAttention.{name}")), columns);
    let of_cross = |name: &str| (theirs(1, &format!("EncDecAttention.{name}")), columns);
    let norm = |our: &str, part: usize| Mapping::vector(ours(our), theirs(part, "layer_norm"), hidden_size);
    let output =
        |our: &str, their: (String, usize)| Mapping::transposed(ours(our), columns, vec![(their.0, hidden_size)]);
    let mut mappings = vec![
        Mapping::transposed(ours("attention.input.weight"), hidden_size, ["q", "k", "v"].map(of_self).to_vec()),
        output("attention.output.weight", of_self("o")),
        norm("attention_norm.gain", 0),
    ];
    let is_decoder = stack == "decoder";
    if is_decoder {
        mappings.extend([
            Mapping::transposed(ours("cross_attention.queries.weight"), hidden_size, vec![of_cross("q")]),
            Mapping::transposed(ours("cross_attention.memory.weight"), hidden_size, ["k", "v"].map(of_cross).to_vec()),
            output("cross_attention.output.weight", of_cross("o")),
            norm("cross_attention.norm.gain", 1),
        ]);
    }
    let part = if is_decoder { 2 } else { 1 };
    let dense = |name: &str, columns| (theirs(part, &format!("DenseReluDense.{name}")), columns);
    let ups: &[&str] = if architecture.feed_forward.is_gated() { &["wi_0", "wi_1"] } else { &["wi"] };
    let ups = ups.iter().map(|name| dense(name, intermediate_size)).collect();
    mappings.extend([
        Mapping::transposed(ours("feed_forward.up.weight"), hidden_size, ups),
        Mapping::transposed(ours("feed_forward.down.weight"), intermediate_size, vec![dense("wo", hidden_size)]),
        norm("feed_forward_norm.gain", part),
    ]);
    mappings
}

/// The key of an activation, and what else it is called.
fn names(feed_forward: Activation) -> Result<(&'static str, &'static str), String> {
    match feed_forward {
        Activation::Relu => Ok(("relu", "relu")),
        Activation::GeGlu => Ok(("gated-gelu", "gelu_new")),
        Activation::Gelu | Activation::SwiGlu => Err(format!("`t5` has no word for {feed_forward:?}")),
    }
}

/// # Errors
/// When heads share keys, or layers have biases: the format has no keys for it.
fn write(architecture: &Architecture) -> Result<Vec<Value>, String> {
    let Architecture { num_layers, num_heads, num_kv_heads, hidden_size, .. } = *architecture;
    if num_kv_heads != num_heads {
        return Err(format!("`t5` has no key for {num_kv_heads} heads of keys and values to {num_heads} of queries"));
    }
    if architecture.biases != Biases::NONE {
        return Err("`t5` has no keys for `attention_bias` and `mlp_bias`: no layer has biases".into());
    }
    let (feed_forward, activation) = names(architecture.feed_forward)?;
    Ok(vec![json!({
        "d_model": hidden_size, "d_kv": architecture.head_dim, "d_ff": architecture.intermediate_size, "num_layers": num_layers,
        "num_decoder_layers": num_layers, "num_heads": num_heads, "relative_attention_num_buckets": BUCKETS,
        "relative_attention_max_distance": MAX_DISTANCE, "dropout_rate": architecture.dropout,
        "layer_norm_epsilon": architecture.norm_eps, "feed_forward_proj": feed_forward, "dense_act_fn": activation,
        "is_gated_act": architecture.feed_forward.is_gated(), "is_encoder_decoder": true,
        "n_positions": architecture.context_length, "scale_decoder_outputs": architecture.scale_logits,
    })])
}

fn read(keys: &Keys<'_>) -> Result<Described, String> {
    keys.only("is_encoder_decoder", &[true.into()])?;
    keys.only("relative_attention_num_buckets", &[BUCKETS.into()])?;
    keys.only("relative_attention_max_distance", &[MAX_DISTANCE.into()])?;
    let num_layers = keys.count_as("num_layers", "num_hidden_layers")?;
    keys.only("num_decoder_layers", &[Value::Null, num_layers.into()])?;
    let tie_embeddings = keys.flag("tie_word_embeddings")?;
    // without the key of transformers 5, what is tied is scaled
    let is_scaled = match keys.value("scale_decoder_outputs") {
        Value::Null => tie_embeddings,
        _ => keys.flag("scale_decoder_outputs")?,
    };
    let kind = keys.value("feed_forward_proj").clone();
    let feed_forward = match (kind.as_str(), is_scaled) {
        (Some("relu"), true) => Activation::Relu,
        (Some("gated-gelu"), false) => Activation::GeGlu,
        _ => {
            let scaled = if is_scaled { "scaled" } else { "unscaled" };
            return Err(format!(
                "`feed_forward_proj` is {kind} with {scaled} hidden states in front of the head; only \"relu\" with scaled ones, as T5 has \
                 it, or \"gated-gelu\" with unscaled ones, as its version 1.1, can be computed"
            ));
        }
    };
    let (_, activation) = names(feed_forward)?;
    keys.only("dense_act_fn", &[Value::Null, activation.into()])?;
    keys.only("is_gated_act", &[Value::Null, feed_forward.is_gated().into()])?;
    Ok(Described {
        feed_forward: Some(feed_forward),
        num_layers,
        num_heads: keys.count_as("num_heads", "num_attention_heads")?,
        num_kv_heads: None,
        head_dim: Some(keys.count("d_kv")?),
        hidden_size: keys.count_as("d_model", "hidden_size")?,
        intermediate_size: Some(keys.count("d_ff")?),
        context_length: keys.count("n_positions")?,
        tie_embeddings,
        norm_eps: keys.number("layer_norm_epsilon")?,
        rope_theta: None,
        rope_scaling: None,
        attention_bias: None,
        mlp_bias: None,
    })
}
