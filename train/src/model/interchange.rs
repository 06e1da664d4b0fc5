//! A model in the words of Hugging Face: other names, other orders of numbers, the same logits.
//!
//! ```text
//! gpt1    openai-gpt   maps as they are here, [inputs, outputs]
//! gpt2    gpt2         the same
//! llama   llama        maps as [outputs, inputs]; queries, keys and values, gates and ups each for themselves
//! ```
//!
//! `gpt3` has no counterpart: none of the published layouts has its bands together with its biases.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Family, ModelConfig, Named, Shape};

/// One of our parameters, and where its numbers stand in the other layout.
struct Piece {
    ours: String,
    /// Names, and how many of our columns each has.
    theirs: Vec<(String, usize)>,
    /// Whether rows and columns are exchanged there.
    turned: bool,
}

impl Piece {
    fn same(ours: impl Into<String>, theirs: impl Into<String>, columns: usize) -> Self {
        Self { ours: ours.into(), theirs: vec![(theirs.into(), columns)], turned: false }
    }

    fn turned(ours: String, theirs: Vec<(String, usize)>) -> Self {
        Self { ours, theirs, turned: true }
    }
}

fn pieces(shape: &Shape) -> Result<Vec<Piece>, String> {
    match shape.family {
        Family::Gpt1 => Ok(gpt(shape, "tokens_embed", "positions_embed", ["ln_1", "ln_2"])),
        Family::Gpt2 => Ok(gpt(shape, "wte", "wpe", ["ln_1", "ln_2"])),
        Family::Llama => Ok(llama(shape)),
        Family::Gpt3 => Err("a model of the family `gpt3` has no counterpart in Hugging Face's layouts".into()),
    }
}

fn gpt(shape: &Shape, tokens: &str, positions: &str, norms: [&str; 2]) -> Vec<Piece> {
    let Shape { width, neurons, layers, .. } = *shape;
    let mut pieces = vec![
        Piece::same("tokens", format!("transformer.{tokens}.weight"), width),
        Piece::same("positions", format!("transformer.{positions}.weight"), width),
    ];
    for layer in 0..layers {
        let (ours, theirs) = (format!("blocks.{layer}"), format!("transformer.h.{layer}"));
        let maps = [
            ("attention.input", "attn.c_attn", 3 * width),
            ("attention.output", "attn.c_proj", width),
            ("neurons.up", "mlp.c_fc", neurons),
            ("neurons.down", "mlp.c_proj", width),
        ];
        for (our, their, columns) in maps {
            for part in ["weight", "bias"] {
                pieces.push(Piece::same(format!("{ours}.{our}.{part}"), format!("{theirs}.{their}.{part}"), columns));
            }
        }
        for (our, their) in ["attention_norm", "neurons_norm"].into_iter().zip(norms) {
            pieces.push(Piece::same(format!("{ours}.{our}.gain"), format!("{theirs}.{their}.weight"), width));
            pieces.push(Piece::same(format!("{ours}.{our}.bias"), format!("{theirs}.{their}.bias"), width));
        }
    }
    if shape.family != Family::Gpt1 {
        pieces.push(Piece::same("norm.gain", "transformer.ln_f.weight", width));
        pieces.push(Piece::same("norm.bias", "transformer.ln_f.bias", width));
    }
    if !shape.tied {
        pieces.push(Piece::same("head", "lm_head.weight", width));
    }
    pieces
}

fn llama(shape: &Shape) -> Vec<Piece> {
    let Shape { width, neurons, layers, heads, key_heads, .. } = *shape;
    let keys = key_heads * (width / heads);
    let mut pieces = vec![Piece::same("tokens", "model.embed_tokens.weight", width)];
    for layer in 0..layers {
        let ours = |name: &str| format!("blocks.{layer}.{name}");
        let theirs = |name: &str| format!("model.layers.{layer}.{name}.weight");
        let attention = |name: &str| theirs(&format!("self_attn.{name}_proj"));
        let neuron = |name: &str| theirs(&format!("mlp.{name}_proj"));
        let input = vec![(attention("q"), width), (attention("k"), keys), (attention("v"), keys)];
        pieces.extend([
            Piece::turned(ours("attention.input.weight"), input),
            Piece::turned(ours("attention.output.weight"), vec![(attention("o"), width)]),
            Piece::turned(ours("neurons.up.weight"), vec![(neuron("gate"), neurons), (neuron("up"), neurons)]),
            Piece::turned(ours("neurons.down.weight"), vec![(neuron("down"), width)]),
            Piece::same(ours("attention_norm.gain"), theirs("input_layernorm"), width),
            Piece::same(ours("neurons_norm.gain"), theirs("post_attention_layernorm"), width),
        ]);
    }
    pieces.push(Piece::same("norm.gain", "model.norm.weight", width));
    if !shape.tied {
        pieces.push(Piece::same("head", "lm_head.weight", width));
    }
    pieces
}

