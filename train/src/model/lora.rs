//! LoRA: which linear layers of a decoder have low-rank adapters, and of which kind.
//!
//! ```text
//! y = x W + scale (dropout(x) A) B      A [inputs, rank], B [rank, outputs], scale = alpha / rank
//! ```
//!
//! `W` stays as it is, and `A` and `B` are trained. `B` is 0 at first, so that nothing changes yet. Targets bear the names that they have at
//! Hugging Face, of which several may be one layer here: `q_proj`, `k_proj` and `v_proj` are ranges of columns of `attention.input`.
//!
//! Useful for: tuning a model of which the optimizer's states would not fit into memory, and many tunings of one model. Not useful for: a
//! model that begins from nothing.
//!
//! Source: Hu et al. 2021; names, defaults and files are those of PEFT.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    fmt,
    ops::Range,
    path::PathBuf,
};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, de};

use super::{
    adapter_names, architecture::Architecture, family::Family, huggingface::layout::Mapping, parameters::NamedTensor,
};
use crate::tensor::merge_low_rank;

/// LoRA as it is written. Defaults are PEFT's, or those of the adapter in `from`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LoraConfig {
    /// A folder with an adapter of PEFT to go on from (`adapter_config.json`, `adapter_model.safetensors`). Of the other keys, `dropout` may
    /// differ from its own. [default: from nothing]
    pub from: Option<PathBuf>,
    /// The rank of each adapter, 1 or more. [default: 8]
    pub rank: Option<usize>,
    /// Updates are multiplied by this over the rank. [default: 8]
    pub alpha: Option<f64>,
    /// The dropout rate of what adapters are given, while training. [default: 0]
    pub dropout: Option<f64>,
    /// Linear layers by their names at Hugging Face, such as `["q_proj", "v_proj"]`, or `"all-linear"` for all but the head. [default: PEFT's
    /// for the family: `q_proj` and `v_proj`, or `c_attn` of the GPTs]
    pub targets: Option<Targets>,
    /// Updates are multiplied by `alpha` over the root of the rank (Kalajdzievski 2023). [default: false]
    pub rslora: Option<bool>,
}

/// Which linear layers are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Targets {
    /// All but the head.
    AllLinear,
    /// Those of these names.
    Named(Vec<String>),
}

/// PEFT's word for all linear layers but the head.
const ALL_LINEAR: &str = "all-linear";

impl<'de> Deserialize<'de> for Targets {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Written;
        impl<'de> de::Visitor<'de> for Written {
            type Value = Targets;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(formatter, "a list of names of linear layers, or {ALL_LINEAR:?}")
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<Targets, E> {
                if name == ALL_LINEAR {
                    return Ok(Targets::AllLinear);
                }
                Err(E::invalid_value(de::Unexpected::Str(name), &self))
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, mut names: A) -> Result<Targets, A::Error> {
                let mut named = Vec::new();
                while let Some(name) = names.next_element()? {
                    named.push(name);
                }
                Ok(Targets::Named(named))
            }
        }
        deserializer.deserialize_any(Written)
    }
}

impl JsonSchema for Targets {
    fn schema_name() -> Cow<'static, str> {
        "Targets".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"anyOf": [{"enum": [ALL_LINEAR]}, {"type": "array", "items": {"type": "string"}}]})
    }
}

/// LoRA, checked: every number is there, and every target is a layer of the model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lora {
    /// The rank of each adapter.
    pub rank: usize,
    /// Updates are multiplied by this over the rank.
    pub alpha: f64,
    /// The dropout rate of what adapters are given, in `0.0..1.0`.
    pub dropout: f64,
    /// Names of linear layers at Hugging Face: the whole, or an end of it behind a dot, as PEFT compares them.
    pub targets: Vec<String>,
    /// Updates are multiplied by `alpha` over the root of the rank.
    pub rslora: bool,
}

impl Lora {
    /// What updates are multiplied by.
    #[must_use]
    pub fn scale(&self) -> f64 {
        self.alpha / if self.rslora { (self.rank as f64).sqrt() } else { self.rank as f64 }
    }
}

