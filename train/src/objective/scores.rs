//! What a model is judged by while it is trained.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use crate::error::Result;

/// Judges a model on data that it has seen nothing of.
pub trait Evaluator<M> {
    /// The key of the score by which the best step is chosen, and a training without progress is ended.
    fn criterion(&self) -> &'static str;

    /// The hash of all that the criterion depends on beside the model: scores on other data do not compare.
    fn eval_set(&self) -> &str;

    /// The scores of a model without gradients, the criterion among them.
    ///
    /// - `step`: steps that the model was trained
    ///
    /// # Errors
    /// When something cannot be read or written.
    fn evaluate(&self, model: &M, step: u64) -> Result<Scores>;
}

/// Scores, as they stand in the log.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Scores {
    /// In their order.
    pub scores: Vec<Score>,
    /// The criterion on other data, by name.
    pub held_out: BTreeMap<String, f64>,
    /// What tasks are judged by, by name.
    pub tasks: BTreeMap<String, f64>,
}

/// A number that a model is judged by, or that says what it was judged on.
#[derive(Debug, Clone, PartialEq)]
pub struct Score {
    /// Its key in the log, such as `validation_loss`.
    pub key: &'static str,
    /// The number.
    pub value: Number,
    /// Whether more of it is better.
    pub higher_is_better: bool,
    /// How a line on a terminal has it, such as `perplexity 12.34`, if it does.
    pub said: Option<String>,
    /// The title of its plot on a dashboard, if it has one.
    pub plot: Option<&'static str>,
}

/// A number of the log.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Number {
    /// A measure.
    Real(f64),
    /// How many there are.
    Count(u64),
}

impl Score {
    /// A measure of which less is better.
    #[must_use]
    pub fn loss(key: &'static str, value: f64) -> Self {
        Self { key, value: Number::Real(value), higher_is_better: false, said: None, plot: None }
    }

    /// How many there are of something.
    #[must_use]
    pub fn count(key: &'static str, count: u64) -> Self {
        Self { value: Number::Count(count), ..Self::loss(key, 0.0) }
    }

    /// The same with how a terminal and a dashboard show it.
    #[must_use]
    pub fn shown(self, said: String, plot: &'static str) -> Self {
        Self { said: Some(said), plot: Some(plot), ..self }
    }

    /// The number.
    #[must_use]
    pub fn number(&self) -> f64 {
        match self.value {
            Number::Real(value) => value,
            Number::Count(count) => count as f64,
        }
    }
}

impl Scores {
    /// The score of a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Score> {
        self.scores.iter().find(|score| score.key == key)
    }

    /// What a line on a terminal says.
    #[must_use]
    pub fn said(&self) -> String {
        let said = self.scores.iter().filter_map(|score| score.said.clone());
        let others = self.held_out.iter().chain(&self.tasks).map(|(name, value)| format!("{name} {value:.4}"));
        said.chain(others).collect::<Vec<_>>().join(", ")
    }
}

impl Serialize for Scores {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap as _;
        let mut map = serializer.serialize_map(None)?;
        for Score { key, value, .. } in &self.scores {
            map.serialize_entry(key, value)?;
        }
        if !self.held_out.is_empty() {
            map.serialize_entry("held_out", &self.held_out)?;
        }
        if !self.tasks.is_empty() {
            map.serialize_entry("tasks", &self.tasks)?;
        }
        map.end()
    }
}
