//! A model's configuration as it is written, and how it becomes an architecture.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    architecture::{Architecture, Biases, Positions, ROPE_THETA, SlidingWindow},
    family::{Family, Preset},
    which::Which,
};
use crate::tensor::RopeScaling;

/// A model as it is written: one that is there, a preset, numbers of one's own, or one of the former with some numbers changed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ModelConfig {
    /// A folder with a model to go on from: the output folder of a training, or one of Hugging Face. Of the other keys, `dropout`,
    /// `context_length`, `rope_theta` and `rope_scaling` may differ from its own. [default: from nothing, with initial weights]
    #[serde(skip_serializing)]
    pub from: Option<PathBuf>,
    /// Which checkpoint of the training in `from`: `"last"`, `"best"`, or the number of a step. [default: last]
    #[serde(skip_serializing)]
    pub checkpoint: Option<Which>,
    /// A folder with an adapter of PEFT for the model in `from`, which is merged into it. [default: none]
    #[serde(skip_serializing)]
    pub adapter: Option<PathBuf>,
    /// A published model, such as `gpt2` or `gpt3-small`; the other keys override it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preset: Option<String>,
    /// How blocks are built. [default: gpt2]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub family: Option<Family>,
    /// Transformer blocks, 1 or more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub num_layers: Option<usize>,
    /// Attention heads of each block; they divide the hidden size, unless `head_dim` is written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub num_heads: Option<usize>,
    /// Key and value heads; they divide `num_heads` (grouped-query attention). [default: `num_heads`]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub num_kv_heads: Option<usize>,
    /// The size of a head. [default: the hidden size divided by `num_heads`, which then divides it]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub head_dim: Option<usize>,
    /// The width of the residual stream.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hidden_size: Option<usize>,
    /// The width of the feed-forward layers. [default: 4 times the hidden size; with a gate 8/3 of it, up to the next multiple of 32]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub intermediate_size: Option<usize>,
    /// The longest sequence that the model reads, in tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context_length: Option<usize>,
    /// How many tokens every other block of `gpt3` attends to, itself among them. [default: an eighth of the context length]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sliding_window: Option<usize>,
    /// The dropout rate while training. [default: 0]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dropout: Option<f32>,
    /// Whether the output head is the token embedding. [default: the family's; true for the GPTs]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tie_embeddings: Option<bool>,
    /// Whether linear layers of attention have biases. [default: the family's; of `qwen2`, those to queries, keys and values alone]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attention_bias: Option<bool>,
    /// Whether feed-forward layers have biases. [default: the family's]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mlp_bias: Option<bool>,
    /// The base of the rotary angles. [default: 10000]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rope_theta: Option<f64>,
    /// How the rotary angles are scaled to a context that is longer than the original one. [default: not]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rope_scaling: Option<RopeScaling>,
    /// Added to the variance in norms. [default: 1e-5; 1e-6 for T5]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub norm_eps: Option<f64>,
}

/// What may differ from the model that one goes on from.
const CHANGEABLE: [&str; 4] = ["dropout", "context_length", "rope_theta", "rope_scaling"];

impl ModelConfig {
    /// The family that is meant.
    ///
    /// # Errors
    /// When there is no such preset.
    pub fn family(&self) -> Result<Family, String> {
        Ok(self.family_and_preset()?.0)
    }

    /// The family, and the published model whose numbers stand where none are written.
    fn family_and_preset(&self) -> Result<(Family, Option<&'static Preset>), String> {
        let Some(name) = &self.preset else { return Ok((self.family.unwrap_or_default(), None)) };
        match Family::presets().find(|(_, preset)| preset.name == name) {
            Some((family, preset)) => Ok((self.family.unwrap_or(family), Some(preset))),
            None => {
                let names: Vec<&str> = Family::presets().map(|(_, preset)| preset.name).collect();
                Err(format!("there is no preset `{name}`; there are {}", names.join(", ")))
            }
        }
    }

