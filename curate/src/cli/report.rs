//! `curate report`.

use std::path::{Path, PathBuf};

use clap::Args;

use super::{printer::Printer, size::Size, threads};
use crate::{
    files::Layout,
    report::{self, Means},
};

/// Write the report of a run again, or compare two runs.
///
/// With one folder: its report.html is written anew. With two: what changed in the recipe and in every figure is written as a page, and
/// the most important of it printed.
#[derive(Debug, Args)]
pub struct ReportArgs {
    /// The output folder of a run.
    dir: PathBuf,
    /// The output folder of another run, to compare the first one with.
    other: Option<PathBuf>,
    /// Where the comparison is written [default: comparison.html beside OTHER].
    #[arg(long, value_name = "FILE", requires = "other")]
    out: Option<PathBuf>,
    /// Memory that sorts and joins may hold before they spill.
    #[arg(long, value_name = "SIZE", default_value = "4G")]
    memory: Size,
}

impl ReportArgs {
    pub fn run(self, printer: &Printer) -> anyhow::Result<()> {
        let (threads, runtime) = threads::start(None)?;
        let means = Means { threads, memory: self.memory.0 };
        let Some(other) = self.other else {
            let warnings = runtime.block_on(report::write(&self.dir, means))?;
            warnings.iter().for_each(|warning| printer.note(format_args!("warning: {warning}")));
            printer.result(Layout::new(&self.dir).report().display());
            return Ok(());
        };
        let comparison = runtime.block_on(report::compare(&self.dir, &other, means))?;
        let path = self.out.unwrap_or_else(|| beside(&other));
        comparison.write(&path)?;
        printer.result(format_args!("A is {}, B is {}", self.dir.display(), other.display()));
        printer.result(comparison.summary());
        printer.result(path.display());
        Ok(())
    }
}

/// The file beside a folder.
fn beside(folder: &Path) -> PathBuf {
    folder.parent().unwrap_or(folder).join("comparison.html")
}
