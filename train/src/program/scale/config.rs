//! What `train scale` is told.

use std::{collections::BTreeMap, fmt, path::PathBuf};

use schemars::JsonSchema;
use schemas::toml_file::Spanned;
use serde::{Deserialize, Serialize};

use crate::scaling::LEAST_SIZES;

/// Tokens for each parameter, at most.
const MOST_RATIO: f64 = 1e6;

/// Sizes of exponents, at most.
const MOST_EXPONENT: f64 = 3.0;

/// A ladder of sizes as it is asked for. Paths start at the file's folder.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScaleConfig {
    /// The seed of samples of points.
    pub seed: u64,
    /// What is trained, but for its size.
    pub model: ModelOfSizes,
    /// Sizes, each as keys of `[model]` with their values, such as `{ hidden_size = 64, num_layers = 2, num_heads = 2 }`.
    pub sizes: Vec<BTreeMap<String, serde_json::Value>>,
    /// Tokens for each parameter, two numbers or more: every size is trained on all of these, each time to the end of its schedule.
    pub tokens_per_parameter: Vec<f64>,
    /// Which parameters count.
    #[serde(default)]
    pub parameters: Counted,
    /// By which power of its parameters the peak of a model's learning rate differs from that of the configuration, whose own size is where it
    /// holds.
    #[serde(default = "minus_a_third")]
    pub learning_rate_exponent: f64,
    /// The same of the batch size, which is rounded to whole micro-batches.
    #[serde(default = "two_thirds")]
    pub batch_size_exponent: f64,
    /// The loss that counts: a name of `data.held_out`; by default that on the validation data of all sources.
    #[serde(default)]
    pub domain: Option<String>,
    /// The largest sizes, of which the fit sees nothing, and which it forecasts.
    #[serde(default = "one")]
    pub leave_out: usize,
    /// Samples of the points by which intervals are found.
    #[serde(default = "hundred")]
    pub samples: u32,
    /// Models that are trained at once. By default as many as there are threads for; on a GPU one.
    #[serde(default)]
    pub at_once: Option<usize>,
    /// Threads of each model.
    #[serde(default = "one")]
    pub threads: usize,
}

/// What is trained, but for its size.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ModelOfSizes {
    /// A configuration of `train pretrain` of a decoder.
    #[schemars(with = "PathBuf")]
    pub config: Spanned<PathBuf>,
}

/// Which parameters count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Counted {
    /// All of them, as Hoffmann et al. 2022 count.
    #[default]
    All,
    /// All but the embeddings of tokens and positions, as Kaplan et al. 2020 count.
    WithoutEmbeddings,
}

impl Counted {
    /// - `parameters`: all, and those of embeddings
    pub(super) fn of(self, [all, embeddings]: [u64; 2]) -> u64 {
        match self {
            Self::All => all,
            Self::WithoutEmbeddings => all - embeddings,
        }
    }
}

impl fmt::Display for Counted {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::All => "all parameters",
            Self::WithoutEmbeddings => "parameters without embeddings",
        })
    }
}

fn minus_a_third() -> f64 {
    -1.0 / 3.0
}

fn two_thirds() -> f64 {
    2.0 / 3.0
}

fn one() -> usize {
    1
}

fn hundred() -> u32 {
    100
}

impl ScaleConfig {
    /// What is wrong with the numbers, if something is: the key, and the message.
    #[must_use]
    pub fn fault(&self) -> Option<(&'static str, String)> {
        let Self { sizes, tokens_per_parameter, leave_out, samples, at_once, threads, .. } = self;
        let is_none = [("samples", *samples == 0), ("at_once", *at_once == Some(0)), ("threads", *threads == 0)];
        if let Some((key, _)) = is_none.into_iter().find(|(_, is_none)| *is_none) {
            return Some((key, "it has to be 1 or more".into()));
        }
        if let Some(ratio) = tokens_per_parameter.iter().find(|ratio| !(**ratio > 0.0 && **ratio <= MOST_RATIO)) {
            let message = format!("it has to be more than 0 and not more than {MOST_RATIO}, and is {ratio}");
            return Some(("tokens_per_parameter", message));
        }
        let mut ratios = tokens_per_parameter.clone();
        ratios.sort_by(f64::total_cmp);
        ratios.dedup();
        if ratios.len() < tokens_per_parameter.len() || ratios.len() < 2 {
            let message = "it has two numbers or more, each once: with one, tokens are in proportion to parameters, and what is due to which cannot be told";
            return Some(("tokens_per_parameter", message.into()));
        }
        for (key, exponent) in
            [("learning_rate_exponent", self.learning_rate_exponent), ("batch_size_exponent", self.batch_size_exponent)]
        {
            if exponent.is_nan() || exponent.abs() > MOST_EXPONENT {
                return Some((key, format!("it lies between -{MOST_EXPONENT} and {MOST_EXPONENT}, not at {exponent}")));
            }
        }
        let seen = sizes.len().saturating_sub(*leave_out);
        (seen < LEAST_SIZES).then(|| {
            let message = format!(
                "there are {}, of which {leave_out} are left out: the law wants {LEAST_SIZES} or more that it sees",
                sizes.len()
            );
            ("sizes", message)
        })
    }
}
