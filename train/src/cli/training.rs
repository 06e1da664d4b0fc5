//! What commands that train are told, and how they say what came of it.

use std::{
    fmt::Display,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Args;
use schemas::toml_file::Setting;

use super::{printer::Printer, progress::ProgressDisplay, signals};
use crate::{
    device::DeviceName,
    error::Result,
    program::Options,
    trainer::{Progress, TrainOutcome},
};

/// What the training of a language model is told.
#[derive(Debug, Args)]
pub struct TrainingArgs {
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
    #[command(flatten)]
    pub steps: StepsArgs,
}

/// What every training is told of its steps.
#[derive(Debug, Args)]
pub struct StepsArgs {
    /// Go on with the training in the output folder.
    #[arg(long)]
    resume: bool,
    /// Stop after this many steps, with a checkpoint.
    #[arg(long, value_name = "STEP")]
    until: Option<u64>,
    /// Log lines instead of the dashboard of terminals.
    #[arg(long)]
    plain: bool,
    /// Replace a value of the configuration.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub settings: Vec<Setting>,
}

impl TrainingArgs {
    /// Trains by `train`, and prints what came of it.
    pub fn run(
        self,
        printer: &Printer,
        threads: usize,
        train: impl FnOnce(&Options, &mut dyn Progress) -> Result<TrainOutcome>,
    ) -> anyhow::Result<ExitCode> {
        let Self { config, out, device, cache, steps } = self;
        let options = Options { cache, ..steps.options(&config, out, device, threads) };
        steps.run(printer, &options, |options, progress| Ok((train(options, progress)?, None::<String>)))
    }
}

/// The output folder of a configuration, where nobody names one.
pub fn out_of(config: &Path) -> PathBuf {
    PathBuf::from("out").join(config.file_stem().unwrap_or_default())
}

impl StepsArgs {
    /// How a training is run; without a cache of its own.
    ///
    /// - `out`: the output folder; by the name of `config` if there is none
    pub fn options(&self, config: &Path, out: Option<PathBuf>, device: DeviceName, threads: usize) -> Options {
        let out = out.unwrap_or_else(|| out_of(config));
        Options { out, device, resume: self.resume, until: self.until, threads, cache: None }
    }

    /// Trains by `train`, and prints what came of it: what it found at the end, if that is something, and the output folder.
    pub fn run<F: Display>(
        &self,
        printer: &Printer,
        options: &Options,
        train: impl FnOnce(&Options, &mut dyn Progress) -> Result<(TrainOutcome, Option<F>)>,
    ) -> anyhow::Result<ExitCode> {
        let (out, Options { device, threads, .. }) = (options.out.display(), options);
        printer.note(format_args!("{out} on {device}, {threads} threads"));
        let signals = signals::listen(printer)?;
        let mut display = ProgressDisplay::new(printer, signals, self.plain, &out.to_string());
        let (ended, found) = train(options, &mut display)?;
        // a dashboard leaves the terminal before something is printed there
        drop(display);
        if ended.interrupted {
            printer.note(format_args!("ended after {} steps, and saved; go on with --resume", ended.step));
            return Ok(ExitCode::from(signals::CODE));
        }
        printer.note(format_args!("{} steps", ended.step));
        if let Some(found) = found {
            printer.result(found);
        }
        printer.result(out);
        Ok(ExitCode::SUCCESS)
    }
}
