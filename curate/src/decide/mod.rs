//! Verdicts, as relational plans over small columns.
//!
//! ```text
//! read -> step -> step -> ... -> mixture     each: kept documents of the stage before + facts -> verdict, reason
//! ```
//!
//! A verdict keeps, cuts or drops; what is dropped has a reason. Every stage writes one row for each document that came to it,
//! sorted by id. No text is read here.
//!
//! Useful for: everything that follows from facts. Not useful for: facts; see [`crate::measure`].

mod after_cuts;
mod budget;
mod c4;
mod clusters;
mod contamination_cuts;
mod cuts;
mod decontaminate;
mod duplicates;
mod fineweb;
mod fitted_alpha;
mod functions;
mod gopher;
mod index;
mod language;
mod linked;
mod mixture;
mod node;
mod numbers;
mod pareto;
mod read;
mod sample;
mod splits;
mod substrings;
mod tables;
mod threshold;
mod top;
mod urls;
mod verdict;
pub mod weights;

pub use after_cuts::{AfterCutsRule, after_cuts, cut_substrings};
pub use budget::{Budget, MixtureAccount, Share, SourceAccount, Unit, largest_whole};
pub use c4::C4Quality;
pub use clusters::{ClusterAccount, ClusterConfig, ClusterExec, Verification, clusters_schema};
pub use contamination_cuts::{ContaminationCuts, windows};
pub use cuts::{CutFunction, CutText, cuts_of, cuts_type};
pub use decontaminate::{BenchmarkAccount, Contamination, DecontaminationRule, common_ngrams, decontaminate, overlaps};
pub use duplicates::{DedupKey, DuplicateFacts, DuplicateRule, KeepPolicy, duplicates, reads_captures};
pub use fineweb::FinewebQuality;
pub use fitted_alpha::{FittedAlpha, score_counts};
pub use functions::{Chance, ChanceFunction, SplitShards, sampled_template};
pub use gopher::{GopherQuality, GopherRepetition, SharesOf, WordLength};
pub use index::{BandsCard, DuplicateIndex, known_hashes};
pub use language::LanguageRule;
pub use linked::LinkedRule;
pub use mixture::{MaxExamples, MixtureRule, SizeFacts, Totals, mixture, totals};
pub(crate) use node::rows;
pub use pareto::{Alpha, Fit, ParetoRule};
pub use read::read;
pub use sample::{Sampled, sample};
pub use splits::SplitRule;
pub use substrings::{SubstringsConfig, SubstringsExec, substrings_schema};
pub use tables::Tables;
pub use threshold::ThresholdRule;
pub use top::{ShareUnit, TopRule, top};
pub use urls::UrlRule;
pub use verdict::{Rule, Unknown, apply, is_of};
pub use weights::Weights;

/// The versions of what is no [`Rule`], each where its code stands.
pub mod versions {
    pub use super::{
        after_cuts::VERSION as AFTER_CUTS, clusters::VERSION as CLUSTERS, decontaminate::VERSION as DECONTAMINATE,
        duplicates::VERSION as DUPLICATES, fitted_alpha::VERSION as ALPHA, mixture::VERSION as MIXTURE,
        read::VERSION as READ, sample::VERSION as SAMPLE, substrings::VERSION as SUBSTRINGS, top::VERSION as TOP,
        verdict::VERSION as VERDICT,
    };
}
