//! `train export`.

use std::path::PathBuf;

use clap::Args;

use super::printer::Printer;
use crate::{
    checkpoint::Which,
    program::huggingface::{export, export_adapter},
};

/// Export a model to a folder that Hugging Face's `transformers` loads; adapters are merged into it.
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// The output folder of a training.
    model: PathBuf,
    /// The folder to write.
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
    /// Use the checkpoint with the best evaluation, instead of the newest.
    #[arg(long)]
    best: bool,
    /// Export the adapters of `[lora]` alone, to a folder that PEFT loads.
    #[arg(long)]
    adapter: bool,
}

impl ExportArgs {
    pub fn run(self, printer: &Printer) -> anyhow::Result<()> {
        let which = if self.best { Which::Best } else { Which::Newest };
        let (what, step) = if self.adapter {
            ("adapters", export_adapter(&self.model, which, &self.out)?)
        } else {
            ("model", export(&self.model, which, &self.out)?)
        };
        printer.note(format_args!("the {what} after {step} steps"));
        printer.result(self.out.display());
        Ok(())
    }
}
