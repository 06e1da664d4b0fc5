//! A model's shape: as it is written, and as it is built.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::tensor::RotaryScaling;

/// A family of transformers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Family {
    /// Layer norms behind each part of a block (Radford et al. 2018).
    Gpt1,
    /// Layer norms in front of each part, and one at the end (Radford et al. 2019).
    #[default]
    Gpt2,
    /// The same, where every other block looks back no further than a band (Brown et al. 2020).
    Gpt3,
    /// Rotary positions, root mean square norms, SwiGLU, grouped queries, no biases (Touvron et al. 2023; Ainslie et al. 2023).
    Llama,
}

/// A model as it is written: a preset, numbers of one's own, or a preset with some numbers changed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ModelConfig {
    /// A published shape, such as `gpt2` or `gpt3-small`; what else is said goes before it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preset: Option<String>,
    /// How blocks are built. [default: gpt2]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub family: Option<Family>,
    /// Blocks, 1 or more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub layers: Option<usize>,
    /// Heads of queries of each block; they divide the width.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub heads: Option<usize>,
    /// Heads of keys and values; they divide the heads of queries. [default: as many]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_heads: Option<usize>,
    /// Numbers that stand for a token within the model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub width: Option<usize>,
    /// Neurons of each block. [default: four times the width; for `llama` 8/3 of it, up to the next multiple of 32]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub neurons: Option<usize>,
    /// Tokens that the model sees at a time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context: Option<usize>,
    /// How far back every other block of `gpt3` looks. [default: an eighth of the context]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub band: Option<usize>,
    /// The share of numbers that is dropped while training. [default: 0]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dropout: Option<f32>,
    /// Whether the head is the table of the tokens. [default: true; false for `llama`]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tied: Option<bool>,
    /// The base of the rotary angles. [default: 10000]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rotary_base: Option<f64>,
    /// How the rotary angles are stretched to a context that is longer than the one before. [default: not]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rotary_scaling: Option<RotaryScaling>,
    /// What norms add to the variance. [default: 1e-5]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub norm_epsilon: Option<f64>,
}

/// The published shapes: name, family, layers, heads, width, context.
///
/// Sources: Radford et al. 2018, section 4.1; Radford et al. 2019, table 2 with heads of 64; Brown et al. 2020, table 2.1, where the
/// 13B model's 40 heads of 128 give its width (the table's 5140 is not their product).
const PRESETS: [(&str, Family, usize, usize, usize, usize); 13] = [
    ("gpt1", Family::Gpt1, 12, 12, 768, 512),
    ("gpt2", Family::Gpt2, 12, 12, 768, 1024),
    ("gpt2-medium", Family::Gpt2, 24, 16, 1024, 1024),
    ("gpt2-large", Family::Gpt2, 36, 20, 1280, 1024),
    ("gpt2-xl", Family::Gpt2, 48, 25, 1600, 1024),
    ("gpt3-small", Family::Gpt3, 12, 12, 768, 2048),
    ("gpt3-medium", Family::Gpt3, 24, 16, 1024, 2048),
    ("gpt3-large", Family::Gpt3, 24, 16, 1536, 2048),
    ("gpt3-xl", Family::Gpt3, 24, 16, 2048, 2048),
    ("gpt3-2.7b", Family::Gpt3, 32, 32, 2560, 2048),
    ("gpt3-6.7b", Family::Gpt3, 32, 32, 4096, 2048),
    ("gpt3-13b", Family::Gpt3, 40, 40, 5120, 2048),
    ("gpt3-175b", Family::Gpt3, 96, 96, 12288, 2048),
];

/// A model's shape, checked: what [`super::Gpt`] is built from.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shape {
    /// How blocks are built.
    pub family: Family,
    /// Blocks.
    pub layers: usize,
    /// Heads of queries of each block.
    pub heads: usize,
    /// Heads of keys and values.
    pub key_heads: usize,
    /// Numbers that stand for a token.
    pub width: usize,
    /// Neurons of each block.
    pub neurons: usize,
    /// Tokens that the model sees at a time.
    pub context: usize,
    /// How far back banded blocks look.
    pub band: Option<usize>,
    /// The share of numbers that is dropped while training.
    pub dropout: f32,
    /// Whether the head is the table of the tokens.
    pub tied: bool,
    /// The base of the rotary angles.
    pub rotary_base: f64,
    /// How the rotary angles are stretched.
    pub rotary_scaling: Option<RotaryScaling>,
    /// What norms add to the variance.
    pub norm_epsilon: f64,
}

