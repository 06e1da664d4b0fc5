//! What a program tells a machine that watches it: `--progress json`, one JSON object a line on standard error.
//!
//! ```text
//! {"event":"begin","stage":"read","units":12}
//! {"event":"advance","stage":"read","done":1,"units":12}
//! {"event":"end","stage":"read","seconds":0.4,"note":"12 files, 3 MB"}
//! {"event":"error","text":"..."}
//! ```
//!
//! Useful for: schedulers, notebooks, dashboards. Not useful for: results, which go to standard output; accounts, which are files.

use std::{fmt, str::FromStr};

use serde::Serialize;

/// How progress is told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Form {
    /// For people: bars on a terminal, lines elsewhere.
    #[default]
    Text,
    /// For machines: a JSON object a line.
    Json,
}

impl fmt::Display for Form {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Text => "text",
            Self::Json => "json",
        })
    }
}

impl FromStr for Form {
    type Err = UnknownForm;

    fn from_str(name: &str) -> Result<Self, UnknownForm> {
        match name {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err(UnknownForm),
        }
    }
}

/// A form that is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected `text` or `json`")]
pub struct UnknownForm;

/// An event that says no more than a text: `note`, `warning` or `error`.
#[derive(Debug, Serialize)]
pub struct Told<'t> {
    /// What is said.
    pub text: &'t str,
}

/// A stage begins.
#[derive(Debug, Serialize)]
pub struct Begin<'t> {
    /// Its name.
    pub stage: &'t str,
    /// How many units of work it has.
    pub units: u64,
}

/// A unit of a stage is done.
#[derive(Debug, Serialize)]
pub struct Advance<'t> {
    /// The stage's name.
    pub stage: &'t str,
    /// Units that are done.
    pub done: u64,
    /// Units in all.
    pub units: u64,
}

/// A stage is done.
#[derive(Debug, Serialize)]
pub struct End<'t> {
    /// Its name.
    pub stage: &'t str,
    /// Seconds that it took.
    pub seconds: f64,
    /// What it did.
    pub note: &'t str,
}

/// An event as its line, without the line's end.
///
/// - `event`: its kind
/// - `of`: what else the object has
#[must_use]
pub fn line(event: &str, of: &impl Serialize) -> String {
    #[derive(Serialize)]
    struct Line<'t, T> {
        event: &'t str,
        #[serde(flatten)]
        of: &'t T,
    }
    serde_json::to_string(&Line { event, of }).expect("events are JSON")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_one_line() {
        assert_eq!(line("note", &Told { text: "two\nlines" }), r#"{"event":"note","text":"two\nlines"}"#);
    }
}
