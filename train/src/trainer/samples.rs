//! Samples that a model generates while it is trained.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::metrics::GeneratedSample;
use crate::error::Result;

/// When samples are generated, and from which prompts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SamplesConfig {
    /// Steps between samples.
    pub every: u64,
    /// The prompts, of one sample each.
    pub prompts: Vec<String>,
    /// The most tokens of a sample.
    #[serde(default = "sixty_four")]
    pub tokens: usize,
    /// Divides the logits; 0 is greedy decoding.
    #[serde(default = "four_fifths")]
    pub temperature: f64,
}

fn sixty_four() -> usize {
    64
}

fn four_fifths() -> f64 {
    0.8
}

/// Generates samples; how is not the trainer's affair.
pub struct Sampler<'s, M> {
    /// Steps between samples.
    pub every: u64,
    /// What the model, without gradients, generates after so many steps.
    pub generate: &'s dyn Fn(&M, u64) -> Result<Vec<GeneratedSample>>,
}
