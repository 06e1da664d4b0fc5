//! Mixtures as they are written.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use schemas::{prompt::Demonstrations, task::PromptStyle, toml_file::Spanned};
use serde::Deserialize;

use super::model::Text;
use crate::decide::{MaxExamples, Unit, weights::with_weights};

with_weights! {
    #[derive(Debug, Clone, Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    pub struct MixtureRecipe {
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
