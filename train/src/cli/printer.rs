//! The only place that prints: results to standard output, everything else to standard error, for people or for machines.

use std::{
    fmt::Display,
    io::{self, Write as _},
    sync::{Arc, OnceLock},
};

use schemas::progress::{Form, Told, line};
use serde::Serialize;

/// Prints for one command.
#[derive(Debug, Clone)]
pub struct Printer {
    quiet: bool,
    form: Form,
    /// Why a result could not be printed.
    unwritten: Arc<OnceLock<io::Error>>,
}

impl Printer {
    pub fn new(quiet: bool, form: Form) -> Self {
        Self { quiet, form, unwritten: Arc::default() }
    }

    /// Whether only errors and results are printed.
    pub fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Whether a machine reads what is printed.
    pub fn is_json(&self) -> bool {
        self.form == Form::Json
    }

    /// Prints a result.
    pub fn result(&self, text: impl Display) {
        let mut output = io::stdout().lock();
        match writeln!(output, "{text}").and_then(|()| output.flush()) {
            // nobody reads on: there is nobody to tell
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => drop(self.unwritten.set(error)),
            _ => {}
        }
    }

    /// Why a result could not be printed, if one could not.
    pub fn unwritten(&self) -> Option<&io::Error> {
        self.unwritten.get()
    }

    /// Prints a word about what happens, unless it should be quiet.
    pub fn note(&self, text: impl Display) {
        if !self.quiet {
            self.say("note", "", text);
        }
    }

    /// Tells a machine of an event, unless it should be quiet.
    pub fn tell(&self, event: &str, of: &impl Serialize) {
        if !self.quiet && self.is_json() {
            let _ = writeln!(io::stderr().lock(), "{}", line(event, of));
        }
    }

    /// Prints why the command failed.
    pub fn error(&self, error: &anyhow::Error) {
        self.say("error", "error: ", error);
    }

    /// Says a text, as what kind of event; people see `before` before it.
    fn say(&self, event: &str, before: &str, text: impl Display) {
        let text = match self.form {
            Form::Text => format!("{before}{text}"),
            Form::Json => line(event, &Told { text: &text.to_string() }),
        };
        let _ = writeln!(io::stderr().lock(), "{text}");
    }
}
