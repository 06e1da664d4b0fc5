//! The only place that prints: results to standard output, everything else to standard error.

use std::{
    fmt::Display,
    io::{self, Write as _},
};

/// Prints for one command.
pub struct Printer {
    quiet: bool,
    output: io::Stdout,
    errors: io::Stderr,
}

impl Printer {
    pub fn new(quiet: bool) -> Self {
        Self { quiet, output: io::stdout(), errors: io::stderr() }
    }

    /// Whether only errors and results are printed.
    pub fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Prints a result.
    pub fn result(&self, text: impl Display) {
        // nobody reads on: there is nobody to tell
        let _ = writeln!(self.output.lock(), "{text}");
    }

    /// Prints a word about what happens, unless it should be quiet.
    pub fn note(&self, text: impl Display) {
        if !self.quiet {
            let _ = writeln!(self.errors.lock(), "{text}");
        }
    }

    /// Prints why the command failed.
    pub fn error(&self, error: &anyhow::Error) {
        let _ = writeln!(self.errors.lock(), "error: {error}");
    }
}
