//! What stands under a key.

use serde_json::Number;

use super::{LineFault, LineFaultKind};

/// What stands under a key.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Field {
    /// There is no such key.
    #[default]
    Missing,
    /// `null`.
    Null,
    /// A string.
    Text(String),
    /// A number.
    Number(Number),
    /// `true` or `false`.
    Flag(bool),
    /// `NaN`, `Infinity` or `-Infinity`, which are no JSON.
    NotANumber(&'static str),
    /// A list.
    List,
    /// An object.
    Object,
}

impl Field {
    /// The text under `key`.
    ///
    /// # Errors
    /// When there is none: what stands in its place.
    pub fn into_text(self, key: &str) -> Result<String, LineFault> {
        match self {
            Self::Text(text) => Ok(text),
            Self::Missing => {
                Err(LineFault { kind: LineFaultKind::Field, message: format!("there is no `{key}`"), place: None })
            }
            other => Err(LineFault::of_key(key, &format!("is {}, and no string", other.what()))),
        }
    }

    /// What it is, in words.
    #[must_use]
    pub fn what(&self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Null => "null",
            Self::Text(_) => "a string",
            Self::Number(_) => "a number",
            Self::Flag(true) => "true",
            Self::Flag(false) => "false",
            Self::NotANumber(name) => name,
            Self::List => "a list",
            Self::Object => "an object",
        }
    }
}
