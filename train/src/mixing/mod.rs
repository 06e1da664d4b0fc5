//! Weights of sources, from runs of small models on other weights: laws that say what a mixture will reach, and the mixture that one proposes.
//!
//! ```text
//! weights that runs are to have, drawn about a mean (dirichlet)
//! runs: weights -> loss on each domain, and what it was before the end (runs, curves)
//!   -> a law for each domain (law: linear, log-linear, quadratic, exponential, trees)
//!   -> how well each law ranks runs that it has not seen (cross_validation)
//!   -> the weights for which an objective is least, within bounds (proposal)
//!   -> the weights that follow from how good each source is alone (rule)
//! ```
//!
//! Numbers in, numbers out: it knows neither models nor files.
//!
//! Useful for: runs at one size, told from others by their weights alone. Not useful for: how a loss goes down with size.
//!
//! Source: Ye et al. 2024 (data mixing laws), Liu et al. 2024 (`RegMix`), Olmix 2026 for bounds and for the term that holds weights to a prior.

mod cross_validation;
mod curves;
mod dirichlet;
mod exponential;
mod law;
mod objective_law;
mod proposal;
mod regression;
mod rule;
mod runs;
mod trees;

pub use cross_validation::{Validated, cross_validate};
pub use curves::{curve_points, smoothed};
pub use dirichlet::draw_weights;
pub use law::{Law, LawKind};
pub use objective_law::ObjectiveLaw;
pub use proposal::{Bounds, BoundsFault, propose};
pub use rule::weights_by_rule;
pub use runs::{Objective, Runs};
