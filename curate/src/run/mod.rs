//! Walking the plan: stages in their order, units on all cores, and nothing that is done twice.
//!
//! ```text
//! read (documents, facts) -> clusters -> classifiers, scores -> steps -> mixtures -> ledger, manifest
//! ```
//!
//! Useful for: running a checked recipe. Not useful for: what a stage does; each has its room.

mod accounts;
mod alpha;
mod context;
mod deciding;
mod decontaminating;
mod fitting;
mod mixing;
mod pipe;
mod plans;
mod progress;
mod reading;
mod staging;
mod steps;
mod substrings;
mod surviving;
mod why;

use std::path::PathBuf;

use schemas::ledger::Ledger;

pub use pipe::{Left, Pipe};
pub use plans::{explain, explained_stages};
pub use progress::{Progress, Silent};
pub use why::{Fate, why};

use self::context::Run;
use crate::{
    decide::{ClusterAccount, Contamination},
    engine::Engine,
    error::Result,
    recipe::Plan,
};

/// How a recipe is run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The output folder.
    pub out: PathBuf,
    /// Where plans run.
    pub engine: Engine,
    /// Threads, 1 or more.
    pub threads: usize,
    /// Bytes that sorts, joins and clusters may hold.
    pub memory: usize,
    /// Start over, even where finished units are found.
    pub fresh: bool,
}

/// What a run has done.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The account of every stage.
    pub ledger: Ledger,
    /// Units that were found done.
    pub found: u64,
    /// Units that were run.
    pub ran: u64,
}

/// What a removal of duplicates has done.
#[derive(Debug, Clone, PartialEq)]
pub struct Survivors {
    /// The account of every stage.
    pub outcome: Outcome,
    /// What was counted when clusters were found.
    pub account: ClusterAccount,
}

/// Runs a plan without mixtures, and copies the documents of `source` that its steps keep, in their files and in their order, to
/// `survivors/`; `clusters.parquet` says which are near-duplicates.
///
/// # Errors
/// As for [`run`].
pub async fn dedup(plan: Plan, source: &str, options: &Options, progress: &dyn Progress) -> Result<Survivors> {
    let run = Run::start(plan, options, progress)?;
    run.dedup(source).await.map_err(|error| run.named(error))
}

/// Runs a plan without mixtures that ends with a step on benchmarks, and copies the documents of `source` that it keeps, without what it
/// cuts, in their files and in their order, to `survivors/`.
///
/// # Errors
/// As for [`run`].
pub async fn decontaminate(
    plan: Plan,
    source: &str,
    options: &Options,
    progress: &dyn Progress,
) -> Result<(Outcome, Contamination)> {
    let run = Run::start(plan, options, progress)?;
    run.decontaminate(source).await.map_err(|error| run.named(error))
}

/// Runs a plan, or goes on with it where it was stopped.
///
/// # Errors
/// When a source has nothing or too many faults, a disk is full, a mixture cannot be made: the error names the thing. What
/// was finished stays, and is not done again.
pub async fn run(plan: Plan, options: &Options, progress: &dyn Progress) -> Result<Outcome> {
    let run = Run::start(plan, options, progress)?;
    run.walk().await.map_err(|error| run.named(error))
}

impl Run<'_> {
    /// The stages of [`dedup`].
    async fn dedup(&self, source: &str) -> Result<Survivors> {
        self.read_sources().await?;
        self.decide_read().await?;
        self.find_clusters().await?;
        self.decide_steps().await?;
        self.write_survivors(source).await?;
        let account = self.cluster_account()?;
        let ledger = self.draw_ledger(&[]).await?;
        Ok(Survivors { outcome: self.close_accounts(ledger)?, account })
    }

    /// The stages of [`decontaminate`].
    async fn decontaminate(&self, source: &str) -> Result<(Outcome, Contamination)> {
        self.read_sources().await?;
        self.decide_read().await?;
        self.decide_steps().await?;
        self.write_survivors(source).await?;
        let contamination = self.contamination(&self.last_stage())?;
        let ledger = self.draw_ledger(&[]).await?;
        Ok((self.close_accounts(ledger)?, contamination))
    }

    /// The stages of [`run`].
    async fn walk(&self) -> Result<Outcome> {
        self.read_sources().await?;
        self.decide_read().await?;
        self.find_clusters().await?;
        self.train_classifiers().await?;
        self.decide_steps().await?;
        let mixed = self.write_mixtures().await?;
        let ledger = self.draw_ledger(&mixed).await?;
        self.publish_mixtures(mixed)?;
        self.close_accounts(ledger)
    }
}
