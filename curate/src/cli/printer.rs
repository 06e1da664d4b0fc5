//! The only place that prints.
//!
//! Results go to standard output, everything else to standard error: bars on a terminal, plain lines elsewhere.

use std::{
    fmt::Display,
    io::{self, IsTerminal as _, Write as _},
    sync::Mutex,
    time::Duration,
};

use console::Term;
use indicatif::{ProgressBar, ProgressStyle};
use tracing::Level;
use tracing_subscriber::{
    Layer as _,
    filter::{LevelFilter, Targets},
    layer::SubscriberExt as _,
    util::SubscriberInitExt as _,
};

use crate::run::Progress;

/// How much is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verbosity {
    /// Errors and results.
    Quiet,
    /// Stages, too.
    Normal,
    /// Units, too.
    Verbose,
    /// What the engine says, too.
    Debug,
}

impl Verbosity {
    /// What `-q` and `-v` ask for.
    pub fn new(quiet: bool, verbose: u8) -> Self {
        match (quiet, verbose) {
            (true, _) => Self::Quiet,
            (false, 0) => Self::Normal,
            (false, 1) => Self::Verbose,
            (false, _) => Self::Debug,
        }
    }
}

/// Prints for one command.
pub struct Printer {
    verbosity: Verbosity,
    output: io::Stdout,
    bar: Mutex<Option<ProgressBar>>,
}

/// Sends what the rooms below log to standard error; what libraries log, only when asked twice.
pub fn log(verbosity: Verbosity) {
    let (own, others) = match verbosity {
        Verbosity::Quiet => (Level::ERROR, None),
        Verbosity::Normal => (Level::WARN, None),
        Verbosity::Verbose => (Level::INFO, None),
        Verbosity::Debug => (Level::DEBUG, Some(Level::INFO)),
    };
    let targets = Targets::new().with_default(LevelFilter::from(others)).with_target("curate", own);
    let layer = tracing_subscriber::fmt::layer().with_writer(io::stderr).without_time();
    tracing_subscriber::registry().with(layer.with_filter(targets)).init();
}

impl Printer {
    pub fn new(verbosity: Verbosity) -> Self {
        Self { verbosity, output: io::stdout(), bar: Mutex::new(None) }
    }

    /// Whether every unit should be named.
    pub fn is_verbose(&self) -> bool {
        self.verbosity >= Verbosity::Verbose
    }

    /// Characters in a line of what is said; of a file, as many as are read with ease.
    #[expect(clippy::unused_self, reason = "the terminal is asked at each call: it may have another size by then")]
    pub fn width(&self) -> usize {
        let terminal = io::stderr().is_terminal().then(|| Term::stderr().size_checked()).flatten();
        terminal.map_or(100, |(_, columns)| usize::from(columns))
    }

    /// Prints a result.
    pub fn result(&self, text: impl Display) {
        // nobody reads on: there is nobody to tell
        let _ = writeln!(self.output.lock(), "{text}");
    }

    /// Prints a word about what happens, unless it should be quiet.
    pub fn note(&self, text: impl Display) {
        if self.verbosity >= Verbosity::Normal {
            let _ = writeln!(io::stderr().lock(), "{text}");
        }
    }

    /// Prints what must not be missed, though the command goes on.
    #[expect(clippy::unused_self, reason = "it is said at every verbosity")]
    pub fn warn(&self, text: impl Display) {
        let _ = writeln!(io::stderr().lock(), "{text}");
    }

    /// Prints why the command failed.
    pub fn error(&self, error: &anyhow::Error) {
        self.take_bar();
        let _ = writeln!(io::stderr().lock(), "error: {error}");
    }

    fn take_bar(&self) -> Option<ProgressBar> {
        let mut bar = self.bar.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        bar.take().inspect(ProgressBar::finish_and_clear)
    }
}

impl Progress for Printer {
    fn begin(&self, stage: &str, units: u64) {
        if self.verbosity < Verbosity::Normal || !io::stderr().is_terminal() {
            return;
        }
        let style =
            ProgressStyle::with_template("{msg:18} {bar:32} {pos}/{len}  {elapsed}").expect("the template is sound");
        let bar = ProgressBar::new(units).with_style(style).with_message(stage.to_owned());
        bar.enable_steady_tick(Duration::from_millis(200));
        *self.bar.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(bar);
    }

    fn advance(&self) {
        if let Some(bar) = self.bar.lock().unwrap_or_else(std::sync::PoisonError::into_inner).as_ref() {
            bar.inc(1);
        }
    }

    fn end(&self, stage: &str, seconds: f64, note: &str) {
        self.take_bar();
        self.note(format_args!("{stage:18} {seconds:7.1} s  {note}"));
    }
}
