//! Weights of sources, from runs of small models on other weights: laws that say what a mixture will reach, and the mixture that one proposes.
//!
//! ```text
//! runs: weights -> loss on each domain (runs)
//!   -> a law for each domain (law: linear, log-linear, quadratic, exponential, trees)
//!   -> how well each law ranks runs that it has not seen (cross_validation)
//!   -> the weights for which an objective is least, within bounds (proposal)
//! ```
//!
//! Numbers in, numbers out: it knows neither models nor files.
//!
//! Useful for: runs at one size, told from others by their weights alone. Not useful for: how a loss goes down with size.
//!
//! Source: Ye et al. 2024 (data mixing laws), Liu et al. 2024 (`RegMix`), Olmix 2026 for bounds and for the term that holds weights to a prior.

mod cross_validation;
mod exponential;
mod law;
mod objective_law;
mod proposal;
mod regression;
mod runs;
mod trees;

pub use cross_validation::{Validated, cross_validate};
pub use law::{Law, LawKind};
pub use objective_law::ObjectiveLaw;
pub use proposal::{Bounds, BoundsFault, propose};
pub use runs::{Objective, Runs};