    /// The architecture that is meant: the family's parts, with the numbers of this configuration, of its preset, or the usual ones.
    ///
    /// # Errors
    /// When a number is missing, or numbers do not fit together: which, in words.
    pub fn architecture(&self) -> Result<Architecture, String> {
        let (family, preset) = self.family_and_preset()?;
        let parts = family.parts();
        let number = |name: &str, written: Option<usize>, usual: Option<usize>| match written.or(usual) {
            None => Err(format!("`{name}` is missing: set it, or choose a preset")),
            Some(0) => Err(format!("`{name}` is 1 or more")),
            Some(number) => Ok(number),
        };
        let num_layers = number("num_layers", self.num_layers, preset.map(|preset| preset.num_layers))?;
        let num_heads = number("num_heads", self.num_heads, preset.map(|preset| preset.num_heads))?;
        let hidden_size = number("hidden_size", self.hidden_size, preset.map(|preset| preset.hidden_size))?;
        let context_length = number("context_length", self.context_length, preset.map(|preset| preset.context_length))?;
        let num_kv_heads = number("num_kv_heads", self.num_kv_heads, Some(num_heads))?;
        let head_dim = self.head_dim.or(preset.and_then(|preset| preset.head_dim));
        let usual = preset.and_then(|preset| preset.intermediate_size).filter(|_| self.hidden_size.is_none());
        let usual = usual.unwrap_or_else(|| parts.feed_forward.usual_intermediate_size(hidden_size));
        let intermediate_size = number("intermediate_size", self.intermediate_size, Some(usual))?;
        // a window of 0 is none
        let tokens = Some(self.sliding_window.unwrap_or((context_length / 8).max(1))).filter(|tokens| *tokens > 0);
        let sliding_window = parts.window_every.zip(tokens).map(|(every, tokens)| SlidingWindow { tokens, every });
        if head_dim.is_none() && !hidden_size.is_multiple_of(num_heads) {
            return Err(format!(
                "`num_heads` is {num_heads}, which does not divide the `hidden_size` of {hidden_size}"
            ));
        }
        if !num_heads.is_multiple_of(num_kv_heads) {
            return Err(format!(
                "`num_kv_heads` is {num_kv_heads}, which does not divide the `num_heads` of {num_heads}"
            ));
        }
        let head_dim = number("head_dim", head_dim, Some(hidden_size / num_heads))?;
        if matches!(parts.positions, Positions::Rotary { .. }) && !head_dim.is_multiple_of(2) {
            return Err(format!("rotary positions turn pairs of numbers, and the size of a head is {head_dim}"));
        }
        let dropout = self.dropout.unwrap_or(0.0);
        if !(0.0..1.0).contains(&dropout) {
            return Err(format!("`dropout` is 0 or more and less than 1, and not {dropout}"));
        }
        let positive = |name: &str, number: f64| match number {
            number if number > 0.0 && number.is_finite() => Ok(number),
            number => Err(format!("`{name}` is more than 0, and not {number}")),
        };
        let rope_theta = self.rope_theta.map(|theta| positive("rope_theta", theta)).transpose()?;
        let norm_eps = positive("norm_eps", self.norm_eps.unwrap_or(parts.norm_eps))?;
        if let Some(fault) = self.rope_scaling.and_then(RopeScaling::fault) {
            return Err(fault);
        }
        let positions = match parts.positions {
            Positions::Learned | Positions::Relative { .. } => parts.positions,
            Positions::Rotary { theta, .. } => {
                Positions::Rotary { theta: rope_theta.unwrap_or(theta), scaling: self.rope_scaling }
            }
        };
        Ok(Architecture {
            num_layers,
            num_heads,
            num_kv_heads,
            head_dim,
            hidden_size,
            intermediate_size,
            context_length,
            norm: parts.norm,
            norm_eps,
            norm_place: parts.norm_place,
            positions,
            feed_forward: parts.feed_forward,
            biases: self.biases(parts.biases),
            sliding_window,
            tie_embeddings: self.tie_embeddings.unwrap_or(parts.tie_embeddings),
            scale_scores: parts.scale_scores,
            scale_logits: parts.scale_logits,
            stacks: parts.stacks,
            initialization: parts.initialization,
            dropout,
            dropout_places: parts.dropout_places,
        })
    }