/// Some columns of a matrix, turned if that is wanted.
fn cut(named: &Named, from: usize, columns: usize, turned: bool, name: &str) -> Named {
    let width = *named.shape.last().expect("a parameter has a dimension");
    let rows = named.values.len() / width;
    let at = |row: usize, column: usize| named.values[row * width + from + column];
    let (shape, values) = if turned {
        let values = (0..columns).flat_map(|column| (0..rows).map(move |row| at(row, column))).collect();
        (vec![columns, rows], values)
    } else {
        (named.shape.clone(), named.values.clone())
    };
    Named { name: name.to_owned(), shape, values }
}

/// A model's `config.json` and tensors for Hugging Face. `end` is the token that ends a text.
///
/// # Errors
/// When the family has no counterpart there.
pub fn export(shape: &Shape, named: &[Named], end: u32) -> Result<(Value, Vec<Named>), String> {
    let by_name: BTreeMap<&str, &Named> = named.iter().map(|named| (named.name.as_str(), named)).collect();
    let mut tensors = Vec::new();
    for Piece { ours, theirs, turned } in pieces(shape)? {
        let named = by_name.get(ours.as_str()).ok_or_else(|| format!("the model has no parameter `{ours}`"))?;
        let mut from = 0;
        for (name, columns) in theirs {
            tensors.push(cut(named, from, columns, turned, &name));
            from += columns;
        }
    }
    let vocabulary = by_name.get("tokens").map_or(0, |tokens| tokens.shape[0]);
    Ok((config(shape, vocabulary, end), tensors))
}

fn config(shape: &Shape, vocabulary: usize, end: u32) -> Value {
    let Shape { layers, heads, key_heads, width, neurons, context, dropout, tied, rotary_base, .. } = *shape;
    let common = json!({
        "vocab_size": vocabulary, "bos_token_id": end, "eos_token_id": end, "tie_word_embeddings": tied,
        "initializer_range": 0.02, "torch_dtype": "float32",
    });
    let gpt = json!({
        "n_positions": context, "n_embd": width, "n_layer": layers, "n_head": heads, "n_inner": neurons,
        "resid_pdrop": dropout, "embd_pdrop": dropout, "attn_pdrop": 0.0, "layer_norm_epsilon": 1e-5,
    });
    let own = match shape.family {
        Family::Gpt1 => json!({"model_type": "openai-gpt", "architectures": ["OpenAIGPTLMHeadModel"], "afn": "gelu"}),
        Family::Gpt2 | Family::Gpt3 => json!({
            "model_type": "gpt2", "architectures": ["GPT2LMHeadModel"], "activation_function": "gelu_new",
        }),
        Family::Llama => json!({
            "model_type": "llama", "architectures": ["LlamaForCausalLM"], "hidden_act": "silu", "hidden_size": width,
            "intermediate_size": neurons, "num_hidden_layers": layers, "num_attention_heads": heads,
            "num_key_value_heads": key_heads, "max_position_embeddings": context, "rms_norm_eps": 1e-5,
            "rope_theta": rotary_base, "rope_parameters": {"rope_type": "default", "rope_theta": rotary_base}, "attention_bias": false, "mlp_bias": false, "attention_dropout": 0.0,
        }),
    };
    let parts = if shape.family == Family::Llama { vec![own, common] } else { vec![own, gpt, common] };
    let entries = parts.into_iter().filter_map(|part| match part {
        Value::Object(entries) => Some(entries),
        _ => None,
    });
    Value::Object(entries.flatten().collect())
}

/// The shape that a `config.json` of Hugging Face describes.
///
/// # Errors
/// When the model is of another kind, or computes what models do not compute here: what, in words.
pub fn described(config: &Value) -> Result<ModelConfig, String> {
    let kind = config["model_type"].as_str().ok_or("`model_type` is missing")?;
    let number = |name: &str| {
        let number = config[name].as_u64().ok_or_else(|| format!("`{name}` is missing, or no whole number"))?;
        usize::try_from(number).map_err(|error| error.to_string())
    };
    let optional = |name: &str| if config[name].is_null() { Ok(None) } else { number(name).map(Some) };
    let only = |name: &str, expected: Value| match &config[name] {
        Value::Null => Ok(()),
        found if *found == expected => Ok(()),
        found => Err(format!("`{name}` is {found}; only {expected} can be computed")),
    };
    let epsilon = |name: &str| match config[name].as_f64() {
        Some(epsilon) if (epsilon - 1e-5).abs() > 1e-9 => {
            Err(format!("`{name}` is {epsilon}; only 1e-5 can be computed"))
        }
        _ => Ok(()),
    };
    let tied = config["tie_word_embeddings"].as_bool();
    match kind {
        "gpt2" | "openai-gpt" => {
            only("scale_attn_weights", true.into())?;
            only("scale_attn_by_inverse_layer_idx", false.into())?;
            only("afn", "gelu".into())?;
            only("activation_function", "gelu_new".into())?;
            epsilon("layer_norm_epsilon")?;
            Ok(ModelConfig {
                family: Some(if kind == "gpt2" { Family::Gpt2 } else { Family::Gpt1 }),
                layers: Some(number("n_layer")?),
                heads: Some(number("n_head")?),
                width: Some(number("n_embd")?),
                neurons: optional("n_inner")?,
                context: Some(number("n_positions")?),
                tied: tied.or(Some(true)),
                ..ModelConfig::default()
            })
        }
        "llama" => {
            only("hidden_act", "silu".into())?;
            only("attention_bias", false.into())?;
            only("mlp_bias", false.into())?;
            epsilon("rms_norm_eps")?;
            let rope = &config["rope_parameters"];
            let scaled = [&config["rope_scaling"]["rope_type"], &rope["rope_type"]];
            if let Some(kind) = scaled.into_iter().find(|kind| !kind.is_null() && **kind != "default") {
                return Err(format!("rotary positions of the kind {kind} cannot be computed"));
            }
            let heads = number("num_attention_heads")?;
            let width = number("hidden_size")?;
            if let Some(head) = optional("head_dim")?
                && head * heads != width
            {
                return Err(format!("heads of {head} do not divide a width of {width} among {heads}"));
            }
            Ok(ModelConfig {
                family: Some(Family::Llama),
                layers: Some(number("num_hidden_layers")?),
                heads: Some(heads),
                key_heads: optional("num_key_value_heads")?,
                width: Some(width),
                neurons: Some(number("intermediate_size")?),
                context: Some(number("max_position_embeddings")?),
                tied: tied.or(Some(false)),
                rotary_base: config["rope_theta"].as_f64().or(rope["rope_theta"].as_f64()),
                ..ModelConfig::default()
            })
        }
        other => Err(format!("models of the kind `{other}` cannot be read; `gpt2`, `openai-gpt` and `llama` can")),
    }
}