impl LoraConfig {
    /// The adapters that are meant, on a model.
    ///
    /// # Errors
    /// When a number means nothing, or a target is no linear layer of the model: the key, and a message.
    pub fn adapters(&self, family: Family, architecture: &Architecture) -> Result<Adapters, (&'static str, String)> {
        let rank = self.rank.unwrap_or(8);
        if rank == 0 {
            return Err(("rank", "it has to be 1 or more".into()));
        }
        let alpha = self.alpha.unwrap_or(8.0);
        if !(alpha > 0.0 && alpha.is_finite()) {
            return Err(("alpha", format!("it has to be more than 0, and is {alpha}")));
        }
        let dropout = self.dropout.unwrap_or(0.0);
        if !(0.0..1.0).contains(&dropout) {
            return Err(("dropout", format!("it has to be 0 or more and less than 1, and is {dropout}")));
        }
        let targets = match &self.targets {
            None => family.huggingface().lora_targets.iter().map(|name| (*name).to_owned()).collect(),
            Some(Targets::AllLinear) => names(&linear_layers(family, architecture)).into_iter().collect(),
            Some(Targets::Named(named)) => named.clone(),
        };
        let lora = Lora { rank, alpha, dropout, targets, rslora: self.rslora.unwrap_or(false) };
        Adapters::new(lora, family, architecture).map_err(|message| ("targets", message))
    }

    /// The kind of adapter that goes on from one that is there, with what this changes of it: the dropout.
    ///
    /// # Errors
    /// When it asks for another: the key, and a message with both values.
    pub fn going_on_from(&self, there: &Lora) -> Result<Lora, (&'static str, String)> {
        let differs = |key: &'static str, wanted: String, said: String| {
            Err((key, format!("`{key}` is {wanted}, and of the adapter that is there {said}")))
        };
        if let Some(rank) = self.rank.filter(|rank| *rank != there.rank) {
            return differs("rank", rank.to_string(), there.rank.to_string());
        }
        if let Some(alpha) = self.alpha.filter(|alpha| alpha.to_bits() != there.alpha.to_bits()) {
            return differs("alpha", alpha.to_string(), there.alpha.to_string());
        }
        if let Some(rslora) = self.rslora.filter(|rslora| *rslora != there.rslora) {
            return differs("rslora", rslora.to_string(), there.rslora.to_string());
        }
        if self.targets.is_some() {
            let message = "the adapter that is there says itself which layers it is for".to_owned();
            return Err(("targets", message));
        }
        let dropout = self.dropout.unwrap_or(there.dropout);
        if !(0.0..1.0).contains(&dropout) {
            return Err(("dropout", format!("it has to be 0 or more and less than 1, and is {dropout}")));
        }
        Ok(Lora { dropout, ..there.clone() })
    }
}

/// A linear layer, and some ranges of its columns that are layers of their own elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdaptedLinear {
    /// Its name, such as `blocks.0.attention.input`.
    pub name: String,
    /// Its inputs.
    pub inputs: usize,
    /// The ranges, in their order.
    pub ranges: Vec<AdaptedRange>,
    /// Whether its weight is transposed elsewhere: it is no `Conv1D`.
    pub is_transposed: bool,
}

/// A range of columns that is a layer of its own elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdaptedRange {
    /// Its name at Hugging Face, such as `model.layers.0.self_attn.q_proj`.
    pub module: String,
    /// The columns.
    pub columns: Range<usize>,
}

impl AdaptedLinear {
    /// The name of `A` of all ranges, side by side: `[inputs, ranges * rank]`.
    #[must_use]
    pub fn a(&self) -> String {
        adapter_names::a(&self.name)
    }

    /// The name of `B` of all ranges, side by side: `[rank, columns of all ranges]`.
    #[must_use]
    pub fn b(&self) -> String {
        adapter_names::b(&self.name)
    }

    /// Columns of all ranges.
    #[must_use]
    pub fn columns(&self) -> usize {
        self.ranges.iter().map(|range| range.columns.len()).sum()
    }
}

/// The adapters of a model: their kind, and where they are.
#[derive(Debug, Clone, PartialEq)]
pub struct Adapters {
    /// Their kind.
    pub lora: Lora,
    /// The layers that have some, in the model's order.
    pub linears: Vec<AdaptedLinear>,
}

impl Adapters {
    /// Adapters of a kind on a model.
    ///
    /// # Errors
    /// When a target is no linear layer of the model: the message names those that are; when it is no decoder.
    pub fn new(lora: Lora, family: Family, architecture: &Architecture) -> Result<Self, String> {
        if architecture.has_encoder() {
            return Err("adapters are for decoders, and this model has an encoder, too".into());
        }
        let layers = linear_layers(family, architecture);
        let modules = || layers.iter().flat_map(|layer| &layer.ranges).map(|range| range.module.as_str());
        if let Some(unknown) = lora.targets.iter().find(|target| !modules().any(|module| is_named(module, target))) {
            let there = names(&layers).into_iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
            return Err(format!("the model has no linear layer `{unknown}`; it has {there}, and \"{ALL_LINEAR}\""));
        }
        if lora.targets.is_empty() {
            return Err("it names no linear layer".into());
        }
        let is_target = |range: &AdaptedRange| lora.targets.iter().any(|target| is_named(&range.module, target));
        let linears = layers
            .into_iter()
            .map(|layer| AdaptedLinear { ranges: layer.ranges.into_iter().filter(is_target).collect(), ..layer })
            .filter(|layer| !layer.ranges.is_empty())
            .collect();
        Ok(Self { lora, linears })
    }

