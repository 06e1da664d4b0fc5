//! Numbers that come back from JSON bit for bit.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// A number that is written as text: the shortest that stands for it and no other. A reader of JSON numbers may be off by the last
/// bit, and has no word for infinity.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Exact(pub f64);

impl fmt::Display for Exact {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?}", self.0)
    }
}

impl Serialize for Exact {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Exact {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map(Self).map_err(|_| D::Error::custom(format!("`{text}` is no number")))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_number_comes_back(bits: u64) {
            let number = f64::from_bits(bits);
            let json = serde_json::to_string(&Exact(number)).expect("text is JSON");
            let back: Exact = serde_json::from_str(&json).expect("it was written by us");
            prop_assert!(back.0.to_bits() == bits || number.is_nan() && back.0.is_nan());
        }
    }
}
