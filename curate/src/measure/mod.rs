//! Facts about documents, in families.
//!
//! A family is a dataset of its own, `facts/FAMILY/SOURCE/part-*.parquet`, joined by id and never by position. No threshold
//! is known here; what a fact depends on, such as a model or the number of bands, is the family's configuration. The families are listed here;
//! each stands in a file of its own, as `family.rs` says.
//!
//! ```text
//! documents -> text -> kernels and models, on all cores -> one struct a row -> facts/FAMILY
//! ```
//!
//! Useful for: whatever a verdict may ask about one document. Not useful for: verdicts; see [`crate::decide`].

mod asked;
mod bands;
mod bands_config;
mod c4_lines;
mod family;
mod fingerprints;
mod function;
mod language;
mod links;
mod model_file;
mod overlaps;
mod score;
mod tokens;
mod urls;
mod words;

use datafusion::arrow::datatypes::Fields;
use schemars::JsonSchema;
use schemas::toml_file::Spanned;
use serde::{Deserialize, Serialize};

use self::{
    family::{FactFamily, Measure, families},
    language::LanguageFacts,
    links::LinkFacts,
    overlaps::OverlapFacts,
    tokens::TokenFacts,
    urls::UrlFacts,
};
use crate::{
    error::Result,
    files::Version,
    text::{c4::LineRules, sameness::Sameness},
};

pub use asked::{Asked, Need};
pub use bands::{BandHasher, VERSION as BANDS_VERSION};
pub use bands_config::{BandsChoice, BandsConfig, BandsPreset};
pub use family::Family;
pub use links::PostFiles;
pub use model_file::ModelFile;
pub use overlaps::{OverlapsConfig, each_text, overlap_fields};
pub use urls::UrlFiles;

families! {
    /// Counts of words, lines and signs.
    Words => words::Words;
    /// The language, by a fastText model.
    Language(model: ModelFile) => language::Languages;
    /// The number of tokens, by a `tokenizer.json`.
    Tokens(tokenizer: ModelFile) => tokens::Tokens;
    /// What lists find in the URL.
    Urls(lists: UrlFiles) => urls::Urls;
    /// Posts that link to the page.
    Links(posts: PostFiles) => links::Links;
    /// What C4's rules on lines find.
    C4Lines(rules: LineRules) => c4_lines::C4Lines;
    /// A hash of the form in which texts are the same.
    Fingerprints(sameness: Sameness) => fingerprints::Fingerprints;
    /// The bands of a MinHash signature.
    Bands(config: BandsConfig) => bands::Bands;
    /// N-grams of benchmarks.
    Overlaps(config: OverlapsConfig) => overlaps::Overlaps;
    /// The score of a classifier that was trained before.
    Score(model: ModelFile) => score::Scores;
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

impl FactsRecipe {
    /// What `[facts]` has to say of a family before anything can read it, where it does not.
    #[must_use]
    pub fn missing(&self, family: &str) -> Option<&'static str> {
        let (is_there, what) = match family {
            "language" => (self.language.is_some(), "a model"),
            "tokens" => (self.tokens.is_some(), "a tokenizer"),
            "urls" => (self.urls.is_some(), "lists"),
            "links" => (self.links.is_some(), "posts"),
            _ => return None,
        };
        (!is_there).then_some(what)
    }
}
