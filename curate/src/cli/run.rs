//! `curate run`.

use std::{collections::BTreeMap, path::PathBuf};

use clap::Args;
use schemas::{
    ledger::{Ledger, LostEntry},
    toml_file::Setting,
};

use super::{execution::ExecutionArgs, printer::Printer};
use crate::{
    engine::Engine,
    files::Layout,
    recipe::Plan,
    report,
    run::{self, Outcome},
};

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
        runtime.block_on(report::write(&out, means))?;
        printer.note(summary(&outcome));
        printer.result(report.display());
        Ok(())
    }
}

/// The funnel in a few lines: what each stage left of each source that it dropped something of.
fn summary(outcome: &Outcome) -> String {
    let Ledger { stages, lost, truncated, cuts, mixtures, .. } = &outcome.ledger;
    let mut lines = vec![String::new(), format!("{:18} {:18} {:>9} {:>9}  dropped", "stage", "source", "in", "kept")];
    for entry in stages.iter().filter(|entry| entry.r#in > entry.kept || entry.stage == "read") {
        lines.push(format!(
            "{:18} {:18} {:>9} {:>9}  {}",
            entry.stage,
            entry.source,
            entry.r#in,
            entry.kept,
            entry.reasons()
        ));
    }
    lines.extend(lost.iter().filter(|entry| entry.files > 0).map(|entry| {
        let LostEntry { source, files, bytes, of, .. } = entry;
        format!("{:18} {source:18} {bytes} of {of} bytes lost, in {files} files", "lost")
    }));
    lines.extend(truncated.iter().map(|entry| {
        format!("{:18} {:18} {} documents came cut: {}", "read", entry.source, entry.documents, entry.truncated)
    }));
    lines.extend(cuts.iter().map(|entry| {
        let cut = format!("{} bytes cut out of {} documents", entry.bytes, entry.documents);
        format!("{:18} {:18} {cut}", entry.stage, entry.source)
    }));
    let mut rows: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    for entry in mixtures {
        *rows.entry((&entry.mixture, &entry.split)).or_default() += entry.rows;
    }
    lines.push(String::new());
    lines.extend(rows.into_iter().map(|((mixture, split), rows)| format!("mixture {mixture}, {split}: {rows} rows")));
    lines.push(format!("{} units run, {} found done", outcome.ran, outcome.found));
    lines.join("\n")
}
