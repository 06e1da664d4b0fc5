//! Adapters as PEFT has them: `adapter_config.json`, and tensors.
//!
//! ```text
//! base_model.model.MODULE.lora_A.weight   [rank, inputs]     A, transposed
//! base_model.model.MODULE.lora_B.weight   [outputs, rank]    B, transposed
//! ```
//!
//! MODULE is a layer's name at Hugging Face, such as `model.layers.0.self_attn.q_proj`. Whatever else an adapter may have there is refused by
//! its key or its tensor: other methods than LoRA, DoRA, weights that were trained whole (`modules_to_save`), biases, ranks by layer.
//!
//! Source: `LoraConfig` and `save_pretrained` of PEFT 0.21.2.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{
    keys::Keys,
    layout::{Mapping, TensorSource, Tensors, written},
};
use crate::model::{
    AdapterWeights, Adapters, Architecture, Family, Lora, NamedTensor,
    lora::{is_named, linear_layers},
};

/// What stands in front of a module's name.
const PREFIX: &str = "base_model.model.";

const A: &str = ".lora_A.weight";
const B: &str = ".lora_B.weight";

/// Keys that change nothing of what an adapter computes: where it comes from, how it is run, how its numbers were drawn.
#[rustfmt::skip]
const HARMLESS: &[&str] = &[
    "auto_mapping", "base_model_name_or_path", "revision", "inference_mode", "peft_version", "task_type", "fan_in_fan_out",
    "megatron_config", "megatron_core", "loftq_config", "eva_config", "runtime_config", "ensure_weight_tying", "qalora_group_size",
    "layers_pattern", "lora_ga_config", "velora_config",
];

/// Keys that ask for what is not computed.
const REFUSED: &[&str] = &[
    "use_dora",
    "modules_to_save",
    "rank_pattern",
    "alpha_pattern",
    "layers_to_transform",
    "layer_replication",
    "exclude_modules",
    "trainable_token_indices",
    "target_parameters",
    "lora_bias",
    "use_qalora",
    "alora_invocation_tokens",
    "arrow_config",
    "corda_config",
    "kasa_config",
    "monteclora_config",
    "use_bdlora",
];

/// An adapter of PEFT as adapters of ours.
#[derive(Debug, Clone, PartialEq)]
pub struct PeftAdapter {
    /// The adapters.
    pub weights: AdapterWeights,
    /// The model that it says to be for.
    pub base: Option<String>,
    /// What one should know.
    pub notes: Vec<String>,
}

