//! Rows of mixtures.

use std::sync::Arc;

use arrow_schema::{DataType, Schema, SchemaRef};

use super::{ID, SOURCE, TEXT, required, texts_list};
use crate::task::Form;

/// The task that an example is of.
pub const TASK: &str = "task";
/// The template that put an example into words.
pub const TEMPLATE: &str = "template";
/// What a model is given.
pub const PROMPT: &str = "prompt";
/// What a model should answer.
pub const COMPLETION: &str = "completion";
/// A conversation: a list of objects with `role` and `content`. Mixtures have none; files of others do.
pub const MESSAGES: &str = "messages";
/// The better of two answers.
pub const CHOSEN: &str = "chosen";
/// The other answer.
pub const REJECTED: &str = "rejected";
/// Answers to a prompt, of any number: a list of texts. Mixtures have none; files of others do.
pub const ANSWERS: &str = "answers";
/// The rank of each answer: a list of whole numbers, of which 1 is the best, and equal ones are ties.
pub const RANKS: &str = "ranks";
/// A question.
pub const QUERY: &str = "query";
/// The passage that answers it.
pub const POSITIVE: &str = "positive";
/// Passages of other examples.
pub const NEGATIVES: &str = "negatives";
/// Sequences that a head reads.
pub const SEQUENCES: &str = "sequences";
/// The number of the right choice, from 0.
pub const LABEL: &str = "label";

/// A text mixture: one row for each copy of a document.
#[must_use]
pub fn text_mixture() -> SchemaRef {
    Arc::new(Schema::new(vec![
        required(ID, DataType::Utf8View),
        required(SOURCE, DataType::Utf8View),
        required(TEXT, DataType::Utf8View),
    ]))
}

/// A mixture of questions with their passages, made of documents: one row for each copy of a document.
#[must_use]
pub fn pairs_mixture() -> SchemaRef {
    Arc::new(Schema::new(vec![
        required(ID, DataType::Utf8View),
        required(SOURCE, DataType::Utf8View),
        required(QUERY, DataType::Utf8View),
        required(POSITIVE, DataType::Utf8View),
        required(NEGATIVES, texts_list()),
    ]))
}

/// A mixture of examples: one row for each example, copy and template.
#[must_use]
pub fn examples_mixture(form: Form) -> SchemaRef {
    let texts = |names: &[&str]| names.iter().map(|name| required(name, DataType::Utf8View)).collect::<Vec<_>>();
    let own = match form {
        Form::Completion => texts(&[PROMPT, COMPLETION]),
        Form::Preference => texts(&[PROMPT, CHOSEN, REJECTED]),
        Form::Retrieval => [texts(&[QUERY, POSITIVE]), vec![required(NEGATIVES, texts_list())]].concat(),
        Form::Sequences => vec![required(SEQUENCES, texts_list()), required(LABEL, DataType::Int64)],
    };
    Arc::new(Schema::new([texts(&[ID, SOURCE, TASK, TEMPLATE]), own].concat()))
}
