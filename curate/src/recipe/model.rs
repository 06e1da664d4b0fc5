//! A recipe as it is written.

use std::{collections::BTreeMap, path::PathBuf};

use schemars::JsonSchema;
use schemas::{share::Share, toml_file::Spanned};
use serde::Deserialize;

use super::mixture_recipe::MixtureRecipe;
use crate::{
    decide::{AfterCutsRule, LinkedRule, StepRecipe},
    learn::{FastTextConfig, FeaturesPreset, HashedWords, MIN_KNOWN, Scale},
    measure::FactsRecipe,
    source::{BenchmarkRecipe, SourceRecipe, one_percent},
};

pub use crate::files::Text;

/// Tables by name, each with the place of its name.
pub type Tables<T> = BTreeMap<Text, T>;

/// A recipe: from sources to mixtures.
///
/// Paths start at the recipe's folder. A path may begin with `{NAME}`, the folder of that name in `[folders]`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// The run's name.
    #[schemars(with = "String")]
    pub name: Text,
    /// The seed of everything that is random.
    pub seed: u64,
    /// Folders that paths may begin with; `--set NAME=DIR` replaces one.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, PathBuf>")]
    pub folders: BTreeMap<String, Spanned<PathBuf>>,
    /// Where documents come from.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, SourceRecipe>")]
    pub source: Tables<SourceRecipe>,
    /// Tasks whose examples go into instruction mixtures.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, TaskRecipe>")]
    pub task: Tables<TaskRecipe>,
    /// How facts are measured.
    #[serde(default)]
    pub facts: FactsRecipe,
    /// How near-duplicates are joined into clusters.
    #[serde(default)]
    pub clusters: ClustersRecipe,
    /// Classifiers that the run trains.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, ClassifierRecipe>")]
    pub classifier: Tables<ClassifierRecipe>,
    /// Benchmarks whose text a step `decontaminate` cuts out of documents.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, BenchmarkRecipe>")]
    pub benchmark: Tables<BenchmarkRecipe>,
    /// The steps that documents go through, in their order.
    #[serde(default)]
    #[schemars(with = "Vec<StepRecipe>")]
    pub step: Vec<Spanned<StepRecipe>>,
    /// What becomes of documents from which steps have cut something.
    #[serde(default)]
    pub after_cuts: AfterCutsRule,
    /// Which documents are for validation and testing.
    #[serde(default)]
    pub splits: SplitsRecipe,
    /// What is written.
    #[schemars(with = "BTreeMap<String, MixtureRecipe>")]
    pub mixture: Tables<MixtureRecipe>,
}

/// A task.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TaskRecipe {
    /// The task's file, or the name of a shipped task; the shipped one of the same name by default.
    #[schemars(with = "Option<String>")]
    pub file: Option<Text>,
    /// Largest share of examples that may be broken.
    #[serde(default = "one_percent")]
    pub max_error_rate: Share,
    /// Largest share of the files' bytes that may be lost, as for a source.
    #[serde(default)]
    pub max_lost_rate: Share,
}

/// A classifier: the reference against the rest.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClassifierRecipe {
    /// What kind of model it is.
    #[serde(default)]
    pub kind: KindRecipe,
    /// Sources of the reference.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub positive: Vec<Text>,
    /// Sources of what is to be told from it.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub negative: Vec<Text>,
    /// Take pages that people have linked to, and liked, as positive, and the others as negative; needs `[facts.links]`. A source may then
    /// be both.
    pub linked: Option<LinkedRule>,
    /// For an ensemble: its members.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub of: Vec<Text>,
    /// Train on documents in this language alone.
    #[schemars(with = "Option<String>")]
    pub language: Option<Text>,
    /// Most documents to train on, of each class.
    #[serde(default = "ten_thousand")]
    pub documents: usize,
    /// Words in a chunk: long documents are cut, so that a book is many examples. 25 by default, and for `statistics` whole lines of 60
    /// words or more.
    pub chunk_words: Option<usize>,
    /// Most chunks of one document.
    #[serde(default = "hundred")]
    pub max_chunks: usize,
    /// For hashed words: how texts become features.
    #[serde(default)]
    pub features: FeaturesRecipe,
    /// For hashed words and statistics: the strength of L2 regularization, half of which times the sum of squared weights is added to the
    /// mean loss. By default hashed words take the one that does best on held-out chunks.
    pub l2: Option<f64>,
    /// For hashed words: most iterations of L-BFGS for each strength. Spark, on which GPT-3's filter ran, takes 100.
    #[serde(default = "hundred")]
    pub max_iterations: usize,
    /// For fastText: how it is trained.
    #[serde(default)]
    pub fasttext: FastTextConfig,
    /// For fastText: a model that was trained before, `.bin` or `.ftz`.
    #[schemars(with = "Option<String>")]
    pub model: Option<Text>,
    /// For such a model: the label of the reference, without `__label__`; `hq` by default.
    pub label: Option<String>,
    /// Files that people have labelled, to try the classifier on: JSON lines with `text` and `label`, which is 1 or 0.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub labels: Vec<Text>,
    /// The share of a document's words and n-grams that the model has to know, from 0 to 1; a document of which it knows less has
    /// no score, for the model would give it what it gives to nothing. Statistics know no words: for them it is the share of the letters
    /// that are in scripts of the training texts.
    #[serde(default = "min_known")]
    pub min_known: Share,
}

