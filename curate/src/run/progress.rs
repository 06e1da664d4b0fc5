//! What a run tells while it works.

use std::{future::Future, time::Instant};

use crate::error::Result;

/// Takes what a run tells; printing is its own affair.
pub trait Progress: Send + Sync {
    /// A stage begins, with so many units of work.
    fn begin(&self, stage: &str, units: u64);
    /// One of its units is done.
    fn advance(&self);
    /// It is done, in so many seconds, with a word about what it did.
    fn end(&self, stage: &str, seconds: f64, note: &str);
}

/// Tells nobody.
#[derive(Debug, Clone, Copy)]
pub struct Silent;

impl Progress for Silent {
    fn begin(&self, _: &str, _: u64) {}

    fn advance(&self) {}

    fn end(&self, _: &str, _: f64, _: &str) {}
}

/// Tells of a stage while `work` goes on, which gives its result and a word about what it did.
pub async fn told<T>(
    progress: &dyn Progress,
    stage: &str,
    units: u64,
    work: impl Future<Output = Result<(T, String)>>,
) -> Result<T> {
    let start = Instant::now();
    progress.begin(stage, units);
    let (result, note) = work.await?;
    progress.end(stage, start.elapsed().as_secs_f64(), &note);
    Ok(result)
}
