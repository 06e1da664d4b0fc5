//! `train ppo`.

use std::process::ExitCode;

use clap::Args;

use super::{printer::Printer, training::TrainingArgs};
use crate::program::ppo::{PolicyTraining, reinforce};

/// Train a policy on the scores of what it writes, by proximal policy optimization.
#[derive(Debug, Args)]
pub struct PpoArgs {
    #[command(flatten)]
    training: TrainingArgs,
}

impl PpoArgs {
    pub fn run(self, printer: &Printer, threads: usize) -> anyhow::Result<ExitCode> {
        let Self { training } = self;
        let policy = PolicyTraining::read(&training.config, &training.steps.settings)?;
        training.run(printer, threads, |options, progress| reinforce(&policy, options, progress))
    }
}
