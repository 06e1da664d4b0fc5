//! Mixtures as they are written.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use schemas::{prompt::Demonstrations, share::Share, task::PromptStyle, toml_file::Spanned};
use serde::Deserialize;

use super::model::Text;
use crate::{
    decide::{MaxExamples, Unit, weights::with_weights},
    text::passages::DPR_WORDS,
};

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
        /// For sources: questions with their passages, made of documents, in place of their texts.
        #[schemars(with = "Option<PairsRecipe>")]
        pub pairs: Option<Spanned<PairsRecipe>>,
        /// For retrieval: passages of others that do not answer, for each question, by chance.
        #[serde(default = "one")]
        pub negatives: u32,
        /// For retrieval: the same, those that look most like an answer by BM25; they stand before the others.
        #[schemars(with = "Option<u32>")]
        pub hard_negatives: Option<Spanned<u32>>,
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

/// Questions with their passages, made of documents.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PairsRecipe {
    /// What of a document is the question.
    pub from: PairsSource,
    /// Words of a passage, at most; DPR's have 100 (Karpukhin et al. 2020).
    #[serde(default = "dpr_words")]
    pub words: u32,
    /// For `inverse_cloze`: the share of passages that keep their sentence; 0.1 by default (Lee et al. 2019).
    pub kept: Option<Share>,
}

/// What of a document is the question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PairsSource {
    /// Its title; the passage is how its text begins.
    Title,
    /// A sentence of one of its passages, which is left out there.
    InverseCloze,
}

fn dpr_words() -> u32 {
    DPR_WORDS
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
