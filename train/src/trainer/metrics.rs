//! What a training reports: one set of numbers, for the terminal, for `metrics.jsonl` and for TensorBoard alike.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::spikes::{Action, Spike};
use crate::objective::Scores;

/// The statistics of a step.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StepStats {
    /// Steps that were taken, this one included.
    pub step: u64,
    /// What is minimised, on the step's own batch: nats a token, for a language model.
    pub loss: f64,
    /// Further numbers of the loss, by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub parts: BTreeMap<&'static str, f64>,
    /// The learning rate.
    pub learning_rate: f64,
    /// The norm of all gradients together, before clipping.
    pub gradient_norm: f64,
    /// Tokens that the weights learned from, a repeated one each time.
    pub tokens: u64,
    /// Seconds since the line before.
    pub seconds: f64,
    /// Tokens a second since the line before.
    pub tokens_per_second: f64,
    /// The share of the device's peak that the model's own operations make up, if the peak is known; see [`super::ThroughputMeter`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model_flops_utilization: Option<f64>,
    /// Seconds until the last step, at this pace.
    pub seconds_left: f64,
}

/// The results of an evaluation.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Evaluation {
    /// Steps that were taken.
    pub step: u64,
    /// What the model was judged by.
    #[serde(flatten)]
    pub scores: Scores,
}

/// A sample that the model generated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GeneratedSample {
    /// Steps that were taken.
    pub step: u64,
    /// The prompt.
    pub prompt: String,
    /// The continuation.
    pub text: String,
}

/// A step that was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct SpikeEvent {
    /// Where the training goes on: after the skipped step, at the checkpoint, or nowhere.
    pub step: u64,
    /// The step that was not taken.
    pub at: u64,
    /// The number of its batch.
    pub batch: u64,
    /// What was seen.
    pub spike: Spike,
    /// Spikes in a row, this one included.
    pub in_a_row: u64,
    /// What was done.
    pub action: Action,
}

impl SpikeEvent {
    /// What happened, in words.
    #[must_use]
    pub fn message(&self) -> String {
        let Self { step, at, spike, .. } = self;
        match self.action {
            Action::Skip => format!("step {at}: {spike}; skipped"),
            Action::Rollback => format!("step {at}: {spike}; rolled back to step {step}, and on with other batches"),
            Action::Stop => format!("step {at}: {spike}; the training stops"),
        }
    }
}

/// The numbers of a line by name; those within an object bear its name too, with a stroke.
#[must_use]
pub fn scalars(group: &str, line: &impl Serialize) -> Vec<(String, f64)> {
    fn collect(group: &str, value: &Value, found: &mut Vec<(String, f64)>) {
        for (key, value) in value.as_object().into_iter().flatten() {
            match value {
                Value::Number(number) if key != "step" => {
                    found.extend(number.as_f64().map(|number| (format!("{group}/{key}"), number)));
                }
                Value::Object(_) => collect(key, value, found),
                _ => {}
            }
        }
    }
    let mut found = Vec::new();
    collect(group, &serde_json::to_value(line).expect("metrics are JSON"), &mut found);
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objective::Score;

    #[test]
    fn numbers_are_named_by_where_they_stand() {
        let held_out = [("books".to_owned(), 3.0)].into();
        let scores = vec![Score::loss("validation_loss", 2.0), Score::count("validation_sequences", 3)];
        let evaluation = Evaluation { step: 7, scores: Scores { scores, held_out, ..Scores::default() } };
        let line = serde_json::to_string(&evaluation).expect("an evaluation is JSON");
        assert_eq!(line, r#"{"step":7,"validation_loss":2.0,"validation_sequences":3,"held_out":{"books":3.0}}"#);
        let expected =
            [("held_out/books", 3.0), ("evaluate/validation_loss", 2.0), ("evaluate/validation_sequences", 3.0)];
        assert_eq!(scalars("evaluate", &evaluation), expected.map(|(name, value)| (name.to_owned(), value)));
    }
}