fn min_known() -> Share {
    Share::of(MIN_KNOWN)
}

/// A kind of classifier.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum KindRecipe {
    /// Logistic regression on hashed words.
    #[default]
    Hashed,
    /// fastText.
    Fasttext,
    /// Logistic regression on shares of lines, punctuation and repetition.
    Statistics,
    /// The mean of several.
    Ensemble,
}

/// How texts become features.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct FeaturesRecipe {
    /// Features that others have used; `glam` by default.
    pub preset: Option<FeaturesPreset>,
    /// Number of hashed features, as a power of two: 8 to 30.
    pub bits: Option<u32>,
    /// Count bigrams, too.
    pub bigrams: Option<bool>,
    /// Count the empty words between two spaces, as Spark does.
    pub empty_words: Option<bool>,
    /// What counts are divided by.
    pub scale: Option<Scale>,
    /// Segment words where a script puts no spaces; Spark, and so `gpt3`, does not.
    pub divide: Option<bool>,
}

impl FeaturesRecipe {
    /// The preset's features, with what the recipe says in place of them.
    #[must_use]
    pub fn features(&self) -> HashedWords {
        let preset = self.preset.map_or_else(HashedWords::default, FeaturesPreset::features);
        HashedWords {
            bits: self.bits.unwrap_or(preset.bits),
            bigrams: self.bigrams.unwrap_or(preset.bigrams),
            empty_words: self.empty_words.unwrap_or(preset.empty_words),
            scale: self.scale.unwrap_or(preset.scale),
            divide: self.divide.unwrap_or(preset.divide),
        }
    }
}

fn ten_thousand() -> usize {
    10_000
}

fn hundred() -> usize {
    100
}

/// How near-duplicates are joined into clusters.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ClustersRecipe {
    /// Join documents that share a band only where the Jaccard similarity of their shingles is this or more: above 0, to 1. By
    /// default a band is enough, but for the preset `gpt3`, which is verified at 0.8.
    #[schemars(with = "Option<f64>")]
    pub verify: Option<Spanned<f64>>,
    /// Documents of one band that a document is compared with, at most, when they are verified: those that come next in size. Pairs
    /// that are left out are counted.
    #[schemars(with = "usize")]
    pub max_bucket: Spanned<usize>,
    /// Folders of earlier runs with the same `[facts.bands]`: steps `fuzzy_dedup` drop what those have kept, too.
    #[schemars(with = "Vec<String>")]
    pub index: Vec<Text>,
}

impl Default for ClustersRecipe {
    fn default() -> Self {
        Self { verify: None, max_bucket: Spanned::new(0..0, 1000), index: vec![] }
    }
}

/// Shares that are held out from training, of clusters of near-duplicates and of single documents.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SplitsRecipe {
    /// For validation.
    #[schemars(with = "f64")]
    pub validation: Spanned<f64>,
    /// For testing.
    #[schemars(with = "f64")]
    pub test: Spanned<f64>,
}

impl Default for SplitsRecipe {
    fn default() -> Self {
        Self { validation: Spanned::new(0..0, 0.01), test: Spanned::new(0..0, 0.0) }
    }
}
