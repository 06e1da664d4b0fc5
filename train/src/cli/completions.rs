//! `train completions`.

use clap::{Args, CommandFactory as _};
use clap_complete::{Shell, generate};

use super::{Arguments, printer::Printer};

/// Print a script that lets a shell complete commands and flags.
///
/// Such as `train completions bash > ~/.local/share/bash-completion/completions/train`.
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// The shell.
    shell: Shell,
}

impl CompletionsArgs {
    pub fn run(self, printer: &Printer) -> anyhow::Result<()> {
        let mut script = Vec::new();
        generate(self.shell, &mut Arguments::command(), "train", &mut script);
        printer.result(String::from_utf8(script)?.trim_end());
        Ok(())
    }
}
