//! Verdicts, as relational plans over small columns.
//!
//! ```text
//! read -> step -> step -> ... -> mixture     each: kept documents of the stage before + facts -> verdict, reason
//! ```
//!
//! A verdict keeps, cuts or drops; what is dropped has a reason. Every stage writes one row for each document that came to it,
//! sorted by id. Text is read to check candidates and find substrings alone.
//!
//! Useful for: everything that follows from facts. Not useful for: facts; see [`crate::measure`].

mod budget;
mod clusters;
mod contamination;
mod contamination_cuts;
mod cuts;
mod duplicates;
mod fitted_alpha;
mod functions;
mod index;
mod mixture;
mod numbers;
mod read;
mod sample;
mod splits;
mod steps;
mod substrings;
mod tables;
mod verdict;
pub mod weights;

pub use budget::{Budget, MixtureAccount, Share, SourceAccount, Unit, largest_whole};
pub use clusters::{ClusterAccount, ClusterConfig, ClusterExec, Verification, clusters_schema};
pub use contamination::{BenchmarkAccount, Contamination, common_ngrams, overlaps};
pub use contamination_cuts::{ContaminationCuts, windows};
pub use cuts::{CutText, cuts_of, cuts_type};
pub use duplicates::{DedupKey, DuplicateFacts, DuplicateRule, KeepPolicy, duplicates};
pub use fitted_alpha::{FittedAlpha, score_counts};
pub use functions::{Chance, SplitShards, sampled_template};
pub use index::{BandsCard, DuplicateIndex, known_hashes};
pub use mixture::{MaxExamples, MixtureRule, Requirement, SizeFacts, Totals, mixture, totals};
pub use read::read;
pub use sample::{Sampled, sample};
pub use splits::SplitRule;
pub use steps::*;
pub use substrings::{SubstringsConfig, SubstringsExec, substrings_schema};
pub use tables::Tables;
pub use verdict::{Rule, Unknown, apply, is_of};
pub use weights::Weights;

/// The versions of what is no [`Step`], each where its code stands.
pub mod versions {
    pub use super::{
        clusters::VERSION as CLUSTERS, fitted_alpha::VERSION as ALPHA, mixture::VERSION as MIXTURE,
        read::VERSION as READ, sample::VERSION as SAMPLE, substrings::VERSION as SUBSTRINGS,
        verdict::VERSION as VERDICT,
    };
}
