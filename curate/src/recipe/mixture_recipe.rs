//! Mixtures as they are written.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use schemas::{prompt::Demonstrations, task::PromptStyle, toml_file::Spanned};
use serde::Deserialize;

use super::model::Text;
use crate::decide::{MaxExamples, Unit};

/// A mixture: documents of sources, or examples of tasks in the words of their templates. One of `weights`, `published`, `proportional` and
/// `measured` says how much of it is of each.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MixtureRecipe {
    /// The weight of each source or task, above 0.
    #[schemars(with = "Option<BTreeMap<String, f64>>")]
    pub weights: Option<BTreeMap<Text, f64>>,
    /// Weights that others have published.
    #[schemars(with = "Option<PublishedRecipe>")]
    pub published: Option<Spanned<PublishedRecipe>>,
    /// Weights by size.
    #[schemars(with = "Option<ProportionalRecipe>")]
    pub proportional: Option<Spanned<ProportionalRecipe>>,
    /// Weights by how well models fare on each source.
    #[schemars(with = "Option<MeasuredRecipe>")]
    pub measured: Option<Spanned<MeasuredRecipe>>,
    /// The size of the training split; as much as `max_epochs` allows by default.
    pub budget: Option<u64>,
    /// What sizes are counted in: `bytes` by default, and `documents` where the mixture is of tasks.
    #[schemars(with = "Option<Unit>")]
    pub unit: Option<Spanned<Unit>>,
    /// How often a document may be repeated to reach its source's weight, 1 or more: a number for all sources, or a table.
    #[serde(default = "once")]
    #[schemars(with = "EpochsRecipe")]
    pub max_epochs: Spanned<EpochsRecipe>,
    /// Most examples of each task, or documents of each source, by split.
    #[serde(default)]
    pub max_examples: MaxExamples,
    /// For tasks: the names of the templates; all by default.
    #[schemars(with = "Option<Vec<String>>")]
    pub templates: Option<Vec<Text>>,
    /// For tasks: templates of these prompt styles; all by default.
    #[schemars(with = "Option<Vec<PromptStyle>>")]
    pub prompt_styles: Option<Vec<Spanned<PromptStyle>>>,
    /// For tasks: sample one template for each example, as FLAN does, and do not take all.
    #[serde(default)]
    pub sample_template: bool,
    /// For tasks: examples with their answers before each prompt, of the training split.
    #[schemars(with = "Option<Demonstrations>")]
    pub demonstrations: Option<Spanned<Demonstrations>>,
    /// For retrieval: passages of other examples that do not answer, for each question.
    #[serde(default = "one")]
    pub negatives: u32,
    /// Bytes of text in a file, about.
    #[serde(default = "quarter_gigabyte")]
    pub shard_bytes: u64,
}

fn once() -> Spanned<EpochsRecipe> {
    Spanned::new(0..0, EpochsRecipe::All(1.0))
}

fn one() -> u32 {
    1
}

fn quarter_gigabyte() -> u64 {
    256 << 20
}

/// How often documents may be repeated.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum EpochsRecipe {
    /// Those of every source.
    All(f64),
    /// Those of each source; once where one is not named.
    Each(BTreeMap<String, f64>),
}

/// Weights that others have published, by the names that they gave to the components.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PublishedRecipe {
    /// Whose weights.
    pub table: PublishedTable,
    /// The source of each component. Components that are not named are left out, and the others share their part by their weights.
    #[schemars(with = "BTreeMap<String, String>")]
    pub components: BTreeMap<Text, Text>,
}

/// A table of weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PublishedTable {
    /// GPT-3: `common_crawl`, `webtext2`, `books1`, `books2` and `wikipedia` (Brown et al. 2020, table 2.2).
    Gpt3,
    /// `GLaM`: `webpages`, `wikipedia`, `conversations`, `forums`, `books` and `news` (Du et al. 2022, table 3).
    Glam,
}

impl PublishedTable {
    /// Each component and its weight, as published.
    #[must_use]
    pub fn weights(self) -> &'static [(&'static str, f64)] {
        match self {
            // they are rounded, and add up to 1.01
            Self::Gpt3 => {
                &[("common_crawl", 0.60), ("webtext2", 0.22), ("books1", 0.08), ("books2", 0.08), ("wikipedia", 0.03)]
            }
            Self::Glam => &[
                ("webpages", 0.42),
                ("wikipedia", 0.06),
                ("conversations", 0.28),
                ("forums", 0.02),
                ("books", 0.20),
                ("news", 0.02),
            ],
        }
    }
}

/// Weights by size: of a source with `n`, `min(n, cap)^(1 / temperature)` parts.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProportionalRecipe {
    /// The sources or tasks.
    #[schemars(with = "Vec<String>")]
    pub of: Vec<Text>,
    /// The most that counts of each, in the budget's unit. FLAN takes 3,000 examples.
    pub cap: Option<u64>,
    /// 1 leaves sizes as they are; the higher, the more alike the weights. T5 and mT5 tried 2 to 8, and 3.3.
    #[serde(default = "one_degree")]
    pub temperature: f64,
}

/// Weights by score: `exp(z / temperature)` parts, where `z` is a component's score less their mean, in standard deviations.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MeasuredRecipe {
    /// A file with one JSON object: the score of each source or task.
    #[schemars(with = "String")]
    pub scores: Text,
    /// Whether the scores are losses, of which less is better.
    #[serde(default)]
    pub losses: bool,
    /// The lower, the more the best weigh.
    #[serde(default = "one_degree")]
    pub temperature: f64,
}

fn one_degree() -> f64 {
    1.0
}
