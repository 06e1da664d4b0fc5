//! The command line: one file for each subcommand. Commands return what they found; the printer prints.

mod check;
mod classifier;
mod completions;
mod decontaminate;
mod dedup;
mod documents;
mod execution;
mod explain;
mod extract;
mod files;
mod inputs;
mod json_log;
mod lost;
mod measure;
mod printer;
mod render;
mod report;
mod run;
mod schema;
mod size;
mod summary;
mod threads;
mod why;

use std::process::ExitCode;

use clap::{ArgAction, CommandFactory as _, Parser, Subcommand};
use schemas::progress::Form;

use self::printer::{Printer, Verbosity};

/// Turns web crawls into training data.
///
/// Ends with code 0 when it has done what was asked; 1 when that failed, or nothing was read; 2 when it could not be understood; 3 when a
/// command on files came to its end, but more of the input was broken or lost than may be.
#[derive(Debug, Parser)]
#[command(name = "curate", version = schemas::version::version(env!("CARGO_PKG_VERSION"), &[]), propagate_version = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// Print only errors, results and what was lost.
    #[arg(short, long, global = true, display_order = 900, conflicts_with = "verbose")]
    quiet: bool,
    /// Print what is done in more detail.
    #[arg(short, long, global = true, display_order = 901, action = ArgAction::Count)]
    verbose: u8,
    /// How progress is told on standard error: `text`, or `json`, an object a line.
    #[arg(long, global = true, display_order = 902, value_name = "FORM", default_value_t)]
    progress: Form,
}

#[derive(Debug, Subcommand)]
enum Command {
    Run(run::RunArgs),
    Check(check::CheckArgs),
    Why(why::WhyArgs),
    Report(report::ReportArgs),
    Explain(explain::ExplainArgs),
    Schema(schema::SchemaArgs),
    Extract(extract::ExtractArgs),
    Measure(measure::MeasureArgs),
    Dedup(dedup::DedupArgs),
    Decontaminate(decontaminate::DecontaminateArgs),
    Classifier(classifier::ClassifierArgs),
    Render(render::RenderArgs),
    Completions(completions::CompletionsArgs),
}

/// Runs the program: 0 when it has done what was asked, 1 when that failed, 2 when it could not be understood, 3 when it was done, but
/// more of the input was broken or lost than may be.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let verbosity = Verbosity::new(arguments.quiet, arguments.verbose);
    printer::log(verbosity, arguments.progress);
    let printer = Printer::new(verbosity, arguments.progress);
    let result = match arguments.command {
        Command::Run(args) => args.run(&printer),
        Command::Check(args) => args.run(&printer),
        Command::Why(args) => args.run(&printer),
        Command::Report(args) => args.run(&printer),
        Command::Explain(args) => args.run(&printer),
        Command::Schema(args) => args.run(&printer),
        Command::Extract(args) => args.run(&printer),
        Command::Measure(args) => args.run(&printer),
        Command::Dedup(args) => args.run(&printer),
        Command::Decontaminate(args) => args.run(&printer),
        Command::Classifier(args) => args.run(&printer),
        Command::Render(args) => args.run(&printer),
        Command::Completions(args) => args.run(Arguments::command(), &printer),
    };
    let result = result.and_then(|()| match printer.unwritten() {
        Some(error) => Err(anyhow::anyhow!("cannot write to standard output: {error}")),
        None => Ok(()),
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            printer.error(&error);
            if error.is::<lost::OverLimit>() { ExitCode::from(3) } else { ExitCode::FAILURE }
        }
    }
}
