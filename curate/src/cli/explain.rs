//! `curate explain`.

use std::path::PathBuf;

use anyhow::bail;
use clap::Args;

use super::printer::Printer;
use crate::run::{explain, explained_stages};

/// Show the physical plans of a stage as they ran, with rows, times and what was spilled.
///
/// The plans are those of the last run in which the stage had something to do; of those that are alike, such as one for each file, the first is shown.
/// Without a stage, the stages are listed.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// The output folder of a run.
    dir: PathBuf,
    /// The stage.
    stage: Option<String>,
}

impl ExplainArgs {
    pub fn run(self, printer: &Printer) -> anyhow::Result<()> {
        let stages = explained_stages(&self.dir)?;
        let Some(stage) = self.stage else {
            printer.result(stages.join("\n"));
            return Ok(());
        };
        if !stages.contains(&stage) {
            bail!(
                "no plan of a stage `{stage}` is noted in {}; there are `{}`",
                self.dir.display(),
                stages.join("`, `")
            );
        }
        printer.result(explain(&self.dir, &stage)?.trim_end());
        Ok(())
    }
}
