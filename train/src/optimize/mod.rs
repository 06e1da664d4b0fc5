//! From gradients to the next weights.
//!
//! ```text
//! [optimizer] -> an optimizer of the list (config) -> states and steps of a module's parameters (module_optimizer)
//!                adamw, adafactor, muon: one file      groups: learning rates, decay, freezing by pattern
//! weights     -> their average (weight_average)
//! ```

mod adafactor;
mod adamw;
mod config;
mod gradients;
mod groups;
mod module_optimizer;
mod muon;
mod optimizer;
mod schedule;
mod weight_average;

pub use adafactor::Adafactor;
pub use adamw::AdamW;
pub use config::{KeyFault, OptimizerConfig, OptimizerName};
pub use gradients::Gradients;
pub use groups::{Groups, ParameterGroup};
pub use module_optimizer::ModuleOptimizer;
pub use muon::Muon;
pub use optimizer::{Optimizer, ParameterStep};
pub use schedule::{Curve, Decay, Schedule, Shape};
pub use weight_average::WeightAverage;
