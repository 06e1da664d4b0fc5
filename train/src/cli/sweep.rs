//! What commands that train many models are told, and how they say what came of it.

use std::{fmt::Display, path::PathBuf, process::ExitCode};

use clap::Args;
use schemas::toml_file::Setting;

use super::{printer::Printer, progress::ProgressDisplay, signals, training::out_of};
use crate::{device::DeviceName, error::Result, program::Options, trainer::Progress};

/// What a sweep is told.
#[derive(Debug, Args)]
pub struct SweepArgs {
    /// The configuration (TOML).
    pub config: PathBuf,
    /// The output folder [default: out/NAME, with the name of the configuration's file].
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Where to train: `cpu`, or `cuda:0` for the first GPU.
    #[arg(long, default_value = "cpu")]
    device: DeviceName,
    /// A folder of token ids that trainings share, so that no file is tokenized twice [default: `tokens` in the output folder].
    #[arg(long, value_name = "DIR")]
    cache: Option<PathBuf>,
    /// Go on with what is in the output folder.
    #[arg(long)]
    resume: bool,
    /// Replace a value of the configuration.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub settings: Vec<Setting>,
}

impl SweepArgs {
    /// Trains by `train`, and prints what it found; that is nothing where it was interrupted.
    pub fn run<F: Display>(
        self,
        printer: &Printer,
        threads: usize,
        train: impl FnOnce(&Options, &mut dyn Progress) -> Result<Option<F>>,
    ) -> anyhow::Result<ExitCode> {
        let Self { config, out, device, cache, resume, .. } = self;
        let out = out.unwrap_or_else(|| out_of(&config));
        let name = out.display().to_string();
        printer.note(format_args!("{name} on {device}, {threads} threads"));
        let options = Options { out, device, resume, until: None, threads, cache };
        let signals = signals::listen(printer)?;
        let mut display = ProgressDisplay::new(printer, signals, true, &name);
        let found = train(&options, &mut display)?;
        drop(display);
        match found {
            Some(found) => {
                printer.result(found);
                printer.result(name);
                Ok(ExitCode::SUCCESS)
            }
            None => {
                printer.note("ended before all runs were done, and saved; go on with --resume");
                Ok(ExitCode::from(signals::CODE))
            }
        }
    }
}
