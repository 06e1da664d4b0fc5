//! `train retrieve`.

use std::{path::PathBuf, process::ExitCode};

use clap::Args;

use super::{printer::Printer, training::StepsArgs};
use crate::{
    device::DeviceName,
    program::retrieve::{RetrievalTraining, retrieve},
};

/// Train encoders, which give questions and passages vectors.
#[derive(Debug, Args)]
pub struct RetrieveArgs {
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

impl RetrieveArgs {
    pub fn run(self, printer: &Printer, threads: usize) -> anyhow::Result<ExitCode> {
        let Self { config, out, device, steps } = self;
        let training = RetrievalTraining::read(&config, &steps.settings)?;
        let options = steps.options(&config, out, device, threads);
        steps.run(printer, &options, |options, progress| retrieve(&training, options, progress))
    }
}