/// The adapter that a folder of PEFT holds, for a model.
///
/// - `config`: its `adapter_config.json`
///
/// # Errors
/// When it is of another kind, or for a model of another shape: the message names the key or the tensor, with both shapes.
pub fn read_adapter(
    config: &Value,
    source: &dyn TensorSource,
    family: Family,
    architecture: &Architecture,
) -> Result<PeftAdapter, String> {
    let of_config = |message: String| format!("adapter_config.json: {message}");
    let object = config.as_object().ok_or("adapter_config.json is no object")?;
    // what PEFT has where a key is missing
    let defaults = json!({
        "r": 8, "lora_alpha": 8, "lora_dropout": 0.0, "bias": "none", "use_rslora": false, "init_lora_weights": true,
    });
    let keys = Keys::new(object, defaults);
    let (mut lora, listed) = described(&keys).map_err(of_config)?;
    let unknown = keys.unknown(&[HARMLESS]);
    let mut notes = Vec::new();
    if !unknown.is_empty() {
        notes.push(format!("adapter_config.json has keys that are not read: {}", unknown.join(", ")));
    }

    let there = modules(source)?;
    let layers = linear_layers(family, architecture);
    let known: BTreeSet<&str> =
        layers.iter().flat_map(|layer| &layer.ranges).map(|range| range.module.as_str()).collect();
    if let Some(module) = there.iter().find(|module| !known.contains(module.as_str())) {
        return Err(format!("`{PREFIX}{module}{A}` is for a layer that the model does not have"));
    }
    let is_meant = |module: &str| match &listed {
        Some(targets) => targets.iter().any(|target| is_named(module, target)),
        // a pattern, which its tensors were found by
        None => there.contains(module),
    };
    lora.targets = known.iter().filter(|module| is_meant(module)).map(|module| (*module).to_owned()).collect();
    if lora.targets.is_empty() {
        return Err("it has adapters of no linear layer of the model".into());
    }
    if let Some(module) = there.iter().find(|module| !lora.targets.contains(module)) {
        return Err(format!("`{PREFIX}{module}{A}` is for a layer that `target_modules` does not name"));
    }
    let adapters = Adapters::new(lora, family, architecture)?;

    let mut tensors = Tensors::new(source, "").described_by("adapter_config.json and the model");
    let mut read = Vec::new();
    for mapping in mappings(&adapters) {
        read.push(tensors.take(mapping)?.read(source)?);
    }
    if let Some(name) = tensors.left(|_| false).first() {
        return Err(format!("`{name}` is neither `A` nor `B` of a linear layer's adapter, and cannot be computed"));
    }
    // names are as short as they mean the same
    let mut adapters = adapters;
    if let Some(targets) = listed {
        adapters.lora.targets =
            targets.into_iter().filter(|target| known.iter().any(|name| is_named(name, target))).collect();
    }
    let base = config["base_model_name_or_path"].as_str().map(str::to_owned);
    Ok(PeftAdapter { weights: adapters.with_weights(read)?, base, notes })
}

/// The kind of adapter, still without targets; and these, where they are listed and no pattern.
fn described(keys: &Keys<'_>) -> Result<(Lora, Option<Vec<String>>), String> {
    keys.only("peft_type", &["LORA".into()])?;
    keys.only("bias", &["none".into()])?;
    REFUSED.iter().try_for_each(|key| keys.without(key))?;
    // these change the model that an adapter is for
    keys.only("init_lora_weights", &[true.into(), false.into(), "gaussian".into(), "eva".into(), "orthogonal".into()])?;
    let listed = match keys.value("target_modules") {
        Value::Array(names) => {
            let name = |name: &Value| name.as_str().map(str::to_owned).ok_or_else(|| format!("{name} is no name"));
            Some(names.iter().map(name).collect::<Result<Vec<_>, String>>()?)
        }
        _ => None,
    };
    let (rank, alpha) = (keys.count("r")?, keys.number("lora_alpha")?);
    let dropout = keys.number("lora_dropout")?;
    if rank == 0 || !(0.0..1.0).contains(&dropout) || !alpha.is_finite() {
        return Err(format!(
            "an adapter of rank {rank}, with `lora_alpha` {alpha} and `lora_dropout` {dropout}, is none"
        ));
    }
    Ok((Lora { rank, alpha, dropout, targets: Vec::new(), rslora: keys.flag("use_rslora")? }, listed))
}

/// The layers that there are tensors for.
fn modules(source: &dyn TensorSource) -> Result<BTreeSet<String>, String> {
    let names = source.shapes();
    let module = |name: &String| -> Result<String, String> {
        let part = name.strip_suffix(A).or(name.strip_suffix(B));
        let module = part.and_then(|part| part.strip_prefix(PREFIX));
        module.map(str::to_owned).ok_or_else(|| {
            format!("`{name}` is neither `A` nor `B` of a linear layer's adapter, and cannot be computed")
        })
    };
    names.keys().map(module).collect()
}