    /// The model that goes on from `there`, with what this configuration changes of it: how it computes, and no shape of a weight.
    ///
    /// # Errors
    /// When it asks for another model: the key, and a message with both values.
    pub fn going_on_from(&self, there: &Self) -> Result<Self, (String, String)> {
        let of_model = |message: String| ("from".to_owned(), message);
        let there = there.with_defaults().map_err(of_model)?;
        if let Some(preset) = &self.preset {
            let message = format!("`preset` is {preset:?}, and the model that is there says itself what it is");
            return Err(("preset".into(), message));
        }
        let json = |config: &Self| match serde_json::to_value(config) {
            Ok(Value::Object(keys)) => keys,
            _ => unreachable!("a configuration is an object"),
        };
        let base = json(&there);
        let mut changed = base.clone();
        for (key, wanted) in json(self) {
            // what is said and is no number that JSON has
            if wanted.is_null() {
                let message = format!("`{key}` has to be a finite number");
                return Err((key, message));
            }
            let before = changed.insert(key.clone(), wanted.clone());
            if CHANGEABLE.contains(&key.as_str()) {
                continue;
            }
            // by itself: others may be changed
            let mut alone = base.clone();
            alone.insert(key.clone(), wanted.clone());
            let with = serde_json::from_value::<Self>(alone.into()).ok();
            if with.and_then(|with| with.with_defaults().ok()).as_ref() != Some(&there) {
                let said = before.map_or_else(|| "none".into(), |value| value.to_string());
                let message = format!("`{key}` is {wanted}, and of the model that is there {said}");
                return Err((key, message));
            }
            match before {
                Some(before) => changed.insert(key, before),
                None => changed.remove(&key),
            };
        }
        serde_json::from_value(changed.into()).map_err(|error| of_model(error.to_string()))
    }

    /// Which linear layers have biases, where the family says `of_family`.
    fn biases(&self, of_family: Biases) -> Biases {
        Biases {
            attention_input: self.attention_bias.unwrap_or(of_family.attention_input),
            attention_output: self.attention_bias.unwrap_or(of_family.attention_output),
            feed_forward: self.mlp_bias.unwrap_or(of_family.feed_forward),
        }
    }

