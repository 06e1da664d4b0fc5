//! The folder in which a mixture is made, aside from where it will stand, and the units of that.

use std::{future::Future, path::PathBuf};

use super::stage::MixtureStage;
use crate::{
    error::Result,
    files::{Inputs, units::Mark},
    run::{made::Files, units::Origin},
};

/// A mixture that is being made.
pub struct Staging<'s> {
    pub stage: &'s MixtureStage<'s>,
    /// What its files follow from, and how it is divided.
    pub origin: Origin,
    pub inputs: &'s Inputs,
    /// Where its files are made.
    pub folder: PathBuf,
}

impl Staging<'_> {
    /// Runs a unit, unless a run that was stopped has done it.
    pub async fn unit(&self, name: &str, work: impl Future<Output = Result<Files>>) -> Result<Mark> {
        let MixtureStage { run, mixture, .. } = self.stage;
        run.units.run("staging", &format!("{}/{name}", mixture.name), &self.origin, work).await
    }
}
