//! `curate schema`.

use clap::Args;

use super::printer::Printer;
use crate::recipe::Recipe;

/// Print the JSON Schema of a recipe, for editors.
#[derive(Debug, Args)]
pub struct SchemaArgs {}

impl SchemaArgs {
    pub fn run(self, printer: &Printer) -> anyhow::Result<()> {
        let Self {} = self;
        printer.result(serde_json::to_string_pretty(&schemars::schema_for!(Recipe))?);
        Ok(())
    }
}
