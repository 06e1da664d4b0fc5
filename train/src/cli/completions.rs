//! `train completions`.

use clap::{Args, Command};
use clap_complete::{Shell, generate};

use super::printer::Printer;

/// Print a script that lets a shell complete commands and flags.
///
/// Such as `train completions bash > ~/.local/share/bash-completion/completions/train`.
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// The shell.
    shell: Shell,
}

impl CompletionsArgs {
    /// - `program`: all commands and flags
    pub fn run(self, mut program: Command, printer: &Printer) -> anyhow::Result<()> {
        let mut script = Vec::new();
        generate(self.shell, &mut program, "train", &mut script);
        printer.result(String::from_utf8(script)?.trim_end());
        Ok(())
    }
}
