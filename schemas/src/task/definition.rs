//! A task as it is written: TOML, closed.

use std::{collections::BTreeMap, path::PathBuf};

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Metric, PromptStyle, Scoring, TaskKind};
use crate::{examples::ExampleFormat, toml_file::Spanned};

/// The version of a task that says none.
pub(super) const FIRST_VERSION: u32 = 1;

fn first_version() -> u32 {
    FIRST_VERSION
}

/// A task.
///
/// Expressions are Jinja's, without braces, over the fields of an example and `row`, the whole of it.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TaskDefinition {
    /// The task's name, as it stands in the column `task`.
    #[schemars(with = "String")]
    pub name: Spanned<String>,
    /// What it is, in a line.
    #[serde(default)]
    pub title: String,
    /// Raised whenever its scores are no longer those of before: other examples, prompts, or ways to judge. Results name it.
    #[serde(default = "first_version")]
    pub version: u32,
    /// What is asked for.
    pub kind: TaskKind,
    /// The licence of its data, by its short name in lower case.
    pub licence: Option<String>,
    /// What answers are judged by.
    pub metric: Option<Metric>,
    /// What the likelihoods of choices are divided by, when a model is evaluated by them; the tokens of each by default.
    pub scoring: Option<Scoring>,
    /// The fields of an example, which all have and templates may use.
    #[schemars(with = "Vec<String>")]
    pub fields: Vec<Spanned<String>>,
    /// An expression for a list, of which each element makes an example of its own, known as `item`.
    #[schemars(with = "Option<String>")]
    pub each: Option<Spanned<String>>,
    /// An expression; examples of which it is not true are left out.
    #[schemars(with = "Option<String>")]
    pub filter: Option<Spanned<String>>,
    /// The alternatives of an answer.
    #[schemars(with = "Option<ChoicesDefinition>")]
    pub choices: Option<Spanned<ChoicesDefinition>>,
    /// An expression for the right answer: its text or, with choices, its number from 0. By default the field `answer`, if there is one.
    #[schemars(with = "Option<String>")]
    pub answer: Option<Spanned<String>>,
    /// An expression for the list of all answers that are right; the answer alone by default.
    #[schemars(with = "Option<String>")]
    pub references: Option<Spanned<String>>,
    /// Where the examples lie.
    pub data: DataDefinition,
    /// Expressions that make further fields of those that an example has.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, String>")]
    pub computed: BTreeMap<Spanned<String>, Spanned<String>>,
    /// Examples as the data has them, on which every template is tried when the task is read.
    #[serde(default)]
    #[schemars(with = "Vec<BTreeMap<String, serde_json::Value>>")]
    pub example: Vec<Spanned<toml::Table>>,
    /// The ways to put an example into words.
    #[schemars(with = "Vec<TemplateDefinition>")]
    pub template: Vec<Spanned<TemplateDefinition>>,
}

/// The alternatives of an answer.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum ChoicesDefinition {
    /// The same for every example.
    Fixed(Vec<String>),
    /// An expression for a list.
    Each(String),
}

/// Where the examples lie. Paths start at the folder of the task's file, or begin with `{NAME}`, a folder that a recipe or the command line
/// names; `*` stands for any name.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DataDefinition {
    /// How the files are read; what their names end in says by default.
    pub format: Option<ExampleFormat>,
    /// For CSV and TSV without a row of names: the names of the columns.
    pub columns: Option<Vec<String>>,
    /// For lines: a regular expression whose named groups are the fields.
    #[schemars(with = "Option<String>")]
    pub pattern: Option<Spanned<String>>,
    /// Files to train on.
    #[serde(default)]
    #[schemars(with = "Vec<PathBuf>")]
    pub train: Vec<Spanned<String>>,
    /// Files to choose by.
    #[serde(default)]
    #[schemars(with = "Vec<PathBuf>")]
    pub validation: Vec<Spanned<String>>,
    /// Files to report on.
    #[serde(default)]
    #[schemars(with = "Vec<PathBuf>")]
    pub test: Vec<Spanned<String>>,
}

/// One way to put an example into words: `prompt` and `completion`; for preferences `prompt`, `chosen` and `rejected`; for retrieval
/// `query` and `positive`; or `sequences`.
///
/// Besides the fields, templates know `answer`, `answer_number`, `choices`, `options` (the choices as a list that begins with `OPTIONS:`),
/// `references`, `item` and `row`; sequences know `start`, `delimiter`, `extract` and `alternative`, too.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TemplateDefinition {
    /// The template's name, as it stands in the column `template`.
    pub name: String,
    /// Whose style of prompts it follows.
    #[serde(default)]
    pub prompt_style: PromptStyle,
    /// Whether its input is made from the label.
    #[serde(default)]
    pub inverted: bool,
    /// What stands once before all demonstrations, word by word.
    #[serde(default)]
    pub preamble: String,
    /// A regular expression with one group, which finds the answer in what a model generates.
    #[schemars(with = "Option<String>")]
    pub pattern: Option<Spanned<String>>,
    /// What the model is given.
    #[schemars(with = "Option<String>")]
    pub prompt: Option<Spanned<String>>,
    /// What the model should answer.
    #[schemars(with = "Option<String>")]
    pub completion: Option<Spanned<String>>,
    /// The better of two answers.
    #[schemars(with = "Option<String>")]
    pub chosen: Option<Spanned<String>>,
    /// The other.
    #[schemars(with = "Option<String>")]
    pub rejected: Option<Spanned<String>>,
    /// A question.
    #[schemars(with = "Option<String>")]
    pub query: Option<Spanned<String>>,
    /// The passage that answers it.
    #[schemars(with = "Option<String>")]
    pub positive: Option<Spanned<String>>,
    /// Sequences for a head to read.
    #[schemars(with = "Option<Vec<String>>")]
    pub sequences: Option<Vec<Spanned<String>>>,
}
