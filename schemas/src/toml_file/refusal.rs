//! Why a text with settings is not a `T`, before it is known which of the two is to blame.

use std::ops::Range;

use crate::renamed::instead;

/// A refusal of the parser, or of a setting's key.
pub(super) enum Refusal {
    Toml(toml::de::Error),
    Key(String),
}

impl Refusal {
    /// What is wrong, without its place.
    pub(super) fn message(&self) -> String {
        match self {
            Self::Toml(error) => {
                let message = error.message().trim_end();
                instead(message).unwrap_or_else(|| message.to_owned())
            }
            Self::Key(message) => message.clone(),
        }
    }

    /// Whether it is of something that is not there, and that a setting may bring.
    pub(super) fn is_lack(&self) -> bool {
        matches!(self, Self::Toml(error) if error.message().starts_with("missing field"))
    }

    /// Its place in the text, in bytes; the beginning where it is not known.
    pub(super) fn span(&self) -> Range<usize> {
        match self {
            Self::Toml(error) => error.span().unwrap_or(0..0),
            Self::Key(_) => 0..0,
        }
    }
}

impl From<toml::de::Error> for Refusal {
    fn from(error: toml::de::Error) -> Self {
        Self::Toml(error)
    }
}
