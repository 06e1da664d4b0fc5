//! A recipe as it is written.

use std::{collections::BTreeMap, path::PathBuf};

use schemars::JsonSchema;
use schemas::{share::Share, toml_file::Spanned};
use serde::Deserialize;

use super::mixture_recipe::MixtureRecipe;
use crate::{
    decide::{AfterCutsRule, LinkedRule, StepRecipe},
    extract::{Extractor, PageLimits},
    learn::{FastTextConfig, FeaturesPreset, HashedWords, MIN_KNOWN, Scale},
    measure::{BandsChoice, OverlapsConfig},
    source::Cleaning,
    text::overlap::NgramLengths,
};

/// A text with its place in the file.
pub type Text = Spanned<String>;

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

/// A source of documents. One of `warc`, `html`, `jsonl`, `parquet`, `csv`, `tsv` and `text` lists its files.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SourceRecipe {
    /// Web archives: WARC, WET or ARC, packed or not; `*` stands for any name.
    #[schemars(with = "Option<Vec<String>>")]
    pub warc: Option<Vec<Text>>,
    /// Pages, packed or not: one HTML document a file.
    #[schemars(with = "Option<Vec<String>>")]
    pub html: Option<Vec<Text>>,
    /// JSON lines, plain or packed as gzip, bzip2, xz, zstd or LZ4, as all files of text may be.
    #[schemars(with = "Option<Vec<String>>")]
    pub jsonl: Option<Vec<Text>>,
    /// Parquet.
    #[schemars(with = "Option<Vec<String>>")]
    pub parquet: Option<Vec<Text>>,
    /// CSV, packed or not; the first row names the columns.
    #[schemars(with = "Option<Vec<String>>")]
    pub csv: Option<Vec<Text>>,
    /// The same, with tabs between fields.
    #[schemars(with = "Option<Vec<String>>")]
    pub tsv: Option<Vec<Text>>,
    /// Plain text, packed or not.
    #[schemars(with = "Option<Vec<String>>")]
    pub text: Option<Vec<Text>>,
    /// For archives and pages: what turns a page into text.
    #[serde(default)]
    pub extract: Extractor,
    /// For archives and pages: the largest page, in bytes.
    #[serde(default = "ten_mebibytes")]
    pub max_page_bytes: usize,
    /// For archives and pages, with `extract = "tamis"`: the most nodes of a page's tree.
    #[serde(default = "most_nodes")]
    pub max_page_nodes: u32,
    /// For archives and pages, with `extract = "tamis"`: the most elements within each other.
    #[serde(default = "most_levels")]
    pub max_page_depth: u16,
    /// For archives and pages, with `extract = "trafilatura"`: the most seconds for a page. A run that this limit stops cannot
    /// promise the same bytes again.
    #[serde(default = "most_seconds")]
    pub max_page_seconds: u32,
    /// What is done to texts before they are documents, in this order.
    #[serde(default)]
    pub clean: Vec<Cleaning>,
    /// For JSON lines, Parquet, CSV and TSV: which keys or columns hold what.
    #[serde(default)]
    pub columns: ColumnsRecipe,
    /// For plain text: a line that matches this regular expression begins a document. Without it, a file is one.
    #[schemars(with = "Option<String>")]
    pub begins: Option<Text>,
    /// Largest share of records that may be broken.
    #[serde(default = "one_percent")]
    pub max_error_rate: Share,
    /// Largest share of the files' bytes on disk that may be lost: where a file breaks off or cannot be unpacked, and where a member of an
    /// archive is corrupt. All bytes of a file whose end is missing count, for nobody knows how much is missing.
    #[serde(default)]
    pub max_lost_rate: Share,
    /// The licence of its texts, for the cards of mixtures.
    pub licence: Option<String>,
}

fn ten_mebibytes() -> usize {
    PageLimits::default().bytes
}

fn most_nodes() -> u32 {
    PageLimits::default().nodes
}

fn most_levels() -> u16 {
    PageLimits::default().depth
}

fn most_seconds() -> u32 {
    PageLimits::default().seconds
}

