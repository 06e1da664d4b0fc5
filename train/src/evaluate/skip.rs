//! Why an example has no score: each reason has a name, and is counted.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Why an example has no score.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Skip {
    /// A row of the task's data that is no example.
    NoExample,
    /// What is right cannot be told: there is no answer or nothing to hold one against, the label is none of the choices, or an expression of the
    /// task fails.
    NoAnswer,
    /// An answer that has no token of its own.
    EmptyAnswer,
    /// An answer with more tokens than the model reads.
    LongAnswer,
    /// A prompt that leaves no room in the model's context, where prompts are not to be cut.
    LongPrompt,
    /// A text without a word.
    EmptyText,
}

/// How many examples have no score, by reason.
pub type Skips = BTreeMap<Skip, u64>;

impl Skip {
    /// The reason's name in results.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::NoExample => "no_example",
            Self::NoAnswer => "no_answer",
            Self::EmptyAnswer => "empty_answer",
            Self::LongAnswer => "long_answer",
            Self::LongPrompt => "long_prompt",
            Self::EmptyText => "empty_text",
        }
    }
}
