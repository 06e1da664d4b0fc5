//! The only place that prints: results to standard output, everything else to standard error.

use std::{
    fmt::Display,
    io::{self, IsTerminal as _, Write as _},
};

use indicatif::{ProgressBar, ProgressStyle};

use crate::trainer::{Evaluated, Progress, Stepped};

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

    /// Shows a training: a bar on a terminal, lines elsewhere.
    pub fn training(&self, steps: u64) -> TrainingProgress<'_> {
        let bar = (!self.quiet && io::stderr().is_terminal()).then(|| {
            let style = ProgressStyle::with_template("{bar:32} {pos}/{len}  {msg}").expect("the template is sound");
            ProgressBar::new(steps).with_style(style)
        });
        TrainingProgress { printer: self, bar }
    }
}

/// What is shown of a training.
pub struct TrainingProgress<'p> {
    printer: &'p Printer,
    bar: Option<ProgressBar>,
}

impl Progress for TrainingProgress<'_> {
    fn stepped(&mut self, stepped: &Stepped, steps: u64, left: f64) {
        let Stepped { step, loss, tokens_per_second, .. } = stepped;
        let message = format!("loss {loss:.4}  {tokens_per_second:.0} tokens/s  {} left", clock(left));
        match &self.bar {
            Some(bar) => {
                bar.set_position(*step);
                bar.set_message(message);
            }
            None => self.printer.note(format_args!("step {step:>6}/{steps}  {message}")),
        }
    }

    fn evaluated(&mut self, evaluated: &Evaluated) {
        let Evaluated { step, validation_loss, held_out } = evaluated;
        let others: String = held_out.iter().map(|(name, loss)| format!(", {name} {loss:.4}")).collect();
        let line = format!("step {step:>6}  validation loss {validation_loss:.4}{others}");
        match &self.bar {
            Some(bar) => bar.suspend(|| self.printer.note(line)),
            None => self.printer.note(line),
        }
    }

    fn note(&mut self, text: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| self.printer.note(text)),
            None => self.printer.note(text),
        }
    }
}

impl Drop for TrainingProgress<'_> {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// Seconds as minutes and seconds.
fn clock(seconds: f64) -> String {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a time to show")]
    let seconds = seconds.max(0.0) as u64;
    format!("{}:{:02}", seconds / 60, seconds % 60)
}
