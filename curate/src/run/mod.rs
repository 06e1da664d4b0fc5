//! Walking the plan: stages in their order, units on all cores, and nothing that is done twice.
//!
//! ```text
//! read (documents, facts) -> clusters -> classifiers, scores -> steps -> mixtures -> ledger, manifest
//! ```
//!
//! Each stage is a type of its own, whose docs say what it reads and what it writes; it borrows the run, which is what all stages share.
//!
//! Useful for: running a checked recipe. Not useful for: what a stage does; each has its room.

mod accounts;
mod classifiers;
mod clusters;
mod context;
mod facts;
mod folder;
mod made;
mod mixtures;
mod options;
mod outcome;
mod pipe;
mod plans;
mod progress;
mod publishing;
mod read;
mod source_file;
mod steps;
mod survivors;
mod tables;
mod units;
mod why;

pub use options::Options;
pub use outcome::{Outcome, Survivors};
pub use pipe::{Left, Pipe};
pub use plans::{explain, explained_stages};
pub use progress::{Progress, Silent};
pub use why::{Fate, why};

use self::{
    accounts::Accounts,
    classifiers::Classifiers,
    clusters::{Clusters, cluster_account},
    context::Run,
    mixtures::Mixtures,
    read::{ReadVerdicts, Sources},
    steps::{Steps, contamination},
    survivors::SurvivorFiles,
};
use crate::{decide::Contamination, error::Result, recipe::Plan};

/// Runs a plan without mixtures, and copies the documents of `source` that its steps keep, in their files and in their order, to
/// `survivors/`; `clusters.parquet` says which are near-duplicates.
///
/// # Errors
/// As for [`run`].
pub async fn dedup(plan: Plan, source: &str, options: &Options, progress: &dyn Progress) -> Result<Survivors> {
    let run = Run::start(plan, options, progress)?;
    walk_dedup(&run, source).await.map_err(|error| run.units.named(error))
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
    walk_decontaminate(&run, source).await.map_err(|error| run.units.named(error))
}

/// Runs a plan, or goes on with it where it was stopped.
///
/// # Errors
/// When a source has nothing or too many faults, a disk is full, a mixture cannot be made: the error names the thing. What
/// was finished stays, and is not done again.
pub async fn run(plan: Plan, options: &Options, progress: &dyn Progress) -> Result<Outcome> {
    let run = Run::start(plan, options, progress)?;
    walk(&run).await.map_err(|error| run.units.named(error))
}

/// The stages of [`dedup`].
async fn walk_dedup(run: &Run<'_>, source: &str) -> Result<Survivors> {
    Sources { run }.read().await?;
    ReadVerdicts { run }.decide().await?;
    if let Some(clusters) = Clusters::of(run) {
        clusters.find().await?;
    }
    Steps { run }.decide().await?;
    SurvivorFiles::of(run, source).write().await?;
    let account = cluster_account(run)?;
    let accounts = Accounts { run };
    let ledger = accounts.draw(&[]).await?;
    Ok(Survivors { outcome: accounts.close(ledger)?, account })
}

/// The stages of [`decontaminate`].
async fn walk_decontaminate(run: &Run<'_>, source: &str) -> Result<(Outcome, Contamination)> {
    Sources { run }.read().await?;
    ReadVerdicts { run }.decide().await?;
    Steps { run }.decide().await?;
    SurvivorFiles::of(run, source).write().await?;
    let contamination = contamination(run, &run.last_stage())?;
    let accounts = Accounts { run };
    let ledger = accounts.draw(&[]).await?;
    Ok((accounts.close(ledger)?, contamination))
}

/// The stages of [`run`].
async fn walk(run: &Run<'_>) -> Result<Outcome> {
    Sources { run }.read().await?;
    ReadVerdicts { run }.decide().await?;
    if let Some(clusters) = Clusters::of(run) {
        clusters.find().await?;
    }
    Classifiers { run }.train().await?;
    Steps { run }.decide().await?;
    let (mixtures, accounts) = (Mixtures { run }, Accounts { run });
    let mixed = mixtures.write().await?;
    let ledger = accounts.draw(&mixed).await?;
    mixtures.publish(mixed)?;
    accounts.close(ledger)
}
