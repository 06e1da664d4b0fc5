//! `train pretrain`.

use std::process::ExitCode;

use clap::Args;

use super::{printer::Printer, training::TrainingArgs};
use crate::program::pretrain::{Pretraining, pretrain};

/// Pretrain a model on a text mixture.
#[derive(Debug, Args)]
pub struct PretrainArgs {
    #[command(flatten)]
    training: TrainingArgs,
}

impl PretrainArgs {
    pub fn run(self, printer: &Printer, threads: usize) -> anyhow::Result<ExitCode> {
        let Self { training } = self;
        let pretraining = Pretraining::read(&training.config, &training.steps.settings)?;
        training.run(printer, threads, |options, progress| pretrain(&pretraining, options, progress))
    }
}
