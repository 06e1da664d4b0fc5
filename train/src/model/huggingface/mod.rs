//! A model in the words of Hugging Face: other names, other orders of numbers, the same logits.
//!
//! ```text
//! gpt1    openai-gpt   maps as they are here, [inputs, outputs]
//! gpt2    gpt2         the same
//! gpt3    gpt2         where no sliding window is shorter than the context; else it has no counterpart
//! llama   llama        maps as [outputs, inputs]; queries, keys and values, gates and ups each for themselves
//! ```
//!
//! A key of a configuration that changes what a model computes is read or refused, and one that nobody knows is named; so is a tensor that
//! is not of the model. What a missing key stands for is the format's own, in a table of each family.

mod gpt;
mod gpt1;
mod gpt2;
mod keys;
mod layout;
mod llama;
mod rotary;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use self::{
    keys::{HARMLESS, Keys, REFUSED},
    layout::{Mapping, Tensors, written},
};
use super::{Architecture, Family, ModelConfig, NamedTensor};

/// The head, where it is no copy of the table.
const HEAD: &str = "lm_head.weight";

/// The special tokens that a configuration names.
#[derive(Debug, Clone, Copy)]
pub struct SpecialTokens<'e> {
    /// The beginning-of-text token.
    pub bos: u32,
    /// The end-of-text tokens, one at least.
    pub eos: &'e [u32],
}

/// A model that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Imported {
    /// Its configuration.
    pub config: ModelConfig,
    /// Its parameters.
    pub named: Vec<NamedTensor>,
    /// What one should know: keys and tensors that were passed over, a head that is not the table.
    pub notes: Vec<String>,
}

impl Imported {
    /// Rows of the token embedding.
    #[must_use]
    pub fn vocab_size(&self) -> usize {
        self.named.iter().find(|named| named.name == "tokens").map_or(0, |table| table.shape[0])
    }
}

fn mappings(architecture: &Architecture, vocab_size: usize) -> Vec<Mapping> {
    let mut mappings = match architecture.family {
        Family::Gpt1 => gpt1::mappings(architecture, vocab_size),
        Family::Gpt2 | Family::Gpt3 => gpt2::mappings(architecture, vocab_size),
        Family::Llama => llama::mappings(architecture, vocab_size),
    };
    if !architecture.tie_embeddings {
        mappings.push(Mapping::same("head", HEAD, [vocab_size, architecture.hidden_size]));
    }
    mappings
}

/// A model's `config.json` and tensors for Hugging Face.
///
/// # Errors
/// When the family has no counterpart there.
pub fn export(
    architecture: &Architecture,
    named: &[NamedTensor],
    special: SpecialTokens<'_>,
) -> Result<(Value, Vec<NamedTensor>), String> {
    let [own, numbers] = match architecture.family {
        Family::Gpt1 => gpt1::config(architecture)?,
        Family::Gpt2 | Family::Gpt3 => gpt2::config(architecture)?,
        Family::Llama => llama::config(architecture),
    };
    let vocab_size = named.iter().find(|named| named.name == "tokens").map_or(0, |table| table.shape[0]);
    let eos = if let [eos] = special.eos { json!(eos) } else { json!(special.eos) };
    let common = json!({
        "vocab_size": vocab_size, "bos_token_id": special.bos, "eos_token_id": eos, "tie_word_embeddings": architecture.tie_embeddings,
        "initializer_range": 0.02, "torch_dtype": "float32",
    });
    let mut config = Map::new();
    for part in [own, numbers, common] {
        if let Value::Object(entries) = part {
            config.extend(entries);
        }
    }
    Ok((Value::Object(config), written(mappings(architecture, vocab_size), named)?))
}

