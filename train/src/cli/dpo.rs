//! `train dpo`.

use std::{path::PathBuf, process::ExitCode};

use clap::Args;

use super::{printer::Printer, training::StepsArgs};
use crate::{
    device::DeviceName,
    program::dpo::{PreferenceTuning, prefer},
};

/// Tune a model on ranked answers by direct preference optimization.
#[derive(Debug, Args)]
pub struct DpoArgs {
    /// The configuration (TOML).
    config: PathBuf,
    /// The output folder [default: out/NAME, with the name of the configuration's file].
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Where to train: `cpu`, or `cuda:0` for the first GPU.
    #[arg(long, default_value = "cpu")]
    device: DeviceName,
    #[command(flatten)]
    steps: StepsArgs,
}

impl DpoArgs {
    pub fn run(self, printer: &Printer, threads: usize) -> anyhow::Result<ExitCode> {
        let Self { config, out, device, steps } = self;
        let tuning = PreferenceTuning::read(&config, &steps.settings)?;
        let options = steps.options(&config, out, device, threads);
        steps.run(printer, &options, |options, progress| Ok((prefer(&tuning, options, progress)?, None::<String>)))
    }
}
