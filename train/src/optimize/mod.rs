//! From gradients to the next weights.

mod adamw;
mod gradients;
mod schedule;

pub use adamw::{AdamW, AdamWConfig, Moments};
pub use gradients::Gradients;
pub use schedule::{Curve, Decay, Schedule, Shape};
