//! What the layouts of GPT and GPT-2 have in common: maps as they are here, `[inputs, outputs]`.

use serde_json::{Value, json};

use crate::model::{
    Architecture, Biases,
    huggingface::{format::Described, keys::Keys, layout::Mapping},
};

/// The keys of both that change nothing: dropout while training, heads that are not read, and what rounding alone depends on.
#[rustfmt::skip]
pub const HARMLESS: &[&str] = &[
    "n_ctx", "n_special", "resid_pdrop", "embd_pdrop", "attn_pdrop", "reorder_and_upcast_attn", "predict_special_tokens",
    "summary_type", "summary_use_proj", "summary_activation", "summary_proj_to_labels", "summary_first_dropout", "summary_last_dropout",
];

/// What stands in front of every name but the head's.
pub const PREFIX: &str = "transformer.";

/// The names of tensors; `tokens` and `positions` are those of the tables.
pub fn mappings(architecture: &Architecture, vocab_size: usize, tokens: &str, positions: &str) -> Vec<Mapping> {
    let Architecture { hidden_size, intermediate_size, num_layers, context_length, .. } = *architecture;
    let mut mappings = vec![
        Mapping::same("tokens", format!("{PREFIX}{tokens}.weight"), [vocab_size, hidden_size]),
        Mapping::same("positions", format!("{PREFIX}{positions}.weight"), [context_length, hidden_size]),
    ];
    for layer in 0..num_layers {
        let (ours, theirs) = (format!("blocks.{layer}"), format!("{PREFIX}h.{layer}"));
        let maps = [
            ("attention.input", "attn.c_attn", [hidden_size, 3 * hidden_size]),
            ("attention.output", "attn.c_proj", [hidden_size, hidden_size]),
            ("feed_forward.up", "mlp.c_fc", [hidden_size, intermediate_size]),
            ("feed_forward.down", "mlp.c_proj", [intermediate_size, hidden_size]),
        ];
        for (our, their, sizes) in maps {
            mappings.push(Mapping::same(format!("{ours}.{our}.weight"), format!("{theirs}.{their}.weight"), sizes));
            mappings.push(Mapping::vector(format!("{ours}.{our}.bias"), format!("{theirs}.{their}.bias"), sizes[1]));
        }
        for (our, their) in [("attention_norm", "ln_1"), ("feed_forward_norm", "ln_2")] {
            mappings.push(Mapping::vector(
                format!("{ours}.{our}.gain"),
                format!("{theirs}.{their}.weight"),
                hidden_size,
            ));
            mappings.push(Mapping::vector(format!("{ours}.{our}.bias"), format!("{theirs}.{their}.bias"), hidden_size));
        }
    }
    mappings
}

/// Whether a tensor is one of the masks that old files have.
pub fn is_buffer(name: &str) -> bool {
    name.ends_with(".attn.bias") || name.ends_with(".attn.masked_bias") || name.ends_with("position_ids")
}

/// The keys that both write.
///
/// # Errors
/// When heads have a size of their own or share keys, or layers have no biases: the formats have no keys for it.
pub fn write_common(architecture: &Architecture) -> Result<Value, String> {
    let Architecture { num_heads, num_kv_heads, .. } = architecture;
    if num_kv_heads != num_heads {
        return Err(format!(
            "the layouts of GPT and GPT-2 have no key for {num_kv_heads} heads of keys and values to {num_heads} of queries"
        ));
    }
    if architecture.query_columns() != architecture.hidden_size {
        let Architecture { head_dim, hidden_size, .. } = architecture;
        return Err(format!(
            "the layouts of GPT and GPT-2 have no key for a `head_dim` of {head_dim}, which {num_heads} times is not the `hidden_size` of \
             {hidden_size}"
        ));
    }
    if architecture.biases != Biases::ALL {
        return Err(
            "the layouts of GPT and GPT-2 have no keys for `attention_bias` and `mlp_bias`: all layers have biases"
                .into(),
        );
    }
    let Architecture { num_layers, num_heads, hidden_size, context_length, dropout, norm_eps, .. } = *architecture;
    Ok(json!({
        "n_positions": context_length, "n_embd": hidden_size, "n_layer": num_layers, "n_head": num_heads,
        "resid_pdrop": dropout, "embd_pdrop": dropout, "attn_pdrop": 0.0, "layer_norm_epsilon": norm_eps,
    }))
}

/// The numbers that both read.
pub fn read_common(keys: &Keys<'_>) -> Result<Described, String> {
    Ok(Described {
        feed_forward: None,
        num_layers: keys.count_as("n_layer", "num_hidden_layers")?,
        num_heads: keys.count_as("n_head", "num_attention_heads")?,
        num_kv_heads: None,
        head_dim: None,
        hidden_size: keys.count_as("n_embd", "hidden_size")?,
        intermediate_size: None,
        context_length: keys.count_as("n_positions", "max_position_embeddings")?,
        tie_embeddings: keys.flag("tie_word_embeddings")?,
        norm_eps: keys.number("layer_norm_epsilon")?,
        rope_theta: None,
        rope_scaling: None,
        attention_bias: None,
        mlp_bias: None,
    })
}
