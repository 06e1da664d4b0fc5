//! `train tune`.

use std::{path::PathBuf, process::ExitCode};

use clap::Args;
use schemas::toml_file::Setting;

use super::{printer::Printer, progress::ProgressDisplay, signals};
use crate::{
    device::DeviceName,
    program::{
        Options,
        tune::{Tuning, tune},
    },
};

/// Tune a model on instructions: prompts with completions, or conversations.
#[derive(Debug, Args)]
pub struct TuneArgs {
    /// The configuration (TOML).
    config: PathBuf,
    /// The output folder [default: out/NAME, with the name of the configuration's file].
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Where to train: `cpu`, or `cuda:0` for the first GPU.
    #[arg(long, default_value = "cpu")]
    device: DeviceName,
    /// Go on with the training in the output folder.
    #[arg(long)]
    resume: bool,
    /// Stop after this many steps, with a checkpoint.
    #[arg(long, value_name = "STEP")]
    until: Option<u64>,
    /// A folder of token ids that trainings share, so that no file is tokenized twice [default: `tokens` in the output folder].
    #[arg(long, value_name = "DIR")]
    cache: Option<PathBuf>,
    /// Log lines instead of the dashboard of terminals.
    #[arg(long)]
    plain: bool,
    /// Replace a value of the configuration.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    settings: Vec<Setting>,
}

impl TuneArgs {
    pub fn run(self, printer: &Printer, threads: usize) -> anyhow::Result<ExitCode> {
        let tuning = Tuning::read(&self.config, &self.settings)?;
        let out = self.out.unwrap_or_else(|| PathBuf::from("out").join(self.config.file_stem().unwrap_or_default()));
        let options = Options {
            out: out.clone(),
            device: self.device,
            resume: self.resume,
            until: self.until,
            threads,
            cache: self.cache,
        };
        printer.note(format_args!("{} on {}, {threads} threads", out.display(), self.device));
        let signals = signals::listen(printer)?;
        let ended = tune(
            &tuning,
            &options,
            &mut ProgressDisplay::new(printer, signals, self.plain, &out.display().to_string()),
        )?;
        if ended.interrupted {
            printer.note(format_args!("ended after {} steps, and saved; go on with --resume", ended.step));
            return Ok(ExitCode::from(signals::CODE));
        }
        printer.note(format_args!("{} steps", ended.step));
        printer.result(out.display());
        Ok(ExitCode::SUCCESS)
    }
}
