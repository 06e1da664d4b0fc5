//! `train classify`.

use std::{path::PathBuf, process::ExitCode};

use clap::Args;

use super::{printer::Printer, training::StepsArgs};
use crate::{
    checkpoint::Which,
    device::DeviceName,
    program::{
        classify::{ClassifierTraining, classify},
        predict::{PredictOptions, predict},
    },
};

/// Train a classifier on labelled sequences, or predict with one.
#[derive(Debug, Args)]
#[command(
    override_usage = "train classify [OPTIONS] CONFIG\n       train classify --predict DIR [--best] [--out PATH] FILE"
)]
pub struct ClassifyArgs {
    /// The configuration (TOML); with --predict, a file of sequences, with labels or without.
    #[arg(value_name = "CONFIG|FILE")]
    input: PathBuf,
    /// Predict with the classifier of this training's folder instead of training.
    #[arg(
        long,
        value_name = "DIR",
        conflicts_with_all = ["resume", "until", "plain", "settings"]
    )]
    predict: Option<PathBuf>,
    /// With --predict: use the checkpoint with the best evaluation, instead of the newest.
    #[arg(long, requires = "predict")]
    best: bool,
    /// The output folder [default: out/NAME, with the name of the configuration's file]; with --predict, the file of predictions [default:
    /// DIR/predictions-NAME.parquet, with the name of the file].
    #[arg(long, value_name = "PATH")]
    out: Option<PathBuf>,
    /// Where to run: `cpu`, or `cuda:0` for the first GPU.
    #[arg(long, default_value = "cpu")]
    device: DeviceName,
    #[command(flatten)]
    steps: StepsArgs,
}

impl ClassifyArgs {
    pub fn run(self, printer: &Printer, threads: usize) -> anyhow::Result<ExitCode> {
        let Self { input, predict: folder, best, out, device, steps } = self;
        if let Some(folder) = folder {
            let which = if best { Which::Best } else { Which::Newest };
            let options = PredictOptions { folder, file: input, out, which, device };
            let evaluation = predict(&options, &mut |note| printer.note(note))?;
            printer.result(&evaluation);
            printer.result(evaluation.path.display());
            return Ok(ExitCode::SUCCESS);
        }
        let training = ClassifierTraining::read(&input, &steps.settings)?;
        let options = steps.options(&input, out, device, threads);
        steps.run(printer, &options, |options, progress| classify(&training, options, progress))
    }
}
