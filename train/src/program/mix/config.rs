//! What `train mix` is told.

use std::{collections::BTreeMap, path::PathBuf};

use schemars::JsonSchema;
use schemas::toml_file::Spanned;
use serde::{Deserialize, Serialize};

/// Weights from small models as they are asked for. Paths start at the file's folder.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MixConfig {
    /// The seed of weights that are drawn, and of samples of runs.
    pub seed: u64,
    /// The configuration of a small model.
    pub proxy: ProxyConfig,
    /// Models to train: the first on the mean of what is drawn, one on each source alone, and the others on weights that are drawn.
    #[serde(default = "sixty_four")]
    pub runs: usize,
    /// Models that are trained at once. By default as many as there are threads for; on a GPU one.
    #[serde(default)]
    pub at_once: Option<usize>,
    /// Threads of each model.
    #[serde(default = "one")]
    pub threads: usize,
    /// Between which the sum of the parameters of the Dirichlet distribution is drawn: the lower, the further weights lie from the mean.
    #[serde(default = "strengths")]
    pub strengths: [f64; 2],
    /// What weights are chosen for: the `mean` loss over all domains, the `worst`, or that of one domain by its name.
    #[serde(default = "mean")]
    pub objective: String,
    /// The domains that count: names of `data.held_out`, or of sources, each of which is judged by its validation part. By default all that is
    /// held out; all sources where nothing is.
    #[serde(default)]
    pub domains: Option<Vec<String>>,
    /// What a nat of KL divergence from the mean of what is drawn costs, in nats of loss.
    #[serde(default = "tenth")]
    pub kl: f64,
    /// The least share of each source.
    #[serde(default = "least_weight")]
    pub min_weight: f64,
    /// Samples of the runs by which intervals are found.
    #[serde(default = "hundred")]
    pub samples: u32,
    /// The training that weights are for.
    #[serde(default)]
    pub target: Option<TargetConfig>,
    /// What is trained on the weights that are found.
    #[serde(default)]
    pub trials: TrialsConfig,
}

/// The configuration of a small model.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProxyConfig {
    /// A configuration of `train pretrain` with two or more `data.sources`, whose weights are the mean of what is drawn, and with `training.steps`.
    #[schemars(with = "PathBuf")]
    pub config: Spanned<PathBuf>,
}

/// The training that weights are for.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TargetConfig {
    /// Its tokens. Small models that learn from fewer learn from as much smaller a part of each source, so that they repeat it as often.
    pub tokens: u64,
    /// How often a source may be repeated: none has a larger share than that gives.
    #[serde(default = "four")]
    pub max_epochs: f64,
}

/// What is trained on the weights that are found, and on others to compare them with.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TrialsConfig {
    /// Models for each, of seeds that no run has: the weights that each law proposes, those by the rule, the mean of what was drawn, equal ones, and
    /// those by size. With 0, the default, nothing is tried.
    #[serde(default)]
    pub seeds: u64,
    /// Further weights to try, by name: shares by source; a source that is not named has none.
    #[serde(default)]
    pub weights: BTreeMap<String, BTreeMap<String, f64>>,
}

fn one() -> usize {
    1
}

fn sixty_four() -> usize {
    64
}

fn strengths() -> [f64; 2] {
    [0.1, 5.0]
}

fn mean() -> String {
    "mean".into()
}

fn tenth() -> f64 {
    0.1
}

fn least_weight() -> f64 {
    0.002
}

fn hundred() -> u32 {
    100
}

fn four() -> f64 {
    4.0
}

impl MixConfig {
    /// What is wrong with the numbers, if something is: the key, and the message.
    #[must_use]
    pub fn fault(&self) -> Option<(&'static str, String)> {
        let Self { runs, at_once, threads, strengths: [low, high], kl, min_weight, samples, target, .. } = self;
        let counts =
            [("runs", *runs), ("samples", *samples as usize), ("threads", *threads), ("at_once", at_once.unwrap_or(1))];
        if let Some((key, _)) = counts.into_iter().find(|(_, count)| *count == 0) {
            return Some((key, "it has to be 1 or more".into()));
        }
        if !(*low > 0.0 && high >= low && high.is_finite()) {
            return Some(("strengths", format!("it is two numbers above 0 in rising order, and not {low} and {high}")));
        }
        if !(*kl >= 0.0 && kl.is_finite()) {
            return Some(("kl", format!("it has to be 0 or more, and is {kl}")));
        }
        if !(0.0..=1.0).contains(min_weight) {
            return Some(("min_weight", format!("a share lies between 0 and 1, not at {min_weight}")));
        }
        match target {
            Some(TargetConfig { tokens: 0, .. }) => Some(("target.tokens", "it has to be 1 or more".into())),
            Some(TargetConfig { max_epochs, .. }) if !(*max_epochs > 0.0 && max_epochs.is_finite()) => {
                Some(("target.max_epochs", format!("it has to be more than 0, and is {max_epochs}")))
            }
            _ => None,
        }
    }
}
