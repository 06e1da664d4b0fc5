//! What a model is: the configuration as it is written, and the architecture that is built.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::tensor::RopeScaling;

/// A family of transformers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Family {
    /// Post-norm: layer norms after the residual sums (Radford et al. 2018).
    Gpt1,
    /// Pre-norm: layer norms before attention and feed-forward layers, and one at the end (Radford et al. 2019).
    #[default]
    Gpt2,
    /// The same, where every other block attends to a sliding window (Brown et al. 2020).
    Gpt3,
    /// Rotary positions, RMS norms, SwiGLU, grouped-query attention, no biases (Touvron et al. 2023; Ainslie et al. 2023).
    Llama,
}

/// A model as it is written: a preset, numbers of one's own, or a preset with some numbers changed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ModelConfig {
    /// A published model, such as `gpt2` or `gpt3-small`; the other keys override it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preset: Option<String>,
    /// How blocks are built. [default: gpt2]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub family: Option<Family>,
    /// Transformer blocks, 1 or more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub num_layers: Option<usize>,
    /// Attention heads of each block; they divide the hidden size.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub num_heads: Option<usize>,
    /// Key and value heads; they divide `num_heads` (grouped-query attention). [default: `num_heads`]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub num_kv_heads: Option<usize>,
    /// The width of the residual stream.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hidden_size: Option<usize>,
    /// The width of the feed-forward layers. [default: 4 times the hidden size; for `llama` 8/3 of it, up to the next multiple of 32]
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
    /// Whether the output head is the token embedding. [default: true; false for `llama`]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tie_embeddings: Option<bool>,
    /// The base of the rotary angles. [default: 10000]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rope_theta: Option<f64>,
    /// How the rotary angles are scaled to a context that is longer than the original one. [default: not]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rope_scaling: Option<RopeScaling>,
    /// Added to the variance in norms. [default: 1e-5]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub norm_eps: Option<f64>,
}

/// The published models: name, family, layers, heads, hidden size, context length.
///
/// Sources: Radford et al. 2018, section 4.1; Radford et al. 2019, table 2 with heads of 64; Brown et al. 2020, table 2.1, where the
/// 13B model's 40 heads of 128 give its hidden size (the table's 5140 is not their product).
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

/// A checked [`ModelConfig`]: what [`super::Gpt`] is built from.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Architecture {
    /// How blocks are built.
    pub family: Family,
    /// Transformer blocks.
    pub num_layers: usize,
    /// Attention heads of each block.
    pub num_heads: usize,
    /// Key and value heads.
    pub num_kv_heads: usize,
    /// The width of the residual stream.
    pub hidden_size: usize,
    /// The width of the feed-forward layers.
    pub intermediate_size: usize,
    /// The longest sequence that the model reads, in tokens.
    pub context_length: usize,
    /// How many tokens every other block attends to, itself among them.
    pub sliding_window: Option<usize>,
    /// The dropout rate while training.
    pub dropout: f32,
    /// Whether the output head is the token embedding.
    pub tie_embeddings: bool,
    /// The base of the rotary angles.
    pub rope_theta: f64,
    /// How the rotary angles are scaled.
    pub rope_scaling: Option<RopeScaling>,
    /// Added to the variance in norms.
    pub norm_eps: f64,
}

impl ModelConfig {
    /// The architecture that is meant.
    ///
    /// # Errors
    /// When a number is missing, or numbers do not fit together: which, in words.
    pub fn architecture(&self) -> Result<Architecture, String> {
        let preset = match &self.preset {
            None => None,
            Some(name) => Some(PRESETS.iter().find(|preset| preset.0 == name).ok_or_else(|| {
                let names: Vec<&str> = PRESETS.iter().map(|preset| preset.0).collect();
                format!("there is no preset `{name}`; there are {}", names.join(", "))
            })?),
        };
        let number = |name: &str, written: Option<usize>, published: Option<usize>| match written.or(published) {
            None => Err(format!("`{name}` is missing: set it, or choose a preset")),
            Some(0) => Err(format!("`{name}` is 1 or more")),
            Some(number) => Ok(number),
        };
        let family = self.family.or(preset.map(|preset| preset.1)).unwrap_or_default();
        let num_layers = number("num_layers", self.num_layers, preset.map(|preset| preset.2))?;
        let num_heads = number("num_heads", self.num_heads, preset.map(|preset| preset.3))?;
        let hidden_size = number("hidden_size", self.hidden_size, preset.map(|preset| preset.4))?;
        let context_length = number("context_length", self.context_length, preset.map(|preset| preset.5))?;
        let num_kv_heads = number("num_kv_heads", self.num_kv_heads, Some(num_heads))?;
        let modern = family == Family::Llama;
        let usual = if modern { (8 * hidden_size).div_ceil(3).next_multiple_of(32) } else { 4 * hidden_size };
        let intermediate_size = number("intermediate_size", self.intermediate_size, Some(usual))?;
        let eighth = (family == Family::Gpt3).then_some((context_length / 8).max(1));
        let sliding_window =
            number("sliding_window", self.sliding_window, eighth).ok().filter(|_| family == Family::Gpt3);
        if !hidden_size.is_multiple_of(num_heads) {
            return Err(format!(
                "`num_heads` is {num_heads}, which does not divide the `hidden_size` of {hidden_size}"
            ));
        }
        if !num_heads.is_multiple_of(num_kv_heads) {
            return Err(format!(
                "`num_kv_heads` is {num_kv_heads}, which does not divide the `num_heads` of {num_heads}"
            ));
        }
        let head_dim = hidden_size / num_heads;
        if modern && !head_dim.is_multiple_of(2) {
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
        let rope_theta = positive("rope_theta", self.rope_theta.unwrap_or(10_000.0))?;
        let norm_eps = positive("norm_eps", self.norm_eps.unwrap_or(1e-5))?;
        let (tie_embeddings, rope_scaling) = (self.tie_embeddings.unwrap_or(!modern), self.rope_scaling);
        if let Some(fault) = rope_scaling.and_then(RopeScaling::fault) {
            return Err(fault);
        }
        Ok(Architecture {
            family,
            num_layers,
            num_heads,
            num_kv_heads,
            hidden_size,
            intermediate_size,
            context_length,
            sliding_window,
            dropout,
            tie_embeddings,
            rope_theta,
            rope_scaling,
            norm_eps,
        })
    }
}

impl Architecture {
    /// The size of a head.
    #[must_use]
    pub fn head_dim(&self) -> usize {
        self.hidden_size / self.num_heads
    }

    /// Parameters of a model with this architecture.
    #[must_use]
    pub fn parameters(&self, vocab_size: usize) -> usize {
        let Self { num_layers, hidden_size, intermediate_size, context_length, .. } = *self;
        let (input, modern) = (hidden_size + 2 * self.num_kv_heads * self.head_dim(), self.family == Family::Llama);
        let feed_forward = if modern { 3 } else { 2 } * hidden_size * intermediate_size;
        let matrices = hidden_size * input + hidden_size * hidden_size + feed_forward;
        let vectors = if modern {
            2 * hidden_size
        } else {
            4 * hidden_size + input + hidden_size + intermediate_size + hidden_size
        };
        let positions = if modern { 0 } else { context_length * hidden_size };
        let last_norm = match self.family {
            Family::Gpt1 => 0,
            Family::Gpt2 | Family::Gpt3 => 2 * hidden_size,
            Family::Llama => hidden_size,
        };
        let embeddings = if self.tie_embeddings { 1 } else { 2 } * vocab_size * hidden_size;
        num_layers * (matrices + vectors) + positions + last_norm + embeddings
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
}
