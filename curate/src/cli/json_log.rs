//! What the rooms below log, for machines: one JSON object a line.

use std::{
    fmt::{Debug, Write as _},
    io::{self, Write as _},
};

use schemas::progress::{Told, line};
use tracing::{
    Event, Level, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{Layer, layer::Context};

/// Writes what is logged to standard error, as events `warning` and `log`.
pub struct JsonLog;

impl<S: Subscriber> Layer<S> for JsonLog {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut text = Text::default();
        event.record(&mut text);
        let kind = if *event.metadata().level() <= Level::WARN { "warning" } else { "log" };
        let _ = writeln!(io::stderr().lock(), "{}", line(kind, &Told { text: text.0.trim() }));
    }
}

/// A message, and fields behind it as `name=value`.
#[derive(Default)]
struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let _ = match field.name() {
            "message" => write!(self.0, "{value:?} "),
            name => write!(self.0, "{name}={value:?} "),
        };
    }
}
