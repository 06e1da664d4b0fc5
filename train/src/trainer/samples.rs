//! Texts that a model writes while it is trained.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::metrics::Sampled;
use crate::{error::Result, model::Gpt};

/// When a model writes, and what about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SamplesConfig {
    /// Steps between samples.
    pub every: u64,
    /// What the texts begin with, one text each.
    pub prompts: Vec<String>,
    /// Tokens of a text, at most.
    #[serde(default = "sixty_four")]
    pub tokens: usize,
    /// Divides the logits; 0 takes the likeliest token each time.
    #[serde(default = "four_fifths")]
    pub temperature: f64,
}

fn sixty_four() -> usize {
    64
}

fn four_fifths() -> f64 {
    0.8
}

/// Lets a model write; how is not the trainer's affair.
pub struct Sampler<'s> {
    /// Steps between samples.
    pub every: u64,
    /// What the model, without gradients, writes after so many steps.
    pub write: &'s dyn Fn(&Gpt, u64) -> Result<Vec<Sampled>>,
}
