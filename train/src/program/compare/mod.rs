//! Which data is better: the same model on several mixtures, with the same seeds and as many tokens.
//!
//! ```text
//! compare.toml: a pretraining, arms, seeds     (config)
//!   -> a training of each arm and seed, several at once, until it is decided   (run)
//!   -> means, differences from the baseline seed by seed, intervals            (outcome)
//!   -> compare.json, report.html                                               (page)
//! ```
//!
//! A seed decides how a model begins and in which order it reads: two arms of one seed differ in their data alone, and so their difference has less
//! noise than each of them.
//!
//! Useful for: whether a rule, a filter or weights are worth their place. Not useful for: how much of each source is best; see [`super::mix`].

mod config;
mod outcome;
mod page;
mod run;

pub use config::{ArmConfig, CompareConfig};
pub use outcome::{ArmOutcome, CompareOutcome, Difference};
pub use run::{Compare, run_compare};
