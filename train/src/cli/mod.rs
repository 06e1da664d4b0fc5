//! The command line: one file for each subcommand. Commands return what they found; the printer prints.

mod answer;
mod bench;
mod classify;
mod compare;
mod completions;
mod dashboard;
mod dpo;
mod evaluate;
mod export;
mod generate;
mod import;
mod index;
mod label;
mod mix;
mod ppo;
mod pretrain;
mod printer;
mod progress;
mod retrieve;
mod reward;
mod rlhf;
mod scale;
mod schema;
mod search;
mod serve;
mod signals;
mod sweep;
mod tokenizer;
mod training;
mod tune;

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};
use schemas::progress::Form;

use self::printer::Printer;
use crate::tensor::{Operations, choose};

/// What this program was built with beyond the processor, of what it can be.
const FEATURES: [&str; 2] =
    [if cfg!(feature = "cuda") { "cuda" } else { "" }, if cfg!(feature = "cubecl-cpu") { "cubecl-cpu" } else { "" }];

/// Trains language models on curated mixtures.
#[derive(Debug, Parser)]
#[command(name = "train", version = schemas::version::version(env!("CARGO_PKG_VERSION"), &FEATURES), propagate_version = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// Print only errors and results.
    #[arg(short, long, global = true, display_order = 900)]
    quiet: bool,
    /// Threads [default: all cores].
    #[arg(long, global = true, display_order = 901, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,
    /// Tensor operations: `own` kernels, or burn's (`framework`), to locate a fault.
    #[arg(long, global = true, display_order = 902, value_name = "KIND", default_value_t)]
    operations: Operations,
    /// How progress is told on standard error: `text`, or `json`, an object a line.
    #[arg(long, global = true, display_order = 903, value_name = "FORM", default_value_t)]
    progress: Form,
}

#[derive(Debug, Subcommand)]
enum Command {
    Tokenizer(tokenizer::TokenizerArgs),
    Pretrain(pretrain::PretrainArgs),
    Tune(tune::TuneArgs),
    Classify(classify::ClassifyArgs),
    Reward(reward::RewardArgs),
    Dpo(dpo::DpoArgs),
    Ppo(ppo::PpoArgs),
    Rlhf(rlhf::RlhfArgs),
    Retrieve(retrieve::RetrieveArgs),
    Generate(generate::GenerateArgs),
    Evaluate(Box<evaluate::EvaluateArgs>),
    Index(index::IndexArgs),
    Search(search::SearchArgs),
    Answer(Box<answer::AnswerArgs>),
    Serve(serve::ServeArgs),
    Label(label::LabelArgs),
    Mix(Box<mix::MixArgs>),
    Scale(scale::ScaleArgs),
    Compare(compare::CompareArgs),
    Export(export::ExportArgs),
    Import(import::ImportArgs),
    Bench(bench::BenchArgs),
    Schema(schema::SchemaArgs),
    Completions(completions::CompletionsArgs),
}

/// Runs the program: 0 when it has done what was asked, 1 when that failed, 2 when it could not be understood, and 130 when it was
/// told to end before it was done.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let printer = Printer::new(arguments.quiet, arguments.progress);
    let ended = run(arguments, &printer).and_then(|code| match printer.unwritten() {
        Some(error) => Err(anyhow::anyhow!("cannot write to standard output: {error}")),
        None => Ok(code),
    });
    match ended {
        Ok(code) => code,
        Err(error) => {
            printer.error(&error);
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments, printer: &Printer) -> anyhow::Result<ExitCode> {
    let cores = || std::thread::available_parallelism().map_or(1, usize::from);
    let threads = arguments.threads.map_or_else(cores, usize::from);
    rayon::ThreadPoolBuilder::new().num_threads(threads).build_global()?;
    choose(arguments.operations);
    match arguments.command {
        Command::Tokenizer(args) => args.run(printer)?,
        Command::Pretrain(args) => return args.run(printer, threads),
        Command::Tune(args) => return args.run(printer, threads),
        Command::Classify(args) => return args.run(printer, threads),
        Command::Reward(args) => return args.run(printer, threads),
        Command::Dpo(args) => return args.run(printer, threads),
        Command::Ppo(args) => return args.run(printer, threads),
        Command::Rlhf(args) => return args.run(printer, threads),
        Command::Retrieve(args) => return args.run(printer, threads),
        Command::Generate(args) => args.run(printer)?,
        Command::Evaluate(args) => args.run(printer)?,
        Command::Index(args) => args.run(printer)?,
        Command::Search(args) => args.run(printer)?,
        Command::Answer(args) => args.run(printer)?,
        Command::Serve(args) => return args.run(printer),
        Command::Label(args) => return args.run(printer),
        Command::Mix(args) => return args.run(printer, threads),
        Command::Scale(args) => return args.run(printer, threads),
        Command::Compare(args) => return args.run(printer, threads),
        Command::Export(args) => args.run(printer)?,
        Command::Import(args) => args.run(printer)?,
        Command::Bench(args) => args.run(printer)?,
        Command::Schema(args) => args.run(printer)?,
        Command::Completions(args) => args.run(Arguments::command(), printer)?,
    }
    Ok(ExitCode::SUCCESS)
}
