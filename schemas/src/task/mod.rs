//! Tasks and their templates: what turns a row of data into a prompt and its completion.
//!
//! ```text
//! tasks/NAME.toml -> Task: where its data lies   -> crate::examples  rows -> examples
//!                          what an example means -> crate::examples  fields -> answer, choices
//!                          templates             -> crate::prompt    example -> prompt, completion
//! ```
//!
//! `curate` renders training data with them and `train` evaluates with them; both through [`crate::prompt`].

mod check;
mod definition;
mod shipped;

use std::{collections::BTreeMap, fmt, path::PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use check::Folders;
pub use definition::{ChoicesDefinition, DataDefinition, TaskDefinition, TemplateDefinition};
pub use shipped::shipped;

use crate::{
    columns::{CHOSEN, COMPLETION, POSITIVE, PROMPT, QUERY, REJECTED, SEQUENCES},
    examples::ExampleRules,
};

/// A checked task: its data exists, and its examples go through every template.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Task {
    /// The task's name.
    pub name: String,
    /// What it is, in a line.
    pub title: String,
    /// By which scores can be told from those of an earlier form of it.
    #[serde(default = "first_version", skip_serializing_if = "is_first_version")]
    pub version: u32,
    /// What is asked for.
    pub kind: TaskKind,
    /// The licence of its data, where that is known.
    pub licence: Option<String>,
    /// What answers are judged by; nothing where there is no answer.
    pub metric: Option<Metric>,
    /// What the likelihoods of choices are divided by, where the task says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scoring: Option<Scoring>,
    /// What its examples are made of.
    pub rules: ExampleRules,
    /// Examples of its own file, as JSON objects, for whoever has no data at hand.
    pub examples: Vec<String>,
    /// The files of each split, sorted.
    pub files: BTreeMap<Split, Vec<PathBuf>>,
    /// Its templates, in the order of the file.
    pub templates: Vec<Template>,
}

fn first_version() -> u32 {
    definition::FIRST_VERSION
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_first_version(version: &u32) -> bool {
    *version == definition::FIRST_VERSION
}

/// What a task asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TaskKind {
    /// A label for a text.
    Classification,
    /// Whether one text follows from another.
    Entailment,
    /// Whether two texts mean the same.
    Similarity,
    /// One of several alternatives, which differ from example to example.
    MultipleChoice,
    /// An answer that stands in a text, or is known.
    QuestionAnswering,
    /// The same in another language.
    Translation,
    /// The same in fewer words.
    Summarisation,
    /// A text.
    Generation,
    /// A number, by reasoning.
    Arithmetic,
    /// The better of two answers.
    Preference,
    /// The passage that answers a question.
    Retrieval,
}

/// What answers are judged by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// The share of examples whose right alternative is chosen.
    Accuracy,
    /// The share of answers that equal a reference, but for capitals, articles and marks.
    ExactMatch,
    /// The words that answer and reference share, as the harmonic mean of precision and recall.
    F1,
    /// The longest common subsequence of words.
    RougeL,
    /// N-grams of up to four words that answer and reference share.
    Bleu,
}

/// What the likelihoods of choices are made comparable by.
///
/// Source: Brown et al. 2020 (GPT-3), section 2.4, for tokens and the neutral context; lm-evaluation-harness 0.4.13 for characters and bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scoring {
    /// Nothing.
    Sum,
    /// The tokens of the choice.
    #[default]
    PerToken,
    /// Its characters.
    PerCharacter,
    /// Its UTF-8 bytes.
    PerByte,
    /// Its likelihood behind a neutral context.
    Normalized,
}

impl Scoring {
    /// All of them, in their order.
    pub const ALL: [Self; 5] = [Self::Sum, Self::PerToken, Self::PerCharacter, Self::PerByte, Self::Normalized];

    /// The name in results.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Sum => "sum",
            Self::PerToken => "per_token",
            Self::PerCharacter => "per_character",
            Self::PerByte => "per_byte",
            Self::Normalized => "normalized",
        }
    }
}