    /// Numbers in them.
    #[must_use]
    pub fn parameters(&self) -> usize {
        let rank = self.lora.rank;
        self.linears.iter().map(|linear| rank * (linear.inputs * linear.ranges.len() + linear.columns())).sum()
    }

    /// The same with numbers.
    ///
    /// # Errors
    /// When one is missing, of another shape, or of none of them: the message names it, with both shapes.
    pub fn with_weights(self, tensors: Vec<NamedTensor>) -> Result<AdapterWeights, String> {
        let mut tensors: BTreeMap<String, NamedTensor> =
            tensors.into_iter().map(|named| (named.name.clone(), named)).collect();
        let mut taken = BTreeMap::new();
        for linear in &self.linears {
            let (rank, ranges) = (self.lora.rank, linear.ranges.len());
            let shapes = [(linear.a(), [linear.inputs, ranges * rank]), (linear.b(), [rank, linear.columns()])];
            for (name, shape) in shapes {
                let named = tensors.remove(&name).ok_or_else(|| format!("the tensor `{name}` is missing"))?;
                if named.shape != shape {
                    return Err(format!("`{name}` is of shape {:?}, and should be of shape {shape:?}", named.shape));
                }
                taken.insert(name, named);
            }
        }
        match tensors.into_keys().next() {
            Some(name) => Err(format!("`{name}` is of none of its adapters")),
            None => Ok(AdapterWeights { adapters: self, tensors: taken }),
        }
    }
}

/// Adapters with their numbers, apart from the model.
#[derive(Debug, Clone, PartialEq)]
pub struct AdapterWeights {
    /// Their kind and places.
    pub adapters: Adapters,
    /// `A` and `B` of each layer by their names.
    tensors: BTreeMap<String, NamedTensor>,
}

impl AdapterWeights {
    /// `A` and `B` of all layers.
    pub fn tensors(&self) -> impl Iterator<Item = &NamedTensor> {
        self.tensors.values()
    }

    /// A parameter of the model with its adapters merged into it, if it has some.
    #[must_use]
    pub fn merged(&self, mut parameter: NamedTensor) -> NamedTensor {
        let of_layer = |linear: &&AdaptedLinear| parameter.name.strip_suffix(".weight") == Some(&linear.name);
        let Some(linear) = self.adapters.linears.iter().find(of_layer) else { return parameter };
        let outputs = *parameter.shape.last().expect("a weight has columns");
        let ranges: Vec<Range<usize>> = linear.ranges.iter().map(|range| range.columns.clone()).collect();
        let [a, b] = [linear.a(), linear.b()].map(|name| self.tensors[&name].values.as_slice());
        #[expect(clippy::cast_possible_truncation, reason = "weights are single precision")]
        let scale = self.adapters.lora.scale() as f32;
        merge_low_rank(&mut parameter.values, outputs, [a, b], &ranges, scale);
        parameter
    }
}

/// All linear layers of a family's model but the head, with their ranges.
pub(super) fn linear_layers(family: Family, architecture: &Architecture) -> Vec<AdaptedLinear> {
    let mappings = (family.huggingface().mappings)(architecture, 1);
    let layer = |mapping: &Mapping| {
        let (name, inputs) = mapping.linear()?;
        let mut from = 0;
        let range = |(tensor, columns): &(String, usize)| {
            let columns = from..from + columns;
            from = columns.end;
            let module = tensor.strip_suffix(".weight").unwrap_or(tensor).to_owned();
            AdaptedRange { module, columns }
        };
        let ranges = mapping.theirs.iter().map(range).collect();
        Some(AdaptedLinear { name: name.to_owned(), inputs, ranges, is_transposed: mapping.is_transposed() })
    };
    mappings.iter().filter_map(layer).collect()
}

/// The names of layers, without their blocks.
fn names(layers: &[AdaptedLinear]) -> BTreeSet<String> {
    let modules = layers.iter().flat_map(|layer| &layer.ranges).map(|range| range.module.as_str());
    modules.map(|module| module.rsplit('.').next().unwrap_or(module).to_owned()).collect()
}

