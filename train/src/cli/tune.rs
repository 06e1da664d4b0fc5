//! `train tune`.

use std::process::ExitCode;

use clap::Args;

use super::{printer::Printer, training::TrainingArgs};
use crate::program::tune::{Tuning, tune};

/// Tune a model on instructions: prompts with completions, or conversations.
#[derive(Debug, Args)]
pub struct TuneArgs {
    #[command(flatten)]
    training: TrainingArgs,
}

impl TuneArgs {
    pub fn run(self, printer: &Printer, threads: usize) -> anyhow::Result<ExitCode> {
        let Self { training } = self;
        let tuning = Tuning::read(&training.config, &training.steps.settings)?;
        training.run(printer, threads, |options, progress| tune(&tuning, options, progress))
    }
}