/// Our parameters from Hugging Face's tensors.
///
/// # Errors
/// When a tensor is missing or of another shape: its name and the two shapes.
pub fn import(shape: &Shape, tensors: &BTreeMap<String, Named>) -> Result<Vec<Named>, String> {
    let find = |name: &str| {
        // a model without its head is saved without the first part of its names
        let short = name.split_once('.').map(|(_, rest)| rest);
        tensors.get(name).or_else(|| tensors.get(short?)).ok_or_else(|| format!("there is no tensor `{name}`"))
    };
    let mut named = Vec::new();
    for Piece { ours, theirs, turned } in pieces(shape)? {
        let parts = theirs.iter().map(|(name, columns)| {
            let tensor = find(name)?;
            let found = if turned { tensor.shape[0] } else { *tensor.shape.last().unwrap_or(&0) };
            if found != *columns {
                return Err(format!("`{name}` is of shape {:?}, where {columns} columns should be", tensor.shape));
            }
            let inputs = tensor.values.len() / columns;
            Ok(if turned { cut(tensor, 0, inputs, true, &ours) } else { tensor.clone() })
        });
        let parts = parts.collect::<Result<Vec<_>, String>>()?;
        named.push(side_by_side(&ours, &parts));
    }
    Ok(named)
}

/// One matrix of others' columns.
fn side_by_side(name: &str, parts: &[Named]) -> Named {
    if let [part] = parts {
        return Named { name: name.to_owned(), ..part.clone() };
    }
    let columns: usize = parts.iter().map(|part| part.shape[1]).sum();
    let rows = parts[0].shape[0];
    let values = (0..rows).flat_map(|row| {
        parts.iter().flat_map(move |part| part.values[row * part.shape[1]..][..part.shape[1]].iter().copied())
    });
    Named { name: name.to_owned(), shape: vec![rows, columns], values: values.collect() }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;
    use crate::model::named;

    #[test]
    fn what_is_exported_is_imported() {
        for family in [Family::Gpt1, Family::Gpt2, Family::Llama] {
            let config = ModelConfig {
                family: Some(family),
                layers: Some(2),
                heads: Some(4),
                key_heads: (family == Family::Llama).then_some(2),
                width: Some(8),
                context: Some(6),
                ..ModelConfig::default()
            };
            let shape = config.shape().expect("the numbers fit together");
            let before = named(&shape.init(11, 1, &Device::flex()));
            let (config, tensors) = export(&shape, &before, 10).expect("the family has a counterpart");
            assert_eq!(described(&config).and_then(|config| config.shape()), Ok(shape));
            let tensors = tensors.into_iter().map(|named| (named.name.clone(), named)).collect();
            let mut after = import(&shape, &tensors).expect("all tensors are there");
            after.sort_by_key(|named| before.iter().position(|before| before.name == named.name));
            assert_eq!(after, before, "{family:?}");
        }
    }

    #[test]
    fn what_cannot_be_computed_is_refused() {
        let fault = |config: Value| described(&config).expect_err("it cannot be computed");
        assert_eq!(
            fault(json!({"model_type": "mamba"})),
            "models of the kind `mamba` cannot be read; `gpt2`, `openai-gpt` and `llama` can"
        );
        let config =
            json!({"model_type": "gpt2", "n_layer": 1, "n_head": 1, "n_embd": 8, "activation_function": "relu"});
        assert_eq!(fault(config), "`activation_function` is \"relu\"; only \"gelu_new\" can be computed");
        assert_eq!(fault(json!({"model_type": "gpt2", "n_layer": 1})), "`n_head` is missing, or no whole number");
    }
}
