//! What `train compare` is told.

use std::{collections::BTreeMap, path::PathBuf};

use schemars::JsonSchema;
use schemas::toml_file::Spanned;
use serde::Deserialize;

/// A comparison as it is asked for. Paths start at the file's folder.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CompareConfig {
    /// What is trained, but for its data.
    pub model: ModelOfArms,
    /// What is compared, by name.
    #[schemars(with = "BTreeMap<String, ArmConfig>")]
    pub arms: BTreeMap<String, Spanned<ArmConfig>>,
    /// The arm that others are compared with.
    pub baseline: String,
    /// Models of each arm, at most: that of the configuration's seed, and of those behind it.
    #[serde(default = "five")]
    pub seeds: u64,
    /// Models of each arm before it may be decided.
    #[serde(default = "three")]
    pub min_seeds: u64,
    /// Whether no more models are trained once it is decided: once the interval of each arm's difference from the baseline, wide enough for as often
    /// as it is looked at, and for as many arms as there are, leaves out 0.
    #[serde(default = "yes")]
    pub stop_early: bool,
    /// The domains that count: names of `data.held_out`. By default all of them; the validation data of the sources where nothing is held out.
    #[serde(default)]
    pub domains: Option<Vec<String>>,
    /// Models that are trained at once. By default as many as there are threads for; on a GPU one.
    #[serde(default)]
    pub at_once: Option<usize>,
    /// Threads of each model.
    #[serde(default = "one")]
    pub threads: usize,
    /// Whether the models are kept when they are trained.
    #[serde(default)]
    pub keep_models: bool,
}

/// What is trained, but for its data.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ModelOfArms {
    /// A configuration of `train pretrain`; of its data an arm may set the mixture, or the weights of its sources.
    #[schemars(with = "PathBuf")]
    pub config: Spanned<PathBuf>,
}

/// What an arm has in place of what the configuration says.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ArmConfig {
    /// Its mixture: `data.mixture`.
    #[serde(default)]
    #[schemars(with = "Option<PathBuf>")]
    pub mixture: Option<Spanned<PathBuf>>,
    /// Its weights of `data.sources`; a source that is not named has none.
    #[serde(default)]
    pub weights: Option<BTreeMap<String, f64>>,
    /// Any other keys, such as `"learning_rate.peak" = 1e-3`.
    #[serde(default)]
    pub set: BTreeMap<String, serde_json::Value>,
}

fn one() -> usize {
    1
}

fn three() -> u64 {
    3
}

fn five() -> u64 {
    5
}

fn yes() -> bool {
    true
}

impl CompareConfig {
    /// What is wrong with it, if something is: the key, and the message.
    #[must_use]
    pub fn fault(&self) -> Option<(&'static str, String)> {
        let Self { arms, baseline, seeds, min_seeds, at_once, threads, .. } = self;
        let is_none = [("seeds", *seeds == 0), ("at_once", *at_once == Some(0)), ("threads", *threads == 0)];
        if let Some((key, _)) = is_none.into_iter().find(|(_, is_none)| *is_none) {
            return Some((key, "it has to be 1 or more".into()));
        }
        if *min_seeds < 2 {
            return Some(("min_seeds", format!("a difference has a deviation from 2 seeds on, and it is {min_seeds}")));
        }
        if arms.len() < 2 {
            return Some(("arms", format!("there are {}, and two or more are compared", arms.len())));
        }
        let bad = arms.keys().find(|name| {
            name.is_empty()
                || !name.chars().all(|letter| letter.is_ascii_alphanumeric() || "-_.".contains(letter))
                || name.starts_with('.')
        });
        if let Some(name) = bad {
            return Some(("arms", format!("an arm's name is of letters, digits, `-`, `_` and `.`, and not `{name}`")));
        }
        (!arms.contains_key(baseline)).then(|| {
            let known = arms.keys().cloned().collect::<Vec<_>>().join("`, `");
            ("baseline", format!("there is no arm `{baseline}`: there are `{known}`"))
        })
    }
}
