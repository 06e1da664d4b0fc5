//! `curate schema`.

use clap::{Args, ValueEnum};
use schemars::schema_for;
use schemas::task::TaskDefinition;

use super::printer::Printer;
use crate::recipe::Recipe;

/// Print the JSON Schema of a recipe, for editors.
#[derive(Debug, Args)]
pub struct SchemaArgs {
    /// What is described.
    #[arg(value_enum, default_value_t)]
    of: Described,
    /// Print a reference of all keys in Markdown instead.
    #[arg(long)]
    markdown: bool,
}

/// Files that people write.
#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum Described {
    /// A recipe.
    #[default]
    Recipe,
    /// A task's file.
    Task,
}

impl SchemaArgs {
    pub fn run(self, printer: &Printer) -> anyhow::Result<()> {
        let (schema, title) = match self.of {
            Described::Recipe => (schema_for!(Recipe), "Recipe"),
            Described::Task => (schema_for!(TaskDefinition), "Task"),
        };
        if self.markdown {
            printer.result(schemas::reference::markdown(&schema, title).trim_end());
        } else {
            printer.result(serde_json::to_string_pretty(&schema)?);
        }
        Ok(())
    }
}