impl ModelConfig {
    /// The shape that is meant.
    ///
    /// # Errors
    /// When a number is missing, or numbers do not fit together: which, in words.
    pub fn shape(&self) -> Result<Shape, String> {
        let preset = match &self.preset {
            None => None,
            Some(name) => Some(PRESETS.iter().find(|preset| preset.0 == name).ok_or_else(|| {
                let names: Vec<&str> = PRESETS.iter().map(|preset| preset.0).collect();
                format!("there is no preset `{name}`; there are {}", names.join(", "))
            })?),
        };
        let number = |name: &str, written: Option<usize>, published: Option<usize>| match written.or(published) {
            None => Err(format!("`{name}` is missing: say it, or take a preset")),
            Some(0) => Err(format!("`{name}` is 1 or more")),
            Some(number) => Ok(number),
        };
        let family = self.family.or(preset.map(|preset| preset.1)).unwrap_or_default();
        let layers = number("layers", self.layers, preset.map(|preset| preset.2))?;
        let heads = number("heads", self.heads, preset.map(|preset| preset.3))?;
        let width = number("width", self.width, preset.map(|preset| preset.4))?;
        let context = number("context", self.context, preset.map(|preset| preset.5))?;
        let key_heads = number("key_heads", self.key_heads, Some(heads))?;
        let modern = family == Family::Llama;
        let usual = if modern { (8 * width).div_ceil(3).next_multiple_of(32) } else { 4 * width };
        let neurons = number("neurons", self.neurons, Some(usual))?;
        let eighth = (family == Family::Gpt3).then_some((context / 8).max(1));
        let band = number("band", self.band, eighth).ok().filter(|_| family == Family::Gpt3);
        if !width.is_multiple_of(heads) {
            return Err(format!("{heads} heads cannot share a width of {width}"));
        }
        if !heads.is_multiple_of(key_heads) {
            return Err(format!("{heads} heads of queries cannot share {key_heads} heads of keys"));
        }
        if modern && !(width / heads).is_multiple_of(2) {
            return Err(format!("rotary positions turn pairs, and a head has {} numbers", width / heads));
        }
        let dropout = self.dropout.unwrap_or(0.0);
        if !(0.0..1.0).contains(&dropout) {
            return Err(format!("a dropout of {dropout} is no share below 1"));
        }
        let positive = |name: &str, number: f64| match number {
            number if number > 0.0 && number.is_finite() => Ok(number),
            number => Err(format!("`{name}` is more than 0, and not {number}")),
        };
        let rotary_base = positive("rotary_base", self.rotary_base.unwrap_or(10_000.0))?;
        let norm_epsilon = positive("norm_epsilon", self.norm_epsilon.unwrap_or(1e-5))?;
        let (tied, rotary_scaling) = (self.tied.unwrap_or(!modern), self.rotary_scaling);
        if let Some(fault) = rotary_scaling.and_then(RotaryScaling::fault) {
            return Err(fault);
        }
        Ok(Shape {
            family,
            layers,
            heads,
            key_heads,
            width,
            neurons,
            context,
            band,
            dropout,
            tied,
            rotary_base,
            rotary_scaling,
            norm_epsilon,
        })
    }
}

impl Shape {
    /// Parameters of a model with this shape.
    #[must_use]
    pub fn parameters(&self, vocabulary: usize) -> usize {
        let Self { layers, width, neurons, context, .. } = *self;
        let head = width / self.heads;
        let (input, modern) = (width + 2 * self.key_heads * head, self.family == Family::Llama);
        let maps = width * input + width * width + if modern { 3 } else { 2 } * width * neurons;
        let vectors = if modern { 2 * width } else { 4 * width + input + width + neurons + width };
        let positions = if modern { 0 } else { context * width };
        let last = match self.family {
            Family::Gpt1 => 0,
            Family::Gpt2 | Family::Gpt3 => 2 * width,
            Family::Llama => width,
        };
        let tables = if self.tied { vocabulary * width } else { 2 * vocabulary * width };
        layers * (maps + vectors) + positions + last + tables
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presets_have_their_published_sizes() {
        let parameters = |preset: &str, vocabulary| {
            let config = ModelConfig { preset: Some(preset.into()), ..ModelConfig::default() };
            config.shape().expect("presets fit together").parameters(vocabulary)
        };
        assert_eq!(parameters("gpt2", 50257), 124_439_808);
        assert_eq!(parameters("gpt2-xl", 50257), 1_557_611_200);
        assert_eq!(parameters("gpt1", 40478), 116_534_784);
        let billions = parameters("gpt3-175b", 50257) as f64 / 1e9;
        assert!((billions - 175.0).abs() < 1.0, "{billions}");
    }

    #[test]
    fn what_does_not_fit_is_said() {
        let fault = |config: ModelConfig| config.shape().expect_err("it cannot be built");
        let own = ModelConfig {
            layers: Some(2),
            heads: Some(3),
            width: Some(16),
            context: Some(8),
            ..ModelConfig::default()
        };
        assert_eq!(fault(own.clone()), "3 heads cannot share a width of 16");
        assert_eq!(fault(ModelConfig { layers: None, ..own.clone() }), "`layers` is missing: say it, or take a preset");
        assert_eq!(fault(ModelConfig { context: Some(0), ..own.clone() }), "`context` is 1 or more");
        let grouped = ModelConfig { heads: Some(4), key_heads: Some(3), ..own };
        assert_eq!(fault(grouped), "4 heads of queries cannot share 3 heads of keys");
        let fault = fault(ModelConfig { preset: Some("gpt5".into()), ..ModelConfig::default() });
        assert!(fault.starts_with("there is no preset `gpt5`; there are gpt1, gpt2, "), "{fault}");
    }
}