/// A part of a task's data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Split {
    /// To train on.
    Train,
    /// To choose by.
    Validation,
    /// To report on.
    Test,
}

impl Split {
    /// All of them, in their order.
    pub const ALL: [Self; 3] = [Self::Train, Self::Validation, Self::Test];

    /// The split's name in columns and files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Validation => "validation",
            Self::Test => "test",
        }
    }
}

impl fmt::Display for Split {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// A checked template.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Template {
    /// The template's name.
    pub name: String,
    /// Whose style of prompts it follows.
    pub prompt_style: PromptStyle,
    /// Whether its input is made from the label.
    pub inverted: bool,
    /// What stands once before all demonstrations.
    pub preamble: String,
    /// A regular expression with one group, which finds the answer in what a model generates.
    pub pattern: Option<String>,
    /// What it makes.
    pub parts: Parts,
}

/// Whose style of prompts a template follows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PromptStyle {
    /// The task's own.
    #[default]
    Plain,
    /// A prefix names the task (Raffel et al. 2020).
    T5,
    /// An instruction in everyday words, one of ten (Wei et al. 2021).
    Flan,
    /// A sequence with start, delimiter and extract tokens for a head to read (Radford et al. 2018).
    Gpt1,
    /// A cue that texts on the web have, such as `TL;DR:` (Radford et al. 2019).
    Gpt2,
    /// A pattern that demonstrations show (Brown et al. 2020).
    Gpt3,
    /// The reasoning comes before the answer (Wei et al. 2022, Kojima et al. 2022).
    ChainOfThought,
}

impl PromptStyle {
    /// The style's name in files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::T5 => "t5",
            Self::Flan => "flan",
            Self::Gpt1 => "gpt1",
            Self::Gpt2 => "gpt2",
            Self::Gpt3 => "gpt3",
            Self::ChainOfThought => "chain_of_thought",
        }
    }
}

/// What a template makes of an example. In a template every part is one of its own, in Jinja's syntax; in what was rendered, a text.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Parts {
    /// What a model is given, and what it should answer.
    Completion {
        /// What the model is given.
        prompt: String,
        /// What it should answer.
        completion: String,
    },
    /// Two answers of which one is better.
    Preference {
        /// What the model is given.
        prompt: String,
        /// The better answer.
        chosen: String,
        /// The other.
        rejected: String,
    },
    /// A question and the passage that answers it.
    Retrieval {
        /// The question.
        query: String,
        /// The passage.
        positive: String,
    },
    /// Sequences that a head reads: one, both orders of a pair, or one for each alternative.
    Sequences {
        /// The sequences. One that uses `alternative` stands for as many as there are choices.
        sequences: Vec<String>,
    },
}

/// The form of what a template makes, which is the form of a mixture's rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// `prompt` and `completion`.
    Completion,
    /// `prompt`, `chosen` and `rejected`.
    Preference,
    /// `query`, `positive` and `negatives`.
    Retrieval,
    /// `sequences` and `label`.
    Sequences,
}

impl Parts {
    /// The form.
    #[must_use]
    pub fn form(&self) -> Form {
        match self {
            Self::Completion { .. } => Form::Completion,
            Self::Preference { .. } => Form::Preference,
            Self::Retrieval { .. } => Form::Retrieval,
            Self::Sequences { .. } => Form::Sequences,
        }
    }

    /// Each part's name, in the task's file and as a column, and its text, in the order of the columns.
    #[must_use]
    pub fn texts(&self) -> Vec<(&'static str, &str)> {
        match self {
            Self::Completion { prompt, completion } => vec![(PROMPT, prompt), (COMPLETION, completion)],
            Self::Preference { prompt, chosen, rejected } => {
                vec![(PROMPT, prompt), (CHOSEN, chosen), (REJECTED, rejected)]
            }
            Self::Retrieval { query, positive } => vec![(QUERY, query), (POSITIVE, positive)],
            Self::Sequences { sequences } => sequences.iter().map(|source| (SEQUENCES, source.as_str())).collect(),
        }
    }
}
