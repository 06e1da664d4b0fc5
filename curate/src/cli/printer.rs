//! The only place that prints.
//!
//! Results go to standard output, everything else to standard error: bars on a terminal, plain lines elsewhere, or JSON for machines.

use std::{
    fmt::Display,
    io::{self, IsTerminal as _, Write as _},
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
    time::Duration,
};

use console::Term;
use indicatif::{ProgressBar, ProgressStyle};
use schemas::progress::{Advance, Begin, End, Form, Told, line};
use serde::Serialize;
use tracing::Level;
use tracing_subscriber::{
    Layer as _,
    filter::{LevelFilter, Targets},
    layer::SubscriberExt as _,
    util::SubscriberInitExt as _,
};

use super::json_log::JsonLog;
use crate::run::Progress;

/// How much is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verbosity {
    /// Errors, results and what was lost.
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
    form: Form,
    output: io::Stdout,
    bar: Mutex<Option<ProgressBar>>,
    stage: Mutex<Stage>,
    /// Why a result could not be printed.
    unwritten: OnceLock<io::Error>,
}

/// How far a stage is.
#[derive(Debug, Default)]
struct Stage {
    name: String,
    done: u64,
    units: u64,
}

/// Sends what the rooms below log to standard error; what libraries log, only when asked twice.
pub fn log(verbosity: Verbosity, form: Form) {
    let (own, others) = match verbosity {
        Verbosity::Quiet => (Level::ERROR, None),
        Verbosity::Normal => (Level::WARN, None),
        Verbosity::Verbose => (Level::INFO, None),
        Verbosity::Debug => (Level::DEBUG, Some(Level::INFO)),
    };
    let targets = Targets::new().with_default(LevelFilter::from(others)).with_target("curate", own);
    let registry = tracing_subscriber::registry();
    match form {
        Form::Text => {
            let layer = tracing_subscriber::fmt::layer();
            let layer = layer.with_writer(io::stderr).with_ansi(io::stderr().is_terminal()).without_time();
            registry.with(layer.with_filter(targets)).init();
        }
        Form::Json => registry.with(JsonLog.with_filter(targets)).init(),
    }
}

impl Printer {
    pub fn new(verbosity: Verbosity, form: Form) -> Self {
        Self {
            verbosity,
            form,
            output: io::stdout(),
            bar: Mutex::new(None),
            stage: Mutex::default(),
            unwritten: OnceLock::new(),
        }
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
        let mut output = self.output.lock();
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
        if self.verbosity >= Verbosity::Normal {
            self.say("note", "", text);
        }
    }

    /// Prints what must not be missed, though the command goes on.
    pub fn warn(&self, text: impl Display) {
        self.say("warning", "", text);
    }

    /// Prints why the command failed.
    pub fn error(&self, error: &anyhow::Error) {
        self.take_bar();
        self.say("error", "error: ", error);
    }

    /// Says a text, as what kind of event; people see `before` before it.
    fn say(&self, event: &str, before: &str, text: impl Display) {
        match self.form {
            Form::Text => drop(writeln!(io::stderr().lock(), "{before}{text}")),
            Form::Json => self.tell(event, &Told { text: &text.to_string() }),
        }
    }

    /// Tells a machine of an event.
    fn tell(&self, event: &str, of: &impl Serialize) {
        if self.form == Form::Json {
            let _ = writeln!(io::stderr().lock(), "{}", line(event, of));
        }
    }

    fn take_bar(&self) -> Option<ProgressBar> {
        held(&self.bar).take().inspect(ProgressBar::finish_and_clear)
    }

    fn stage(&self) -> MutexGuard<'_, Stage> {
        held(&self.stage)
    }
}

impl Progress for Printer {
    fn begin(&self, stage: &str, units: u64) {
        if self.verbosity < Verbosity::Normal {
            return;
        }
        if self.form == Form::Json {
            *self.stage() = Stage { name: stage.to_owned(), done: 0, units };
            return self.tell("begin", &Begin { stage, units });
        }
        if !io::stderr().is_terminal() {
            return;
        }
        let style =
            ProgressStyle::with_template("{msg:18} {bar:32} {pos}/{len}  {elapsed}").expect("the template is sound");
        let bar = ProgressBar::new(units).with_style(style).with_message(stage.to_owned());
        bar.enable_steady_tick(Duration::from_millis(200));
        *held(&self.bar) = Some(bar);
    }

    fn advance(&self) {
        if let Some(bar) = held(&self.bar).as_ref() {
            bar.inc(1);
        }
        if self.form == Form::Json && self.verbosity >= Verbosity::Normal {
            let mut stage = self.stage();
            stage.done += 1;
            let Stage { name, done, units } = &*stage;
            self.tell("advance", &Advance { stage: name, done: *done, units: *units });
        }
    }

    fn end(&self, stage: &str, seconds: f64, note: &str) {
        self.take_bar();
        match self.form {
            Form::Text => self.note(format_args!("{stage:18} {seconds:7.1} s  {note}")),
            Form::Json if self.verbosity >= Verbosity::Normal => self.tell("end", &End { stage, seconds, note }),
            Form::Json => {}
        }
    }
}

/// What a lock holds, whatever became of a thread that held it.
fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}