/// Where `A` and `B` of each layer stand.
fn mappings(adapters: &Adapters) -> Vec<Mapping> {
    let rank = adapters.lora.rank;
    let of_layer = |linear: &crate::model::AdaptedLinear| {
        let theirs = |what: &str, columns: &dyn Fn(usize) -> usize| {
            let ranges = linear.ranges.iter();
            ranges.map(|range| (format!("{PREFIX}{}{what}", range.module), columns(range.columns.len()))).collect()
        };
        [
            Mapping::transposed(linear.a(), linear.inputs, theirs(A, &|_| rank)),
            Mapping::transposed(linear.b(), rank, theirs(B, &|columns| columns)),
        ]
    };
    adapters.linears.iter().flat_map(of_layer).collect()
}

/// Adapters as PEFT has them: `adapter_config.json`, and tensors.
///
/// - `base`: where the model lies that they are for
///
/// # Errors
/// When the model has no counterpart at Hugging Face.
pub fn write_adapter(
    weights: &AdapterWeights,
    family: Family,
    architecture: &Architecture,
    base: &str,
) -> Result<(Value, Vec<NamedTensor>), String> {
    (family.huggingface().write)(architecture)?;
    let Adapters { lora, linears } = &weights.adapters;
    #[expect(clippy::cast_possible_truncation, reason = "it is whole and small")]
    let alpha =
        if lora.alpha.fract() == 0.0 && lora.alpha < 1e9 { json!(lora.alpha as i64) } else { json!(lora.alpha) };
    let config = json!({
        "peft_type": "LORA", "task_type": "CAUSAL_LM", "base_model_name_or_path": base, "inference_mode": true,
        "r": lora.rank, "lora_alpha": alpha, "lora_dropout": lora.dropout, "use_rslora": lora.rslora,
        "target_modules": lora.targets, "bias": "none", "init_lora_weights": true, "use_dora": false,
        "fan_in_fan_out": linears.iter().any(|linear| !linear.is_transposed),
    });
    let named: Vec<NamedTensor> = weights.tensors().cloned().collect();
    Ok((config, written(mappings(&weights.adapters), &named)?))
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;
    use crate::model::{
        HeldTensor, LoraConfig, Targets,
        huggingface::examples::{self, Folder},
        saved_parameters,
    };

    /// A model's adapters, whose numbers are all different.
    fn adapters(family: Family) -> (Architecture, AdapterWeights) {
        let architecture = examples::config(family).architecture().expect("the numbers fit together");
        let config =
            LoraConfig { rank: Some(3), alpha: Some(5.5), targets: Some(Targets::AllLinear), ..LoraConfig::default() };
        let adapters = config.adapters(family, &architecture).expect("the layers are there");
        let model = architecture.init(11, 1, &Device::flex()).with_adapters(&adapters, 1);
        let mut tensors: Vec<_> = saved_parameters(&model).iter().map(HeldTensor::read).collect();
        let numbers = tensors.iter_mut().flat_map(|named| &mut named.values);
        numbers.enumerate().for_each(|(place, number)| *number = place as f32 / 64.0);
        (architecture, adapters.with_weights(tensors).expect("they are the model's"))
    }

    fn written(family: Family) -> (Architecture, AdapterWeights, Value, Folder) {
        let (architecture, weights) = adapters(family);
        let (config, tensors) = write_adapter(&weights, family, &architecture, "base").expect("it has a counterpart");
        (architecture, weights, config, Folder::of(tensors))
    }

    #[test]
    fn what_is_written_is_read() {
        for (family, modules) in [(Family::Gpt1, 4), (Family::Gpt2, 4), (Family::Llama, 7), (Family::Qwen2, 7)] {
            let (architecture, weights, config, folder) = written(family);
            assert_eq!(folder.weights.len(), 2 * 2 * modules, "{family:?}");
            assert_eq!(config["fan_in_fan_out"], matches!(family, Family::Gpt1 | Family::Gpt2), "{family:?}");
            let read = read_adapter(&config, &folder, family, &architecture).expect("it was written");
            assert_eq!((read.weights, read.base.as_deref()), (weights, Some("base")), "{family:?}");
            assert_eq!(read.notes, [""; 0]);
        }
        let (.., folder) = written(Family::Llama);
        let a = &folder.weights["base_model.model.model.layers.1.self_attn.v_proj.lora_A.weight"];
        let b = &folder.weights["base_model.model.model.layers.1.self_attn.v_proj.lora_B.weight"];
        assert_eq!((&a.shape[..], &b.shape[..]), (&[3, 8][..], &[4, 3][..]));
    }

    /// A pattern names what there are tensors for.
    #[test]
    fn a_pattern_is_known_by_its_tensors() {
        let (architecture, weights, mut config, mut folder) = written(Family::Llama);
        config["target_modules"] = r".*\.0\.self_attn\.[qk]_proj".into();
        folder.weights.retain(|name, _| name.contains("layers.0.self_attn.q") || name.contains("layers.0.self_attn.k"));
        let read = read_adapter(&config, &folder, Family::Llama, &architecture).expect("it is one").weights;
        assert_eq!(read.adapters.linears.len(), 1);
        let of = |weights: &AdapterWeights, name: &str| {
            weights.tensors().find(|named| named.name == name).expect("it is there").values.clone()
        };
        let (part, whole) =
            (of(&read, "blocks.0.attention.input.lora.b"), of(&weights, "blocks.0.attention.input.lora.b"));
        assert_eq!((part[..12].to_vec(), part.len()), (whole[..12].to_vec(), 3 * 12));
    }

    #[test]
    fn what_is_not_computed_is_named() {
        let (architecture, _, config, folder) = written(Family::Llama);
        let fault = |change: &dyn Fn(&mut Value, &mut Folder)| {
            let (mut config, mut folder) = (config.clone(), folder.clone());
            change(&mut config, &mut folder);
            read_adapter(&config, &folder, Family::Llama, &architecture).expect_err("it is none that is computed")
        };
        let name = "base_model.model.model.layers.1.mlp.up_proj.lora_A.weight";
        let set =
            |key: &'static str, value: Value| move |config: &mut Value, _: &mut Folder| config[key] = value.clone();
        let faults: Vec<(String, String)> = vec![
            (fault(&set("peft_type", "IA3".into())), "`peft_type` is \"IA3\"; only \"LORA\" can be computed".into()),
            (fault(&set("use_dora", true.into())), "`use_dora` is true, which cannot be computed".into()),
            (fault(&set("modules_to_save", json!(["lm_head"]))), "`modules_to_save` is [\"lm_head\"], which".into()),
            (fault(&set("init_lora_weights", "pissa".into())), "`init_lora_weights` is \"pissa\"; only".into()),
            (
                fault(&set("r", 4.into())),
                "is of shape [3, 8], and by adapter_config.json and the model of shape [4, 8]".into(),
            ),
            (fault(&|_, folder| drop(folder.weights.remove(name))), format!("the tensor `{name}` is missing")),
            (
                fault(&|_, folder| {
                    let tensor = folder.weights.remove(name).expect("it was written");
                    let other = name.replace("layers.1", "layers.7");
                    folder.weights.insert(other.clone(), NamedTensor { name: other, ..tensor });
                }),
                format!("`{}` is for a layer that the model does not have", name.replace("layers.1", "layers.7")),
            ),
            (
                fault(&|_, folder| {
                    let other = "base_model.model.model.layers.0.mlp.up_proj.lora_magnitude_vector.weight";
                    let tensor = NamedTensor { name: other.into(), shape: vec![1], values: vec![0.0] };
                    folder.weights.insert(other.into(), tensor);
                }),
                "lora_magnitude_vector.weight` is neither `A` nor `B`".into(),
            ),
            (
                fault(&set("target_modules", json!(["q_proj"]))),
                "is for a layer that `target_modules` does not name".into(),
            ),
        ];
        for (fault, expected) in faults {
            assert!(fault.contains(&expected), "{fault}: not {expected}");
        }
    }
}
