//! `train label`: a page on which people rank or write answers, their judgments as rows to train on, and a program in the place of people.

use std::{
    net::{IpAddr, Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use anyhow::{anyhow, bail};
use clap::{Args, Subcommand};
use schemas::share::Share;

use super::{generate::temperature, printer::Printer, signals};
use crate::{
    checkpoint::Which,
    inference::{InferenceModel, WeightFormat},
    label::{Collection, Kind, LabelSettings, SamplingSettings, Service, export, run_script, serve},
    program::inference_model::ReadyModel,
    tokenizer::Tokenizer,
};

/// Threads that wait for browsers: they compute nothing.
const WAITING_THREADS: usize = 2;

/// Threads that wait for the disk.
const WRITING_THREADS: usize = 4;

/// Collect rankings and demonstrations from people.
#[derive(Debug, Args)]
pub struct LabelArgs {
    #[command(subcommand)]
    command: LabelCommand,
}

#[derive(Debug, Subcommand)]
enum LabelCommand {
    Serve(ServeLabelArgs),
    Export(ExportLabelArgs),
    Run(RunLabelArgs),
}

/// Show prompts to people in a browser, and keep what they say.
#[derive(Debug, Args)]
struct ServeLabelArgs {
    /// The folder of the labels, which is made where it is missing, and gone on with where it is there.
    folder: PathBuf,
    /// The model that answers: the output folder of a training, or a folder of Hugging Face. Demonstrations need none.
    #[arg(long, value_name = "DIR")]
    model: Option<PathBuf>,
    #[command(flatten)]
    prompts: PromptsArgs,
    /// What people are asked for: `rankings` of the model's answers, or `demonstrations`, answers of their own.
    #[arg(long, value_name = "KIND", default_value_t = Kind::Rankings)]
    kind: Kind,
    /// The address; with another than this machine's own, everyone who reaches it may label.
    #[arg(long, default_value_t = Ipv4Addr::LOCALHOST.into())]
    host: IpAddr,
    /// The port; 0 for any that is free.
    #[arg(long, default_value_t = 8400)]
    port: u16,
}

/// Write what people said as JSON lines to train on.
#[derive(Debug, Args)]
struct ExportLabelArgs {
    /// The folder of the labels.
    folder: PathBuf,
    /// The file to write [default: `rankings.jsonl` or `demonstrations.jsonl` in the folder].
    #[arg(long, value_name = "PATH")]
    out: Option<PathBuf>,
    /// What has to be in the folder [default: whatever is].
    #[arg(long, value_name = "KIND")]
    kind: Option<Kind>,
}

/// Have a program rank answers in the place of people, for trials and tests.
#[derive(Debug, Args)]
struct RunLabelArgs {
    /// The folder of the labels, which is made where it is missing, and gone on with where it is there.
    folder: PathBuf,
    /// The model that answers: the output folder of a training, or a folder of Hugging Face.
    #[arg(long, value_name = "DIR")]
    model: PathBuf,
    #[command(flatten)]
    prompts: PromptsArgs,
    /// An executable that reads lines of `{"prompt", "answers"}` and writes a line of `{"ranks"}` or `{"skip"}` for each.
    #[arg(long, value_name = "FILE")]
    labeler: PathBuf,
    /// Prompts to rank, at most [default: all].
    #[arg(long, value_name = "N")]
    count: Option<usize>,
}

/// What is answered, and how.
#[derive(Debug, Args)]
struct PromptsArgs {
    /// The prompts: a mixture, a file of Parquet or JSON lines, or a folder of these, with a column `prompt`.
    #[arg(long, value_name = "PATH")]
    prompts: PathBuf,
    /// Answers to a prompt.
    #[arg(long, value_name = "K", default_value_t = 4, value_parser = clap::value_parser!(u8).range(2..=9))]
    answers: u8,
    /// The most tokens of an answer.
    #[arg(long, value_name = "N", default_value_t = 128, value_parser = clap::value_parser!(u32).range(1..))]
    tokens: u32,
    /// Divides the logits.
    #[arg(long, default_value_t = 1.0, value_parser = temperature)]
    temperature: f64,
    /// The share of prompts that every labeler sees first, so that their agreement can be taken.
    #[arg(long, value_name = "SHARE", default_value_t = Share::of(0.1))]
    overlap: Share,
    /// The seed of the answers and of every order.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

impl LabelArgs {
    pub fn run(self, printer: &Printer) -> anyhow::Result<ExitCode> {
        match self.command {
            LabelCommand::Serve(args) => args.run(printer)?,
            LabelCommand::Export(args) => args.run(printer)?,
            LabelCommand::Run(args) => args.run(printer)?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl ServeLabelArgs {
    fn run(self, printer: &Printer) -> anyhow::Result<()> {
        let Self { folder, model, prompts, kind, host, port } = self;
        if !host.is_loopback() {
            printer.note(format_args!("whoever reaches {host} may label, under any name"));
        }
        // an address that is taken should not be told of after a long wait
        let listener = TcpListener::bind((host, port))
            .map_err(|error| anyhow!("cannot listen on {host} at port {port}: {error}"))?;
        let address = listener.local_addr()?;
        let collection = match (kind, &model) {
            (Kind::Rankings, Some(model)) => prompts.with_model(&folder, model, printer)?,
            (Kind::Rankings, None) => bail!("rankings are of answers by a model: name it by --model"),
            (Kind::Demonstrations, model) => {
                if model.is_some() {
                    printer.note("demonstrations are written by people: --model is not read");
                }
                prompts.without_model(&folder)?
            }
        };
        printer.note(format_args!("{kind}: {} prompts", collection.prompts()));
        let service = Arc::new(Service::new(collection, prompts.overlap.get(), address)?);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(WAITING_THREADS)
            .max_blocking_threads(WRITING_THREADS)
            .enable_all()
            .build()?;
        let served = runtime.block_on(async {
            let ending = signals::ending(printer)?;
            printer.result(format_args!("http://{address}"));
            serve(listener, Arc::clone(&service), ending).await
        });
        // what is still read for browsers that are gone is not waited for
        runtime.shutdown_background();
        service.end();
        Ok(served?)
    }
}

impl ExportLabelArgs {
    fn run(self, printer: &Printer) -> anyhow::Result<()> {
        let exported = export(&self.folder, self.kind, self.out)?;
        printer.result(&exported);
        printer.result(exported.path.display());
        Ok(())
    }
}

impl RunLabelArgs {
    fn run(self, printer: &Printer) -> anyhow::Result<()> {
        let Self { folder, model, prompts, labeler, count } = self;
        let collection = prompts.with_model(&folder, &model, printer)?;
        let done = run_script(collection, &labeler, count, prompts.overlap.get(), &|| false)?;
        printer.result(format_args!("{}: {} prompts ranked, {} skipped", done.labeler, done.judged, done.skipped));
        Ok(())
    }
}

impl PromptsArgs {
    /// A folder for rankings of a model's answers.
    fn with_model(&self, folder: &Path, model: &Path, printer: &Printer) -> anyhow::Result<Collection> {
        let ready = ReadyModel::open(model, Which::Newest, WeightFormat::F32)?;
        ready.notes.iter().for_each(|text| printer.note(text));
        let absolute = std::fs::canonicalize(model).unwrap_or_else(|_| model.to_owned());
        let name = absolute.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let sampling = SamplingSettings {
            model: name,
            fingerprint: ready.sha256,
            answers: self.answers.into(),
            tokens: self.tokens as usize,
            temperature: self.temperature,
        };
        let settings = LabelSettings { kind: Kind::Rankings, seed: self.seed, sampling: Some(sampling) };
        let collection = self.collection(folder, &settings, Some((ready.model, ready.tokenizer)))?;
        collection.note().into_iter().for_each(|text| printer.note(text));
        Ok(collection)
    }

    /// A folder for demonstrations.
    fn without_model(&self, folder: &Path) -> anyhow::Result<Collection> {
        let settings = LabelSettings { kind: Kind::Demonstrations, seed: self.seed, sampling: None };
        self.collection(folder, &settings, None)
    }

    fn collection(
        &self,
        folder: &Path,
        settings: &LabelSettings,
        model: Option<(InferenceModel, Tokenizer)>,
    ) -> anyhow::Result<Collection> {
        Ok(Collection::open(folder, &self.prompts, settings, model)?)
    }
}
