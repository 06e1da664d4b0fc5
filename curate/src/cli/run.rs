//! `curate run`.

use std::path::PathBuf;

use clap::Args;
use schemas::toml_file::Setting;

use super::{execution::ExecutionArgs, printer::Printer, summary::summary};
use crate::{engine::Engine, files::Layout, recipe::Plan, report, run};

/// Run a recipe: from its sources to mixtures, a ledger and a report.
///
/// A run that was stopped goes on where it was; what has changed is done again, with what depends on it.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// The recipe (TOML).
    recipe: PathBuf,
    /// The output folder [default: out/NAME, with the recipe's name].
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Where plans run: `local`, or `rehearsal`, which is local with every plan sent through a cluster's wire format.
    #[arg(long, value_name = "ENGINE", default_value = "local")]
    engine: EngineArg,
    #[command(flatten)]
    execution: ExecutionArgs,
    /// Replace a value of the recipe, or a folder in its [folders].
    #[arg(long = "set", value_name = "KEY=VALUE")]
    settings: Vec<Setting>,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum EngineArg {
    Local,
    Rehearsal,
}

impl From<EngineArg> for Engine {
    fn from(engine: EngineArg) -> Self {
        match engine {
            EngineArg::Local => Self::Local,
            EngineArg::Rehearsal => Self::Rehearsal,
        }
    }
}

impl RunArgs {
    pub fn run(self, printer: &Printer) -> anyhow::Result<()> {
        let plan = Plan::read(&self.recipe, &self.settings)?;
        let out = self.out.unwrap_or_else(|| PathBuf::from("out").join(&plan.name));
        let (options, runtime) = self.execution.start(out.clone(), self.engine.into())?;
        printer.note(format_args!("{} into {}, {} threads", plan.name, out.display(), options.threads));
        let outcome = runtime.block_on(run::run(plan, &options, printer))?;
        let report = Layout::new(&out).report();
        let means = report::Means { threads: options.threads, memory: options.memory };
        let warnings = runtime.block_on(report::write(&out, means))?;
        printer.note(summary(&outcome, &warnings, printer.width()));
        printer.result(report.display());
        Ok(())
    }
}
