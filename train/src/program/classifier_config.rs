//! The part `[classifier]` of a configuration.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{data::ExampleKind, metrics::Metric, objective::metrics_of};

/// What a classifier learns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClassifierConfig {
    /// What the sequences of an example are to each other: `"classification"`, one sequence, or two texts in both orders, whose states are
    /// added; or `"multiple_choice"`, a sequence for each alternative.
    pub kind: ExampleKind,
    /// The names of the classes, in the order of their numbers. By default there are as many classes as the training data have labels, one more
    /// than the largest.
    #[serde(default)]
    pub labels: Vec<String>,
    /// Lambda: how much the language model's loss on the same sequences counts; 0 for not at all, which also spares its work.
    #[serde(default = "half")]
    pub auxiliary_weight: f64,
    /// The dropout rate of what the head is given while training.
    #[serde(default = "a_tenth")]
    pub dropout: f32,
    /// By what the best checkpoint is chosen: `"accuracy"`, `"macro_f1"`, `"matthews"` or `"cross_entropy"`.
    #[serde(default)]
    pub criterion: Metric,
}

fn half() -> f64 {
    0.5
}

fn a_tenth() -> f32 {
    0.1
}

impl ClassifierConfig {
    /// What is wrong, if something is: the key, and the message.
    pub(super) fn fault(&self) -> Option<(&'static str, String)> {
        let Self { kind, labels, auxiliary_weight, dropout, criterion } = self;
        if !labels.is_empty() && *kind == ExampleKind::MultipleChoice {
            return Some(("labels", "the alternatives of a question are its sequences, and have no names".into()));
        }
        if labels.len() == 1 {
            return Some(("labels", "there are two classes or more".into()));
        }
        let mut seen = BTreeSet::new();
        if let Some(name) = labels.iter().find(|name| !seen.insert(*name)) {
            return Some(("labels", format!("two classes are called {name:?}")));
        }
        if !(*auxiliary_weight >= 0.0 && auxiliary_weight.is_finite()) {
            return Some(("auxiliary_weight", format!("it has to be 0 or more, and is {auxiliary_weight}")));
        }
        if !(0.0..1.0).contains(dropout) {
            return Some(("dropout", format!("a rate is 0 or more and less than 1, and not {dropout}")));
        }
        let metrics = metrics_of(*kind);
        (!metrics.contains(criterion)).then(|| {
            let names: Vec<String> = metrics.iter().map(|metric| format!("`{}`", metric.name())).collect();
            ("criterion", format!("alternatives are no classes: of them there are {}", names.join(" and ")))
        })
    }
}