    /// The same with every number that is meant, and without the preset: two configurations of one model become equal.
    ///
    /// # Errors
    /// When there is no such architecture: see [`ModelConfig::architecture`].
    pub fn with_defaults(&self) -> Result<Self, String> {
        let architecture = self.architecture()?;
        let rope_theta = match architecture.positions {
            Positions::Rotary { theta, .. } => theta,
            Positions::Learned | Positions::Relative { .. } => self.rope_theta.unwrap_or(ROPE_THETA),
        };
        let family = self.family()?;
        // the usual biases stay unwritten, as the usual size of heads does
        let of_family = family.parts().biases;
        Ok(Self {
            from: None,
            checkpoint: None,
            adapter: None,
            preset: None,
            family: Some(family),
            num_layers: Some(architecture.num_layers),
            num_heads: Some(architecture.num_heads),
            num_kv_heads: Some(architecture.num_kv_heads),
            // the usual one stays unwritten: a configuration is what a training is known by, and older ones have no such key
            head_dim: Some(architecture.head_dim)
                .filter(|head_dim| head_dim * architecture.num_heads != architecture.hidden_size),
            hidden_size: Some(architecture.hidden_size),
            intermediate_size: Some(architecture.intermediate_size),
            context_length: Some(architecture.context_length),
            sliding_window: architecture.sliding_window.map(|window| window.tokens),
            dropout: Some(architecture.dropout),
            tie_embeddings: Some(architecture.tie_embeddings),
            attention_bias: self
                .attention_bias
                .filter(|has| [*has; 2] != [of_family.attention_input, of_family.attention_output]),
            mlp_bias: self.mlp_bias.filter(|has| *has != of_family.feed_forward),
            rope_theta: Some(rope_theta),
            rope_scaling: self.rope_scaling,
            norm_eps: Some(architecture.norm_eps),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presets_have_their_published_sizes() {
        let parameters = |preset: &str, vocab_size| {
            let config = ModelConfig { preset: Some(preset.into()), ..ModelConfig::default() };
            config.architecture().expect("presets fit together").parameters(vocab_size)
        };
        assert_eq!(parameters("gpt2", 50257), 124_439_808);
        assert_eq!(parameters("gpt2-xl", 50257), 1_557_611_200);
        assert_eq!(parameters("gpt1", 40478), 116_534_784);
        // by their checkpoints, which have 32,128 rows
        assert_eq!(parameters("t5-small", 32128), 60_506_624);
        assert_eq!(parameters("t5-base", 32128), 222_903_552);
        assert_eq!(parameters("t5-11b", 32128), 11_307_321_344);
        assert_eq!(parameters("t5-v1.1-small", 32128), 76_961_152);
        assert_eq!(parameters("t5-v1.1-base", 32128), 247_577_856);
        let billions = parameters("gpt3-175b", 50257) as f64 / 1e9;
        assert!((billions - 175.0).abs() < 1.0, "{billions}");
    }

    #[test]
    fn what_does_not_fit_is_said() {
        let fault = |config: ModelConfig| config.architecture().expect_err("it cannot be built");
        let own = ModelConfig {
            num_layers: Some(2),
            num_heads: Some(3),
            hidden_size: Some(16),
            context_length: Some(8),
            ..ModelConfig::default()
        };
        assert_eq!(fault(own.clone()), "`num_heads` is 3, which does not divide the `hidden_size` of 16");
        assert_eq!(
            fault(ModelConfig { num_layers: None, ..own.clone() }),
            "`num_layers` is missing: set it, or choose a preset"
        );
        assert_eq!(fault(ModelConfig { context_length: Some(0), ..own.clone() }), "`context_length` is 1 or more");
        let grouped = ModelConfig { num_heads: Some(4), num_kv_heads: Some(3), ..own };
        assert_eq!(fault(grouped), "`num_kv_heads` is 3, which does not divide the `num_heads` of 4");
        let fault = fault(ModelConfig { preset: Some("gpt5".into()), ..ModelConfig::default() });
        assert!(fault.starts_with("there is no preset `gpt5`; there are gpt1, gpt2, "), "{fault}");
    }

    /// What changes no weight may be changed; the rest may be repeated.
    #[test]
    fn a_model_that_is_there_stays_what_it_is() {
        let there = ModelConfig {
            family: Some(Family::Llama),
            num_layers: Some(2),
            num_heads: Some(2),
            hidden_size: Some(16),
            context_length: Some(8),
            ..ModelConfig::default()
        };
        let same = there.with_defaults().expect("the numbers fit together");
        let wanted = |config: ModelConfig| config.going_on_from(&there);
        assert_eq!(wanted(ModelConfig::default()), Ok(same.clone()));
        let repeated = ModelConfig { attention_bias: Some(false), num_heads: Some(2), ..ModelConfig::default() };
        assert_eq!(wanted(repeated), Ok(same.clone()));
        let changes = ModelConfig {
            dropout: Some(0.1),
            context_length: Some(4),
            hidden_size: Some(16),
            ..ModelConfig::default()
        };
        assert_eq!(wanted(changes), Ok(ModelConfig { dropout: Some(0.1), context_length: Some(4), ..same }));
        for (config, expected) in [
            (ModelConfig { dropout: Some(f32::NAN), ..ModelConfig::default() }, "`dropout` has to be a finite number"),
            (
                ModelConfig { num_layers: Some(3), ..ModelConfig::default() },
                "`num_layers` is 3, and of the model that is there 2",
            ),
            (
                ModelConfig { mlp_bias: Some(true), ..ModelConfig::default() },
                "`mlp_bias` is true, and of the model that is there none",
            ),
            (
                ModelConfig { family: Some(Family::Gpt2), ..ModelConfig::default() },
                "`family` is \"gpt2\", and of the model that is there \"llama\"",
            ),
            (
                ModelConfig { preset: Some("gpt2".into()), ..ModelConfig::default() },
                "`preset` is \"gpt2\", and the model that is there says itself what it is",
            ),
        ] {
            assert_eq!(wanted(config).map_err(|(_, message)| message), Err(expected.into()));
        }
    }
}
