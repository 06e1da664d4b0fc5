//! `train scale`.

use std::{path::PathBuf, process::ExitCode};

use anyhow::{anyhow, bail};
use clap::{Args, Subcommand};

use super::{printer::Printer, sweep::SweepArgs};
use crate::program::scale::{Scale, ScaleOptions, fit_points, read_points, run_scale};

/// How the loss falls with size, from a ladder of small models.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct ScaleArgs {
    #[command(subcommand)]
    command: Option<ScaleCommand>,
    #[command(flatten)]
    sweep: Option<SweepArgs>,
}

#[derive(Debug, Subcommand)]
enum ScaleCommand {
    Fit(FitArgs),
}

/// Fit the law to points, and forecast the largest.
#[derive(Debug, Args)]
struct FitArgs {
    /// Points: JSON lines of `parameters`, `tokens` and `loss`.
    points: PathBuf,
    /// The output folder: `scale.json`.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// The largest sizes, of which the fit sees nothing, and which it forecasts.
    #[arg(long, value_name = "N", default_value_t = 1)]
    leave_out: usize,
    /// Samples of the points by which intervals are found.
    #[arg(long, value_name = "N", default_value_t = 100)]
    samples: u32,
    /// The seed of what is drawn.
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
}

impl ScaleArgs {
    pub fn run(self, printer: &Printer, threads: usize) -> anyhow::Result<ExitCode> {
        if let Some(ScaleCommand::Fit(args)) = self.command {
            args.run(printer)?;
            return Ok(ExitCode::SUCCESS);
        }
        let Some(sweep) = self.sweep else { bail!("no configuration is named") };
        let scale = Scale::read(&sweep.config, &sweep.settings)?;
        sweep.run(printer, threads, |options, progress| run_scale(&scale, options, progress))
    }
}

impl FitArgs {
    fn run(self, printer: &Printer) -> anyhow::Result<()> {
        let Self { points, out, leave_out, samples, seed } = self;
        if samples == 0 {
            bail!("--samples: it has to be 1 or more");
        }
        let read = read_points(&points)?;
        let options = ScaleOptions { leave_out, samples, seed };
        let fit = fit_points(&read, "parameters as they were counted", options)
            .map_err(|message| anyhow!("{}: {message}", points.display()))?;
        if let Some(out) = &out {
            fit.write(out)?;
        }
        printer.result(fit);
        Ok(())
    }
}