/// The model that a `config.json` of Hugging Face describes, and the keys of it that nobody knows.
///
/// # Errors
/// When the model is of another kind, or computes what models do not compute here: what, in words.
fn described(config: &Map<String, Value>) -> Result<(ModelConfig, Vec<String>), String> {
    let kind = config.get("model_type").and_then(Value::as_str).ok_or("`model_type` is missing")?;
    let (defaults, harmless) = match kind {
        "openai-gpt" => (gpt1::defaults(), gpt::HARMLESS),
        "gpt2" => (gpt2::defaults(), gpt::HARMLESS),
        "llama" => (llama::defaults(), llama::HARMLESS),
        other => {
            return Err(format!("models of the kind `{other}` cannot be read; `gpt2`, `openai-gpt` and `llama` can"));
        }
    };
    let keys = Keys::new(config, defaults);
    REFUSED.iter().try_for_each(|name| keys.without(name))?;
    let model = match kind {
        "openai-gpt" => gpt1::described(&keys)?,
        "gpt2" => gpt2::described(&keys)?,
        _ => llama::described(&keys)?,
    };
    keys.optional_count("vocab_size")?;
    Ok((model, keys.unknown(&[HARMLESS, harmless])))
}

/// A model from what a folder of Hugging Face holds.
///
/// - `others`: names of tensors whose numbers are no weights, such as masks
///
/// # Errors
/// When the model is of another kind, or computes what models do not compute here; when a tensor is missing or of another shape.
pub fn import(
    config: &Value,
    tensors: BTreeMap<String, NamedTensor>,
    others: BTreeSet<String>,
) -> Result<Imported, String> {
    let object = config.as_object().ok_or("config.json is no object")?;
    let of_config = |message: String| format!("config.json: {message}");
    let (mut model, unknown) = described(object).map_err(of_config)?;
    let mut notes = Vec::new();
    if !unknown.is_empty() {
        let kind = &config["model_type"];
        notes.push(format!("config.json has keys that no model of the kind {kind} reads: {}", listed(&unknown)));
    }
    let (table, prefix): (_, _) = match model.family {
        Some(Family::Llama) => (llama::TABLE, llama::PREFIX),
        Some(Family::Gpt1) => (gpt1::TABLE, gpt::PREFIX),
        _ => (gpt2::TABLE, gpt::PREFIX),
    };
    let mut tensors = Tensors::new(tensors, others, prefix);
    if model.tie_embeddings == Some(true) {
        notes.extend(one_head(&mut model, &mut tensors, table));
    }
    let architecture = model.architecture().map_err(of_config)?;
    let vocab_size = tensors.get(table).and_then(|table| table.shape.first().copied()).unwrap_or(0);
    if let Some(said) = config["vocab_size"].as_u64()
        && said != vocab_size as u64
        && vocab_size > 0
    {
        return Err(of_config(format!("`vocab_size` is {said}, and `{table}` has {vocab_size} rows")));
    }
    let named = tensors.read(mappings(&architecture, vocab_size))?;
    let is_buffer = if architecture.family == Family::Llama { llama::is_buffer } else { gpt::is_buffer };
    let left = tensors.left(is_buffer);
    if !left.is_empty() {
        notes.push(format!("tensors that are not of the model are left out: {}", listed(&left)));
    }
    Ok(Imported { config: model, named, notes })
}

/// Sees to the head of a model whose configuration says that it is the table: a file may have one nevertheless, or one alone.
///
/// Source: `tie_weights` of transformers 5.24.0, which does not tie what differs, and takes the one that is there for both.
fn one_head(model: &mut ModelConfig, tensors: &mut Tensors, table: &str) -> Option<String> {
    let head = tensors.get(HEAD)?;
    let Some(rows) = tensors.get(table) else {
        let head = tensors.take(HEAD)?;
        tensors.put(table, head);
        return Some(format!("`{table}` is missing, and `tie_word_embeddings` is true: `{HEAD}` is taken for both"));
    };
    let is_same =
        head.shape == rows.shape && head.values.iter().zip(&rows.values).all(|(x, y)| x.to_bits() == y.to_bits());
    if is_same {
        tensors.take(HEAD);
        return None;
    }
    model.tie_embeddings = Some(false);
    Some(format!(
        "`tie_word_embeddings` is true, and `{HEAD}` has other numbers than `{table}`: both are kept, untied, as transformers 5 does"
    ))
}

