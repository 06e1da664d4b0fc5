//! `train compare`.

use std::process::ExitCode;

use clap::Args;

use super::{printer::Printer, sweep::SweepArgs};
use crate::program::compare::{Compare, run_compare};

/// Which data is better: the same model on several mixtures, seed by seed.
#[derive(Debug, Args)]
pub struct CompareArgs {
    #[command(flatten)]
    sweep: SweepArgs,
}

impl CompareArgs {
    pub fn run(self, printer: &Printer, threads: usize) -> anyhow::Result<ExitCode> {
        let Self { sweep } = self;
        let mut compare = Compare::read(&sweep.config, &sweep.settings)?;
        sweep.run(printer, threads, |options, progress| run_compare(&mut compare, options, progress))
    }
}
