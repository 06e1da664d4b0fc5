//! Weights of a mixture from small models: many are trained on random mixtures of the same sources, laws are fitted to what they reach, and the
//! weights that these propose are tried.
//!
//! ```text
//! mix.toml: a pretraining (the proxy), how many runs, what is wanted    (config, checked)
//!   -> weights drawn at random, a run each, several at once             (run)
//!   -> runs.jsonl: weights, losses, curves                              (rows)
//!   -> laws, proposals, intervals                                       (fit)
//!   -> what the proposals reach, beside the prior and other weights     (trials)
//!   -> weights.toml, fit.json, trials.json, report.html                 (page)
//! ```
//!
//! Useful for: how much of each source is worth its place, before a large model is trained. Not useful for: which documents of a source are.

mod checked;
mod config;
mod fit;
mod page;
mod rows;
mod run;
mod trials;

pub use checked::Mix;
pub use config::{MixConfig, TargetConfig, TrialsConfig};
pub use fit::{LawAnswer, MixFit, MixOptions, Repetition, fit_mix};
pub use rows::RunRow;
pub(super) use rows::shares_of;
pub use run::{MixOutcome, run_mix};
pub use trials::{Trial, Trials};