fn one_percent() -> Share {
    Share::of(0.01)
}

/// Which keys of a JSON object, or columns of a table, hold what.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ColumnsRecipe {
    /// The text; `text` by default.
    pub text: Option<String>,
    /// The user's id; `id` by default.
    pub id: Option<String>,
    /// The URL; `url` by default.
    pub url: Option<String>,
    /// The date of capture; `date` by default.
    pub date: Option<String>,
    /// The title; `title` by default.
    pub title: Option<String>,
    /// The language; `language` by default.
    pub language: Option<String>,
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

/// A benchmark: the data of a task, or files.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BenchmarkRecipe {
    /// A task's file, or the name of a shipped one, of whose held-out examples the task's fields are looked for; of all where none are held out.
    #[schemars(with = "Option<String>")]
    pub task: Option<Text>,
    /// Files of examples, packed or not: `.jsonl` is JSON lines, `.json` one JSON value, of which every object with
    /// strings is an example, and of other files each line is one; `*` stands for any name.
    #[schemars(with = "Option<Vec<String>>")]
    pub files: Option<Vec<Text>>,
    /// For files of JSON: the keys whose strings are looked for; all by default.
    pub fields: Option<Vec<String>>,
}

/// How facts are measured.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct FactsRecipe {
    /// The model that tells languages.
    pub language: Option<LanguageFacts>,
    /// The tokenizer that counts tokens.
    pub tokens: Option<TokenFacts>,
    /// Lists of domains and words to look for in URLs.
    pub urls: Option<UrlFacts>,
    /// Parameters of MinHash.
    #[schemars(with = "Option<BandsChoice>")]
    pub bands: Option<Spanned<BandsChoice>>,
    /// Posts that link to pages.
    pub links: Option<LinkFacts>,
    /// What is looked for of benchmarks.
    #[schemars(with = "Option<OverlapFacts>")]
    pub overlaps: Option<Spanned<OverlapFacts>>,
}

/// Posts that link to pages: JSON lines, packed or not, each with a URL and a score.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LinkFacts {
    /// The files.
    #[schemars(with = "Vec<String>")]
    pub posts: Vec<Text>,
    /// The key of the URL.
    #[serde(default = "url_key")]
    pub url: String,
    /// The key of the score.
    #[serde(default = "score_key")]
    pub score: String,
}

fn url_key() -> String {
    "url".into()
}

fn score_key() -> String {
    "score".into()
}

/// Word n-grams of benchmarks.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct OverlapFacts {
    /// Words in an n-gram of a long example.
    pub max_ngram: usize,
    /// Fewest words of an example that is looked for as a whole.
    pub min_ngram: usize,
    /// Characters on either side of an n-gram that are cut with it.
    pub context_chars: usize,
}

impl Default for OverlapFacts {
    /// GPT-3's (Brown et al. 2020, appendix C).
    fn default() -> Self {
        let NgramLengths { max, min } = NgramLengths::default();
        Self { max_ngram: max, min_ngram: min, context_chars: OverlapsConfig::CONTEXT_CHARS }
    }
}

/// The model that tells languages.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LanguageFacts {
    /// A fastText model, `.bin` or `.ftz`.
    #[schemars(with = "String")]
    pub model: Text,
}

/// The tokenizer that counts tokens.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenFacts {
    /// A `tokenizer.json`.
    #[schemars(with = "String")]
    pub tokenizer: Text,
}

/// Lists of domains and words: files, packed or not, with a domain or word a line; lines that begin with `#`
/// are comments.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct UrlFacts {
    /// Domains; what lies below one counts as well.
    #[schemars(with = "Vec<String>")]
    pub domains: Vec<Text>,
    /// Words, between punctuation, of which one is enough.
    #[schemars(with = "Vec<String>")]
    pub words: Vec<Text>,
    /// Words of which one is not enough.
    #[schemars(with = "Vec<String>")]
    pub soft_words: Vec<Text>,
    /// Parts of words, found in a URL without `-` and `.`.
    #[schemars(with = "Vec<String>")]
    pub parts: Vec<Text>,
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
