//! How the loss falls with size: a ladder of small models is trained, a law fitted to it, and the largest of them, which the fit has not seen,
//! forecast.
//!
//! ```text
//! scale.toml: a pretraining, sizes, tokens for each parameter          (config)
//!   -> a training of each, several at once                             (run)
//!   -> points.jsonl: parameters, tokens, loss
//!   -> the law, its intervals, the forecast of what was left out       (fit)
//!   -> scale.json, report.html                                         (page)
//! ```
//!
//! Useful for: how large a model should be for a budget, and what it will reach. Not useful for: which learning rate suits a size; that is a rule
//! that is stated beforehand.

mod config;
mod fit;
mod page;
mod run;

pub use config::{Counted, ScaleConfig};
pub use fit::{Forecast, ScaleFit, ScaleOptions, fit_points, read_points};
pub use run::{Scale, run_scale};
