//! What a training tells: to a file, and to whoever watches.

use super::{Evaluated, Metrics, Stepped};
use crate::error::Result;

/// Takes what a training tells while it runs; printing is its own affair.
pub trait Progress {
    /// Some steps were taken; `left` seconds remain at this pace.
    fn stepped(&mut self, stepped: &Stepped, steps: u64, left: f64);
    /// The model was evaluated.
    fn evaluated(&mut self, evaluated: &Evaluated);
    /// Something that one should know.
    fn note(&mut self, text: &str);
}

/// Metrics and progress together.
pub struct Log<'p> {
    /// The file.
    pub metrics: Metrics,
    /// Whoever watches.
    pub progress: &'p mut dyn Progress,
    /// Steps in all.
    pub steps: u64,
    /// Steps of the line before.
    pub before: u64,
}

impl Log<'_> {
    /// A line about steps.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn stepped(&mut self, stepped: Stepped) -> Result<()> {
        let pace = stepped.seconds / (stepped.step - self.before).max(1) as f64;
        self.before = stepped.step;
        self.progress.stepped(&stepped, self.steps, pace * (self.steps - stepped.step) as f64);
        self.metrics.push(&stepped);
        self.metrics.flush()
    }

    /// A line about an evaluation.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn evaluated(&mut self, evaluated: &Evaluated) -> Result<()> {
        self.progress.evaluated(evaluated);
        self.metrics.push(evaluated);
        self.metrics.flush()
    }

    /// Brings the lines to the file.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn flush(&mut self) -> Result<()> {
        self.metrics.flush()
    }
}
