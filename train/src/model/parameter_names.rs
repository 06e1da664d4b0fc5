//! The language model in a module with a head of its own, such as a classifier: what it is called there.
//!
//! ```text
//! tokens         model.tokens           of the language model
//!                classes.weight         of a classifier's head
//!                score.weight           of a reward model's
//!                value.score.weight     of the value network beside a policy
//!                passage.tokens         of the encoder of passages beside one of questions
//! ```
//!
//! So the one is read where the other was written: a classifier begins from a language model, and a language model from a classifier.

use std::borrow::Cow;

use super::{NamedTensor, adapter_names::is_beside};

/// What the names of the language model's parameters begin with.
const PREFIX: &str = "model.";

/// What the names of the parameters of a classifier's head begin with.
pub(super) const CLASSES: &str = "classes.";
/// What those of a model of passages' own begin with.
const PASSAGE: &str = "passage.";
/// What those of a reward model's begin with.
pub(super) const SCORE: &str = "score.";

/// Whether a parameter is one of a head that is not the language model's own, or of a network beside it.
#[must_use]
pub fn is_of_head(name: &str) -> bool {
    [CLASSES, SCORE].iter().any(|head| name.starts_with(head)) || is_beside(name)
}

/// The name that a parameter of a module has in its language model; that of any other as it is.
#[must_use]
pub fn language_model_name(name: &str) -> &str {
    name.strip_prefix(PREFIX).unwrap_or(name)
}

/// The name under which a module has a parameter of its language model, as far as `has` knows it: of the one alone, or within another.
pub fn stored_name(name: &str, has: impl Fn(&str) -> bool) -> Option<Cow<'_, str>> {
    let name = language_model_name(name);
    if has(name) {
        return Some(name.into());
    }
    Some(Cow::from(format!("{PREFIX}{name}"))).filter(|within| has(within))
}

/// The parameters of the language model alone, by the names that they have there.
#[must_use]
pub fn language_model(parameters: Vec<NamedTensor>) -> Vec<NamedTensor> {
    if !parameters.iter().any(|named| named.name.starts_with(PREFIX)) {
        return parameters;
    }
    let own = parameters.into_iter().filter(|named| named.name.starts_with(PREFIX));
    own.map(|named| NamedTensor { name: language_model_name(&named.name).to_owned(), ..named }).collect()
}

/// The parameters of encoders, by the names that they have in a language model: those of questions, and those of passages where these have their own.
#[must_use]
pub fn encoders_of(parameters: Vec<NamedTensor>) -> Vec<(&'static str, Vec<NamedTensor>)> {
    let (passages, queries): (Vec<NamedTensor>, Vec<NamedTensor>) =
        parameters.into_iter().partition(|named| named.name.starts_with(PASSAGE));
    let own = |named: NamedTensor| NamedTensor { name: named.name[PASSAGE.len()..].to_owned(), ..named };
    let passages: Vec<NamedTensor> = passages.into_iter().map(own).collect();
    let each = [("query", language_model(queries)), ("passage", passages)];
    each.into_iter().filter(|(_, parameters)| !parameters.is_empty()).collect()
}