/// Some names, in words.
fn listed(names: &[impl AsRef<str>]) -> String {
    const SHOWN: usize = 12;
    let shown: Vec<String> = names.iter().take(SHOWN).map(|name| format!("`{}`", name.as_ref())).collect();
    match names.len().saturating_sub(SHOWN) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;
    use crate::{model::named_parameters, tensor::RopeScaling};

    const SPECIAL: SpecialTokens<'static> = SpecialTokens { bos: 10, eos: &[10] };

    fn architecture(family: Family) -> Architecture {
        let llama = family == Family::Llama;
        let config = ModelConfig {
            family: Some(family),
            num_layers: Some(2),
            num_heads: Some(4),
            num_kv_heads: llama.then_some(2),
            hidden_size: Some(8),
            context_length: Some(6),
            norm_eps: Some(1e-6),
            rope_scaling: llama.then_some(RopeScaling::Llama3 {
                factor: 8.0,
                low_freq_factor: 1.0,
                high_freq_factor: 4.0,
                original_context_length: 4,
            }),
            ..ModelConfig::default()
        };
        config.architecture().expect("the numbers fit together")
    }

    fn by_name(tensors: Vec<NamedTensor>) -> BTreeMap<String, NamedTensor> {
        tensors.into_iter().map(|named| (named.name.clone(), named)).collect()
    }

    /// A model of a family as a folder has it.
    fn exported(family: Family) -> (Value, BTreeMap<String, NamedTensor>) {
        let model = named_parameters(&architecture(family).init(11, 1, &Device::flex()));
        let (config, tensors) = export(&architecture(family), &model, SPECIAL).expect("the family has a counterpart");
        (config, by_name(tensors))
    }

    #[test]
    fn what_is_exported_is_imported() {
        for family in [Family::Gpt1, Family::Gpt2, Family::Llama] {
            let before = named_parameters(&architecture(family).init(11, 1, &Device::flex()));
            let (config, tensors) = exported(family);
            let mut after = import(&config, tensors, BTreeSet::new()).expect("all tensors are there");
            assert_eq!(after.config.architecture(), Ok(architecture(family)));
            after.named.sort_by_key(|named| before.iter().position(|before| before.name == named.name));
            assert_eq!(after.named, before, "{family:?}");
            assert_eq!(after.notes, [""; 0]);
        }
    }

    /// A sliding window as long as the context is none; a shorter one has no counterpart.
    #[test]
    fn only_a_gpt3_without_short_windows_is_exported() {
        let long = Architecture { sliding_window: Some(6), ..architecture(Family::Gpt3) };
        let model = named_parameters(&long.init(11, 1, &Device::flex()));
        let (config, _) = export(&long, &model, SPECIAL).expect("it computes what GPT-2 computes");
        assert_eq!(config["model_type"], "gpt2");
        let fault =
            export(&Architecture { sliding_window: Some(5), ..long }, &model, SPECIAL).expect_err("it does not");
        assert!(fault.contains("`sliding_window` of 5"), "{fault}");
    }

    /// Every family: a key that is missing is what the format's own classes have for it.
    #[test]
    fn a_missing_key_is_what_the_format_has() {
        let of = |config: Value| {
            let object = config.as_object().expect("an object").clone();
            described(&object).and_then(|(model, _)| model.architecture()).expect("the defaults fit together")
        };
        let llama = of(json!({"model_type": "llama"}));
        assert_eq!((llama.num_layers, llama.num_heads, llama.num_kv_heads), (32, 32, 32));
        assert_eq!((llama.hidden_size, llama.intermediate_size, llama.context_length), (4096, 11008, 2048));
        assert_eq!((llama.norm_eps, llama.rope_theta, llama.tie_embeddings), (1e-6, 10_000.0, false));
        let gpt2 = of(json!({"model_type": "gpt2", "n_inner": null}));
        assert_eq!((gpt2.num_layers, gpt2.num_heads), (12, 12));
        assert_eq!((gpt2.hidden_size, gpt2.intermediate_size, gpt2.context_length), (768, 3072, 1024));
        assert_eq!((gpt2.norm_eps, gpt2.tie_embeddings), (1e-5, true));
        assert_eq!(of(json!({"model_type": "openai-gpt"})).context_length, 512);
        assert_eq!(of(json!({"model_type": "gpt2", "hidden_size": 96, "num_attention_heads": 3})).hidden_size, 96);
    }

    #[test]
    fn what_cannot_be_computed_is_refused() {
        let fault =
            |config: Value| described(config.as_object().expect("an object")).expect_err("it cannot be computed");
        assert_eq!(
            fault(json!({"model_type": "mamba"})),
            "models of the kind `mamba` cannot be read; `gpt2`, `openai-gpt` and `llama` can"
        );
        for (config, expected) in [
            (
                json!({"model_type": "gpt2", "activation_function": "relu"}),
                "`activation_function` is \"relu\"; only \"gelu_new\"",
            ),
            (json!({"model_type": "gpt2", "n_layer": "two"}), "`n_layer` is \"two\", and no whole number"),
            (json!({"model_type": "gpt2", "n_embd": 8, "hidden_size": 9}), "`n_embd` is 8 and `hidden_size` is 9"),
            (json!({"model_type": "gpt2", "add_cross_attention": true}), "`add_cross_attention` is true"),
            (
                json!({"model_type": "gpt2", "scale_attn_by_inverse_layer_idx": true}),
                "`scale_attn_by_inverse_layer_idx`",
            ),
            (json!({"model_type": "llama", "attention_bias": true}), "`attention_bias` is true"),
            (
                json!({"model_type": "llama", "quantization_config": {"bits": 4}}),
                "`quantization_config` is {\"bits\":4}",
            ),
            (json!({"model_type": "llama", "head_dim": 64}), "`head_dim` is 64"),
            (json!({"model_type": "llama", "rope_scaling": {"type": "dynamic", "factor": 2.0}}), "`dynamic`"),
            (json!({"model_type": "llama", "rope_parameters": {"rope_type": "yarn", "factor": 2.0}}), "`yarn`"),
            (
                json!({"model_type": "llama", "rope_parameters": {"mrope_section": [1]}}),
                "`mrope_section` in `rope_parameters`",
            ),
            (json!({"model_type": "llama", "rope_scaling": {"type": "linear"}}), "`rope_scaling` has no `factor`"),
            (json!({"model_type": "llama", "partial_rotary_factor": 0.5}), "`partial_rotary_factor` is 0.5"),
        ] {
            let fault = fault(config.clone());
            assert!(fault.contains(expected), "{config}: {fault}");
        }
    }

    /// The two objects and the two bases that a configuration may have, in the order in which transformers 5 takes them.
    #[test]
    fn rotary_positions_are_those_that_transformers_takes() {
        let rotary = |more: Value| {
            let mut config = json!({"model_type": "llama", "max_position_embeddings": 64});
            more.as_object().expect("an object").iter().for_each(|(name, value)| config[name] = value.clone());
            let (model, _) = described(config.as_object().expect("an object")).expect("it can be computed");
            (model.rope_theta.expect("there is a base"), model.rope_scaling)
        };
        let linear = |factor| Some(RopeScaling::Linear { factor });
        assert_eq!(rotary(json!({"rope_theta": 5e5})), (5e5, None));
        assert_eq!(rotary(json!({"rope_parameters": {"rope_type": "default", "rope_theta": 5e5}})), (5e5, None));
        assert_eq!(rotary(json!({"rope_theta": 5e5, "rope_parameters": {"rope_theta": 1e4}})), (1e4, None));
        assert_eq!(
            rotary(json!({"rope_theta": 5e5, "rope_scaling": {"type": "linear", "factor": 2}})),
            (5e5, linear(2.0))
        );
        let both =
            json!({"rope_scaling": {"rope_type": "linear", "factor": 2.0}, "rope_parameters": {"rope_theta": 7.0}});
        assert_eq!(rotary(both), (1e4, linear(2.0)));
        let three = json!({"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0});
        let stretched = |original_context_length| {
            Some(RopeScaling::Llama3 {
                factor: 8.0,
                low_freq_factor: 1.0,
                high_freq_factor: 4.0,
                original_context_length,
            })
        };
        assert_eq!(rotary(json!({"rope_scaling": three})), (1e4, stretched(64)));
        assert_eq!(
            rotary(json!({"rope_scaling": three, "original_max_position_embeddings": 32})),
            (1e4, stretched(32))
        );
    }

    /// A head that the configuration denies is kept where it differs, and is the table where it does not or stands alone.
    #[test]
    fn a_second_head_is_kept_where_it_differs() {
        let (mut config, tensors) = exported(Family::Llama);
        config["tie_word_embeddings"] = true.into();
        let with = import(&config, tensors.clone(), BTreeSet::new()).expect("it can be read");
        assert_eq!(with.config.tie_embeddings, Some(false));
        assert!(
            with.notes.len() == 1 && with.notes[0].contains("`lm_head.weight` has other numbers"),
            "{:?}",
            with.notes
        );

        let mut same = tensors.clone();
        let table = same[llama::TABLE].clone();
        same.insert(HEAD.into(), NamedTensor { name: HEAD.into(), ..table });
        let read = import(&config, same.clone(), BTreeSet::new()).expect("it can be read");
        assert_eq!((read.config.tie_embeddings, read.notes.len()), (Some(true), 0));
        same.remove(llama::TABLE);
        let read = import(&config, same, BTreeSet::new()).expect("it can be read");
        assert_eq!((read.config.tie_embeddings, read.vocab_size(), read.notes.len()), (Some(true), 11, 1));
    }

    /// What is not of the model is named, whatever its numbers are; masks and frequencies are known. What is of another shape is refused.
    #[test]
    fn every_tensor_is_used_or_named() {
        let (mut config, mut tensors) = exported(Family::Gpt2);
        let more = |name: &str| NamedTensor { name: name.into(), shape: vec![1], values: vec![1.0] };
        for name in ["transformer.h.0.attn.bias", "h.1.attn.masked_bias", "score.weight"] {
            tensors.insert(name.into(), more(name));
        }
        config["sliding_window"] = 4.into();
        let read =
            import(&config, tensors.clone(), ["h.0.attn.c_attn.qweight".to_owned()].into()).expect("it can be read");
        assert_eq!(
            read.notes,
            [
                "config.json has keys that no model of the kind \"gpt2\" reads: `sliding_window`",
                "tensors that are not of the model are left out: `score.weight`, `h.0.attn.c_attn.qweight`",
            ]
        );

        let bias = tensors.remove("transformer.ln_f.bias").expect("it was exported");
        let fault = import(&config, tensors.clone(), BTreeSet::new()).expect_err("a tensor is missing");
        assert_eq!(fault, "the tensor `transformer.ln_f.bias` is missing");
        tensors.insert(bias.name.clone(), NamedTensor { shape: vec![7], values: vec![0.0; 7], ..bias });
        let fault = import(&config, tensors, BTreeSet::new()).expect_err("a tensor is too short");
        assert_eq!(fault, "`transformer.ln_f.bias` is of shape [7], and by config.json of shape [8]");
    }

    #[test]
    fn a_model_saved_without_its_head_is_read() {
        let (config, tensors) = exported(Family::Gpt2);
        let short = tensors.into_values().map(|named| {
            let name = named.name.strip_prefix("transformer.").unwrap_or(&named.name).to_owned();
            (name.clone(), NamedTensor { name, ..named })
        });
        import(&config, short.collect(), BTreeSet::new()).expect("all tensors are there");
    }
}
