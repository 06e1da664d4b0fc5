//! What the layouts of GPT and GPT-2 have in common: maps as they are here, `[inputs, outputs]`.

use serde_json::{Value, json};

use super::{
    super::{ModelConfig, Shape},
    keys::Keys,
    layout::Piece,
};

/// The keys of both that change nothing: dropout while training, heads that are not read, and what rounding alone depends on.
#[rustfmt::skip]
pub(super) const HARMLESS: &[&str] = &[
    "n_ctx", "n_special", "resid_pdrop", "embd_pdrop", "attn_pdrop", "reorder_and_upcast_attn", "predict_special_tokens",
    "summary_type", "summary_use_proj", "summary_activation", "summary_proj_to_labels", "summary_first_dropout", "summary_last_dropout",
];

/// What stands in front of every name but the head's.
pub(super) const PREFIX: &str = "transformer.";

/// The names of tensors; `tokens` and `positions` are those of the tables.
pub(super) fn pieces(shape: &Shape, vocabulary: usize, tokens: &str, positions: &str) -> Vec<Piece> {
    let Shape { width, neurons, layers, context, .. } = *shape;
    let mut pieces = vec![
        Piece::same("tokens", format!("{PREFIX}{tokens}.weight"), [vocabulary, width]),
        Piece::same("positions", format!("{PREFIX}{positions}.weight"), [context, width]),
    ];
    for layer in 0..layers {
        let (ours, theirs) = (format!("blocks.{layer}"), format!("{PREFIX}h.{layer}"));
        let maps = [
            ("attention.input", "attn.c_attn", [width, 3 * width]),
            ("attention.output", "attn.c_proj", [width, width]),
            ("neurons.up", "mlp.c_fc", [width, neurons]),
            ("neurons.down", "mlp.c_proj", [neurons, width]),
        ];
        for (our, their, sizes) in maps {
            pieces.push(Piece::same(format!("{ours}.{our}.weight"), format!("{theirs}.{their}.weight"), sizes));
            pieces.push(Piece::vector(format!("{ours}.{our}.bias"), format!("{theirs}.{their}.bias"), sizes[1]));
        }
        for (our, their) in [("attention_norm", "ln_1"), ("neurons_norm", "ln_2")] {
            pieces.push(Piece::vector(format!("{ours}.{our}.gain"), format!("{theirs}.{their}.weight"), width));
            pieces.push(Piece::vector(format!("{ours}.{our}.bias"), format!("{theirs}.{their}.bias"), width));
        }
    }
    pieces
}

/// Whether a tensor is one of the masks that old files have.
pub(super) fn is_buffer(name: &str) -> bool {
    name.ends_with(".attn.bias") || name.ends_with(".attn.masked_bias") || name.ends_with("position_ids")
}

/// The keys that both write.
pub(super) fn config(shape: &Shape) -> Value {
    let Shape { layers, heads, width, context, dropout, norm_epsilon, .. } = *shape;
    json!({
        "n_positions": context, "n_embd": width, "n_layer": layers, "n_head": heads,
        "resid_pdrop": dropout, "embd_pdrop": dropout, "attn_pdrop": 0.0, "layer_norm_epsilon": norm_epsilon,
    })
}

/// The numbers that both read.
pub(super) fn described(keys: &Keys<'_>) -> Result<ModelConfig, String> {
    Ok(ModelConfig {
        layers: Some(keys.count_as("n_layer", "num_hidden_layers")?),
        heads: Some(keys.count_as("n_head", "num_attention_heads")?),
        width: Some(keys.count_as("n_embd", "hidden_size")?),
        context: Some(keys.count_as("n_positions", "max_position_embeddings")?),
        tied: Some(keys.flag("tie_word_embeddings")?),
        norm_epsilon: Some(keys.number("layer_norm_epsilon")?),
        ..ModelConfig::default()
    })
}
