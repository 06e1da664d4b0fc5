//! What the sequences of a labelled example are to each other.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the sequences of a labelled example are to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ExampleKind {
    /// One sequence, or two texts in both orders: the label is the number of a class.
    Classification,
    /// One sequence for each alternative: the label is the number of the right one.
    MultipleChoice,
}

impl ExampleKind {
    /// What is wrong with the number of an example's sequences, if something is.
    pub(super) fn fault(self, sequences: usize) -> Option<String> {
        match self {
            Self::Classification if sequences > 2 => Some(format!(
                "it has {sequences} sequences, and with `kind = \"classification\"` an example has one, or two in both orders; \
                 alternatives are `multiple_choice`"
            )),
            Self::MultipleChoice if sequences < 2 => Some(format!(
                "it has {sequences} sequence, and with `kind = \"multiple_choice\"` an example has one for each alternative, two or more"
            )),
            _ => None,
        }
    }
}
