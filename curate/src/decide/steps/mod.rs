//! The steps of a recipe, each in a file of its own, and the list of them.
//!
//! ```text
//! [[step]] KEY = {...} -> StepRecipe -> check, in its Scope -> Step: facts, description, verdicts
//! ```
//!
//! Recipe, schema, plan, run and `curate check` know a step by this list and by what [`Step`] says. A rule over one family of facts is a
//! [`Rule`](super::Rule) and a [`RuleStep`], and has the rest from them.
//!
//! Useful for: whatever drops, keeps or cuts by facts. Not useful for: reading texts, which a [`Search`] of the run does before.

use std::sync::Arc;

use schemars::JsonSchema;
use schemas::toml_file::{Spanned, TomlError};
use serde::Deserialize;

mod after_cuts;
mod c4_quality;
mod decontaminate;
mod dedup;
mod facts;
mod fineweb_quality;
mod gopher_quality;
mod gopher_repetition;
mod language;
mod length;
mod linked;
mod nemo_quality;
mod pareto;
mod presets;
mod scope;
mod stage;
mod step;
mod step_recipe;
mod substring_dedup;
mod threshold;
mod top;
mod urls;

pub use after_cuts::{AfterCuts, AfterCutsRule, after_cuts};
pub use c4_quality::C4Quality;
pub use decontaminate::{DecontaminationRule, decontaminate};
pub use dedup::{Dedup, DedupRecipe};
pub use facts::Facts;
pub use fineweb_quality::FinewebQuality;
pub use gopher_quality::{GopherQuality, SharesOf, WordLength};
pub use gopher_repetition::GopherRepetition;
pub use language::LanguageRule;
pub use length::LengthRule;
pub use linked::LinkedRule;
pub use nemo_quality::NemoQuality;
pub use pareto::{Alpha, Fit, ParetoRecipe, ParetoRule};
pub use presets::Preset;
pub use scope::Scope;
pub use stage::{Found, Search, Stage};
pub use step::{Keyed, RuleStep, Settings, Step, Steps};
use step_recipe::steps;
pub use substring_dedup::{SubstringDedup, SubstringDedupRecipe};
pub use threshold::{ThresholdRecipe, ThresholdRule};
pub use top::{ShareUnit, TopRecipe, TopRule, top};
pub use urls::UrlRule;

steps! {
    /// Keep documents in some languages.
    language: LanguageRule,
    /// Keep documents of a length: in words, characters or lines, with at least one limit.
    #[schemars(with = "Option<LengthRule>")]
    length: Spanned<LengthRule> => LengthRule::check,
    /// Keep what passes the Gopher quality rules.
    gopher_quality: GopherQuality,
    /// Drop what the Gopher repetition rules drop.
    gopher_repetition: GopherRepetition,
    /// Keep what passes FineWeb's own rules.
    fineweb_quality: FinewebQuality,
    /// Keep what passes C4's rules on pages.
    c4_quality: C4Quality,
    /// Keep what passes NeMo Curator's rules on characters: digits, white space, brackets, signs.
    nemo_quality: NemoQuality,
    /// Drop what lists of domains and words name; needs `[facts.urls]`.
    urls: UrlRule,
    /// Keep pages that people have linked to, and liked; needs `[facts.links]`.
    linked: LinkedRule,
    /// The rules of a well-known dataset, each a step of its own.
    preset: Preset => Preset::steps,
    /// Keep one document of each URL, by default the one that was captured last.
    url_dedup: DedupRecipe => DedupRecipe::by_url,
    /// Keep one document of each text. Two texts are the same to the byte, but for how characters are composed (Unicode's NFC), repeated
    /// spaces, blank lines, and white space at the ends of lines. A line's indent counts.
    exact_dedup: DedupRecipe => DedupRecipe::by_text,
    /// Keep one document of each normalized text: without case, accents, punctuation and signs, white space and the value of numbers, so
    /// that `3 + 4` and `30 - 12` are one. For prose, and not for tables, sums or code. Marks that carry letters count.
    normalized_dedup: DedupRecipe => DedupRecipe::by_normalized_text,
    /// Keep one document of each cluster of near-duplicates, found by MinHash; `[facts.bands]` and `[clusters]` say how near.
    fuzzy_dedup: DedupRecipe => DedupRecipe::by_cluster,
    /// Cut out of documents what stands in another place, too (Lee et al. 2022).
    #[schemars(with = "Option<SubstringDedupRecipe>")]
    substring_dedup: Spanned<SubstringDedupRecipe> => SubstringDedup::check,
    /// Cut out of documents what stands in a `[benchmark]`.
    #[schemars(with = "Option<DecontaminationRule>")]
    decontaminate: Spanned<DecontaminationRule> => DecontaminationRule::check,
    /// Keep documents with at least some score of a classifier.
    threshold: ThresholdRecipe => ThresholdRecipe::check,
    /// Keep the documents with the highest scores of a classifier.
    top: TopRecipe => TopRecipe::check,
    /// Sample documents by a classifier's score, with a Pareto distribution.
    pareto: ParetoRecipe => ParetoRecipe::check,
}
