//! `train reward`.

use std::{path::PathBuf, process::ExitCode};

use clap::Args;

use super::{printer::Printer, training::StepsArgs};
use crate::{
    checkpoint::Which,
    device::DeviceName,
    program::{
        reward::{RewardTraining, reward},
        score::{ScoreOptions, score},
    },
};

/// Train a reward model on ranked answers, or score answers with one.
#[derive(Debug, Args)]
#[command(override_usage = "train reward [OPTIONS] CONFIG\n       train reward --score DIR [--best] [--out PATH] FILE")]
pub struct RewardArgs {
    /// The configuration (TOML); with --score, a file of prompts with completions or answers.
    #[arg(value_name = "CONFIG|FILE")]
    input: PathBuf,
    /// Score with the reward model of this training's folder instead of training.
    #[arg(
        long,
        value_name = "DIR",
        conflicts_with_all = ["resume", "until", "plain", "settings"]
    )]
    score: Option<PathBuf>,
    /// With --score: use the checkpoint with the best evaluation, instead of the newest.
    #[arg(long, requires = "score")]
    best: bool,
    /// The output folder [default: out/NAME, with the name of the configuration's file]; with --score, the file of rewards [default:
    /// DIR/rewards-NAME.parquet, with the name of the file].
    #[arg(long, value_name = "PATH")]
    out: Option<PathBuf>,
    /// Where to run: `cpu`, or `cuda:0` for the first GPU.
    #[arg(long, default_value = "cpu")]
    device: DeviceName,
    #[command(flatten)]
    steps: StepsArgs,
}

impl RewardArgs {
    pub fn run(self, printer: &Printer, threads: usize) -> anyhow::Result<ExitCode> {
        let Self { input, score: folder, best, out, device, steps } = self;
        if let Some(folder) = folder {
            let which = if best { Which::Best } else { Which::Newest };
            let scored = score(&ScoreOptions { folder, file: input, out, which, device })?;
            printer.result(&scored);
            printer.result(scored.path.display());
            return Ok(ExitCode::SUCCESS);
        }
        let training = RewardTraining::read(&input, &steps.settings)?;
        let options = steps.options(&input, out, device, threads);
        steps.run(printer, &options, |options, progress| reward(&training, options, progress))
    }
}
