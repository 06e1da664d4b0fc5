//! The end of a run: the ledger must close, then it is published with the manifest.

mod cuts;
mod drawn;
mod manifest;
mod mixtures;
mod sources;
mod stages;

use std::{collections::BTreeSet, path::PathBuf};

use schemas::ledger::Ledger;

use self::{drawn::Drawn, manifest::manifest};
use super::{context::Run, mixtures::Mixed, outcome::Outcome};
use crate::{
    error::Result,
    files::{ledger, remove_others, write_json},
};

/// The accounts of a run.
///
/// - reads: all decisions, `facts/records/`, the mixtures' files
/// - writes: `ledger.json`, `manifest.json`; removes what other runs have left
pub struct Accounts<'r> {
    pub run: &'r Run<'r>,
}

impl Accounts<'_> {
    /// Draws up the ledger, which must close before a mixture takes the place of its predecessor.
    pub async fn draw(&self, mixed: &[Mixed]) -> Result<Ledger> {
        let Self { run } = self;
        let is_counted = |path: &str| path.starts_with("decisions/") || path.starts_with("facts/records/");
        run.units.verify(&run.made().paths(is_counted))?;
        let drawn = &Drawn::from(run);
        let ledger = Ledger {
            stages: stages::entries(drawn).await?,
            lost: sources::lost(drawn).await?,
            cleaning: sources::cleaning(drawn).await?,
            truncated: sources::truncated(drawn).await?,
            cuts: cuts::entries(drawn).await?,
            mixtures: mixtures::entries(drawn, mixed).await?,
        };
        ledger.check()?;
        Ok(ledger)
    }

    /// Publishes the ledger and the manifest, and removes files that no stage of this run has made.
    pub fn close(&self, ledger: Ledger) -> Result<Outcome> {
        let Self { run } = self;
        ledger::write(&ledger, &run.layout.ledger())?;
        write_json(&run.layout.manifest(), &manifest(run, &ledger))?;
        self.remove_superseded()?;
        let [found, ran] = run.made().counts();
        Ok(Outcome { ledger, found, ran })
    }

    /// Removes what other runs in this folder have left: their successors are all published by now.
    fn remove_superseded(&self) -> Result<()> {
        let keep: BTreeSet<PathBuf> = self.run.made().paths(|_| true).into_iter().collect();
        for folder in ["documents", "facts", "decisions", "models", "mixtures", "quarantine", "survivors"] {
            remove_others(&self.run.layout.out().join(folder), &keep)?;
        }
        Ok(())
    }
}
