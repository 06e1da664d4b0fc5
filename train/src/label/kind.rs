//! What people are asked for.

use std::{fmt, str::FromStr};

/// What people are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Which of some answers are better.
    Rankings,
    /// An answer of their own.
    Demonstrations,
}

impl Kind {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Rankings, Self::Demonstrations];

    /// What it is called.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Rankings => "rankings",
            Self::Demonstrations => "demonstrations",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Kind {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|kind| kind.name() == name);
        found.ok_or_else(|| format!("expected {}", Self::ALL.map(Self::name).join(" or ")))
    }
}
