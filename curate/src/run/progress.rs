//! What a run tells while it works.

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
