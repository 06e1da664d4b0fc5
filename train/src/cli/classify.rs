//! `train classify`.

use std::{path::PathBuf, process::ExitCode};

use clap::Args;
use schemas::toml_file::Setting;

use super::{printer::Printer, progress::ProgressDisplay, signals};
use crate::{
    checkpoint::Which,
    device::DeviceName,
    program::{
        Options,
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
    settings: Vec<Setting>,
}

impl ClassifyArgs {
    pub fn run(self, printer: &Printer, threads: usize) -> anyhow::Result<ExitCode> {
        let Self { input, predict: folder, best, out, device, resume, until, plain, settings } = self;
        if let Some(folder) = folder {
            let which = if best { Which::Best } else { Which::Newest };
            let options = PredictOptions { folder, file: input, out, which, device };
            let evaluation = predict(&options, &mut |note| printer.note(note))?;
            printer.result(&evaluation);
            printer.result(evaluation.path.display());
            return Ok(ExitCode::SUCCESS);
        }
        let training = ClassifierTraining::read(&input, &settings)?;
        let out = out.unwrap_or_else(|| PathBuf::from("out").join(input.file_stem().unwrap_or_default()));
        let options = Options { out: out.clone(), device, resume, until, threads, cache: None };
        printer.note(format_args!("{} on {device}, {threads} threads", out.display()));
        let signals = signals::listen(printer)?;
        let mut display = ProgressDisplay::new(printer, signals, plain, &out.display().to_string());
        let (ended, evaluation) = classify(&training, &options, &mut display)?;
        drop(display);
        if ended.interrupted {
            printer.note(format_args!("ended after {} steps, and saved; go on with --resume", ended.step));
            return Ok(ExitCode::from(signals::CODE));
        }
        printer.note(format_args!("{} steps", ended.step));
        if let Some(evaluation) = evaluation {
            printer.result(&evaluation);
        }
        printer.result(out.display());
        Ok(ExitCode::SUCCESS)
    }
}
