//! Which checkpoint of a training is meant.

use std::{borrow::Cow, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de};

/// Which checkpoint of a training is meant: `"last"`, `"best"`, or a step.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Which {
    /// The last.
    #[default]
    Newest,
    /// The one with the best evaluation.
    Best,
    /// The one after so many steps.
    Step(u64),
}

impl<'de> Deserialize<'de> for Which {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Written;
        impl de::Visitor<'_> for Written {
            type Value = Which;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("\"last\", \"best\", or the number of a step")
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<Which, E> {
                match name {
                    "last" => Ok(Which::Newest),
                    "best" => Ok(Which::Best),
                    other => Err(E::invalid_value(de::Unexpected::Str(other), &self)),
                }
            }

            fn visit_u64<E: de::Error>(self, step: u64) -> Result<Which, E> {
                Ok(Which::Step(step))
            }

            fn visit_i64<E: de::Error>(self, step: i64) -> Result<Which, E> {
                let number = u64::try_from(step).map_err(|_| E::invalid_value(de::Unexpected::Signed(step), &self))?;
                Ok(Which::Step(number))
            }
        }
        deserializer.deserialize_any(Written)
    }
}

impl JsonSchema for Which {
    fn schema_name() -> Cow<'static, str> {
        "Which".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"anyOf": [{"enum": ["last", "best"]}, {"type": "integer", "format": "uint64", "minimum": 0}]})
    }
}