/// Whether a target means a layer: by its whole name, or an end of it behind a dot.
///
/// Source: `check_target_module_exists` of PEFT.
pub(super) fn is_named(module: &str, target: &str) -> bool {
    module.strip_suffix(target).is_some_and(|before| before.is_empty() || before.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ModelConfig;

    fn architecture(family: Family) -> Architecture {
        let config = ModelConfig {
            family: Some(family),
            num_layers: Some(2),
            num_heads: Some(4),
            num_kv_heads: (family == Family::Llama).then_some(2),
            hidden_size: Some(8),
            intermediate_size: Some(12),
            context_length: Some(6),
            ..ModelConfig::default()
        };
        config.architecture().expect("the numbers fit together")
    }

    fn places(family: Family, targets: Option<Targets>) -> Vec<(String, Vec<Range<usize>>)> {
        let config = LoraConfig { targets, ..LoraConfig::default() };
        let adapters = config.adapters(family, &architecture(family)).expect("the targets are there");
        let ranges = |linear: AdaptedLinear| linear.ranges.into_iter().map(|range| range.columns).collect();
        adapters.linears.into_iter().map(|linear| (linear.name.clone(), ranges(linear))).collect()
    }

    /// Names elsewhere are ranges of columns here; a name means all layers that end with it behind a dot.
    #[test]
    fn targets_are_ranges_of_columns() {
        let named = |names: &[&str]| Some(Targets::Named(names.iter().map(|name| (*name).to_owned()).collect()));
        let input = |layer: u8| format!("blocks.{layer}.attention.input");
        assert_eq!(places(Family::Llama, None), [0, 1].map(|layer| (input(layer), vec![0..8, 12..16])));
        assert_eq!(places(Family::Gpt2, None), [0, 1].map(|layer| (input(layer), vec![Range { start: 0, end: 24 }])));
        let one = places(Family::Llama, named(&["model.layers.1.self_attn.k_proj", "up_proj"]));
        let up = |layer: u8| (format!("blocks.{layer}.feed_forward.up"), vec![Range { start: 12, end: 24 }]);
        assert_eq!(one, [up(0), (input(1), vec![Range { start: 8, end: 12 }]), up(1)]);
        // both of a block are called so
        assert_eq!(places(Family::Gpt2, named(&["c_proj"])).len(), 4);
        assert_eq!(places(Family::Gpt2, named(&["mlp.c_proj"])).len(), 2);
        assert_eq!(places(Family::Llama, Some(Targets::AllLinear)).len(), 8);
    }

    #[test]
    fn what_means_nothing_is_said() {
        let fault = |config: LoraConfig| config.adapters(Family::Llama, &architecture(Family::Llama)).err();
        let named = |names: &[&str]| Some(Targets::Named(names.iter().map(|name| (*name).to_owned()).collect()));
        for (config, key, expected) in [
            (LoraConfig { rank: Some(0), ..LoraConfig::default() }, "rank", "it has to be 1 or more"),
            (LoraConfig { alpha: Some(-1.0), ..LoraConfig::default() }, "alpha", "it has to be more than 0, and is -1"),
            (
                LoraConfig { dropout: Some(1.0), ..LoraConfig::default() },
                "dropout",
                "it has to be 0 or more and less than 1, and is 1",
            ),
            (LoraConfig { targets: named(&[]), ..LoraConfig::default() }, "targets", "it names no linear layer"),
            (
                // an end of a name, and not behind a dot
                LoraConfig { targets: named(&["proj"]), ..LoraConfig::default() },
                "targets",
                "the model has no linear layer `proj`; it has `down_proj`, `gate_proj`, `k_proj`, `o_proj`, `q_proj`, `up_proj`, `v_proj`, \
                 and \"all-linear\"",
            ),
        ] {
            assert_eq!(fault(config), Some((key, expected.to_owned())));
        }
        let there = Lora { rank: 4, alpha: 16.0, dropout: 0.1, targets: vec!["q_proj".into()], rslora: false };
        let other = LoraConfig { rank: Some(8), ..LoraConfig::default() };
        let expected = ("rank", "`rank` is 8, and of the adapter that is there 4".to_owned());
        assert_eq!(other.going_on_from(&there), Err(expected));
        let same = LoraConfig { rank: Some(4), dropout: Some(0.0), ..LoraConfig::default() };
        assert_eq!(same.going_on_from(&there), Ok(Lora { dropout: 0.0, ..there }));
    }
}
