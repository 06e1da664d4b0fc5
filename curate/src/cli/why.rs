//! `curate why`.

use std::path::PathBuf;

use clap::Args;

use super::printer::Printer;
use crate::run::{Fate, why};

/// Say what became of a document: at which stage, for what reason.
#[derive(Debug, Args)]
pub struct WhyArgs {
    /// The output folder of a run.
    dir: PathBuf,
    /// The document's id, its URL, or the id of its record.
    id: String,
}

impl WhyArgs {
    pub fn run(self, printer: &Printer) -> anyhow::Result<()> {
        let runtime = tokio::runtime::Builder::new_multi_thread().build()?;
        let fates = runtime.block_on(why(&self.dir, &self.id))?;
        let mut shown = "";
        for fate in &fates {
            if fate.id != shown {
                printer.result(&fate.id);
                shown = &fate.id;
            }
            printer.result(line(fate));
        }
        Ok(())
    }
}

fn line(fate: &Fate) -> String {
    let details: Vec<String> = fate.details.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let reason = fate.reason.as_deref().unwrap_or_default();
    format!("  {:22} {:5} {reason:22} {}", fate.stage, fate.verdict, details.join(" ")).trim_end().to_owned()
}
