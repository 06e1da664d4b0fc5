//! Shares as people write them.

use std::{borrow::Cow, fmt, str::FromStr};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// A part of a whole, from 0 to 1. A percentage is refused, wherever it is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Share(f64);

impl Share {
    /// A share that stands in the code, and lies between 0 and 1.
    #[must_use]
    pub fn of(value: f64) -> Self {
        Self::try_from(value).expect("a share of the code is one")
    }

    /// The number.
    #[must_use]
    pub fn get(self) -> f64 {
        self.0
    }
}

impl TryFrom<f64> for Share {
    type Error = String;

    fn try_from(value: f64) -> Result<Self, String> {
        let percentage = 1.0..=100.0;
        if (0.0..=1.0).contains(&value) {
            Ok(Self(value))
        } else if percentage.contains(&value) {
            Err(format!("a share lies between 0 and 1: for {value} %, write {}", value / 100.0))
        } else {
            Err(format!("a share lies between 0 and 1, and {value} does not"))
        }
    }
}

impl From<Share> for f64 {
    fn from(share: Share) -> Self {
        share.0
    }
}

impl FromStr for Share {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let value: f64 = text.parse().map_err(|_| "expected a share between 0 and 1, such as 0.05".to_owned())?;
        Self::try_from(value)
    }
}

impl fmt::Display for Share {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, formatter)
    }
}

impl JsonSchema for Share {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Share".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "number", "minimum": 0, "maximum": 1 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentage_is_no_share() {
        for (text, value) in [("0", 0.0), ("0.05", 0.05), ("1", 1.0), ("1e-3", 0.001)] {
            let share: Share = text.parse().expect("it is a share");
            assert!((share.get() - value).abs() < 1e-12, "{text}");
        }
        for text in ["5", "2", "-1", "1.5", "nan", "inf", "-0.01", "5 %", ""] {
            let error = text.parse::<Share>().expect_err(text);
            assert!(error.contains("between 0 and 1"), "{text}: {error}");
        }
        assert_eq!("5".parse::<Share>(), Err("a share lies between 0 and 1: for 5 %, write 0.05".into()));
    }

    /// In files it is the number alone, whole or not.
    #[test]
    fn a_share_is_read_and_written_as_a_number() {
        assert_eq!(
            serde_json::from_str::<Vec<Share>>("[0, 0.25, 1]").map_err(|_| ()),
            Ok([0.0, 0.25, 1.0].map(Share::of).to_vec())
        );
        assert_eq!(serde_json::to_string(&Share::of(0.25)).expect("it is JSON"), "0.25");
        assert!(serde_json::from_str::<Share>("5").is_err());
    }
}
