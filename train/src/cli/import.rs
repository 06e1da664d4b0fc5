//! `train import`.

use std::path::PathBuf;

use clap::Args;

use super::printer::Printer;
use crate::program::huggingface::import;

/// Import a model of Hugging Face as a checkpoint of step 0.
#[derive(Debug, Args)]
pub struct ImportArgs {
    /// A folder with `config.json`, `model.safetensors` and `tokenizer.json`, and the files that name its special tokens.
    folder: PathBuf,
    /// The output folder.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

impl ImportArgs {
    pub fn run(self, printer: &Printer) -> anyhow::Result<()> {
        let imported = import(&self.folder, &self.out)?;
        imported.notes.iter().for_each(|note| printer.note(note));
        printer.note(format_args!("{} parameters", imported.parameters));
        printer.result(self.out.display());
        Ok(())
    }
}
