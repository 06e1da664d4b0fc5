//! What the user wrote, and the checked plan that it becomes.
//!
//! ```text
//! TOML -> Recipe (typed, closed) -> check: files, names, references -> Plan
//! ```
//!
//! Every fault of a recipe is found here, before any work starts, and named with its line.

mod check;
mod classifiers;
mod mixture_recipe;
mod mixtures;
mod model;
mod plan;
mod steps;
mod unused;

pub use model::Recipe;
pub use plan::{ClassifierPlan, MixturePlan, Plan, StepPlan};
pub use unused::unused_sources;
