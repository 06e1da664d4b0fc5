//! How a loss falls with size: one law of parameters and tokens, fitted to trainings of several sizes.
//!
//! ```text
//! points: parameters, tokens, loss -> E + A / N^alpha + B / D^beta (law) -> what other sizes will reach, and which is best for a budget
//! ```
//!
//! Numbers in, numbers out: it knows neither models nor files.
//!
//! Useful for: trainings that differ in size alone, each to the end of its schedule. Not useful for: losses in the midst of one, whose learning rate
//! has not come down; how a loss depends on the data.
//!
//! Source: Hoffmann et al. 2022, approach 3 and appendix D.3; Besiroglu et al. 2024 for how little such a fit may determine.

mod law;

pub use law::{LEAST_POINTS, LEAST_SIZES, Point, ScalingLaw};
