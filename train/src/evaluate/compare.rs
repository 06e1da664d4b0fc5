//! Two models on the same examples.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::samples_file::{SampleKey, ScoresById};
use crate::metrics::{PairedTest, mean, paired_test};

/// The runs of an evaluation, as far as they are compared.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ScoredRuns {
    /// The scores of each, by the ids of its examples.
    pub scores: ScoresById,
    /// What the scores of each are.
    pub kinds: BTreeMap<SampleKey, ScoreKind>,
}

/// What the scores of a run are. Those of two kinds are compared nevertheless, and it is said that they differ.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScoreKind {
    /// What answers were judged from.
    pub method: String,
    /// What is measured.
    pub metric: String,
    /// What likelihoods were divided by.
    pub scoring: String,
    /// SHA-256 of the task's definition; of prompts that came ready, of their file.
    pub definition: String,
}

/// A run that two evaluations have.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ComparedRun {
    /// The task.
    pub task: String,
    /// The template.
    pub template: String,
    /// Demonstrations that were asked for.
    pub shots: String,
    /// The mean score of the other model on examples that both have.
    pub other: f64,
    /// The mean score of this one on them.
    pub own: f64,
    /// How sure the difference is: this one's score less the other's.
    pub test: PairedTest,
    /// In what the two runs differ beside the model, in words.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub differs: Vec<String>,
}

impl ScoreKind {
    /// The kinds of all runs, of results as JSON.
    ///
    /// - `tasks`: the list `tasks` of `results.json`
    #[must_use]
    pub fn of_tasks(tasks: &Value) -> BTreeMap<SampleKey, Self> {
        let mut kinds = BTreeMap::new();
        for task in elements(tasks) {
            for run in elements(&task["runs"]) {
                let own = elements(&run["scores"]).find(|score| score["own"] == true).unwrap_or(&Value::Null);
                let key = SampleKey {
                    task: text(&task["task"]),
                    template: text(&run["template"]),
                    shots: text(&run["shots"]),
                };
                let kind = Self {
                    method: text(&run["method"]),
                    metric: text(&own["metric"]),
                    scoring: text(&own["scoring"]),
                    definition: text(&task["sha256"]),
                };
                kinds.insert(key, kind);
            }
        }
        kinds
    }

    /// In what it differs from that of another evaluation, in words.
    fn differences(&self, other: &Self) -> Vec<String> {
        let each = [
            ("method", &other.method, &self.method),
            ("metric", &other.metric, &self.metric),
            ("scoring", &other.scoring, &self.scoring),
        ];
        let said = |text: &String| if text.is_empty() { "none".to_owned() } else { text.clone() };
        let named = each.into_iter().filter(|(_, other, own)| other != own);
        let named = named.map(|(what, other, own)| format!("{what} {} there and {} here", said(other), said(own)));
        let definition = (other.definition != self.definition).then(|| "another definition of the task".to_owned());
        named.chain(definition).collect()
    }
}

/// The elements of a list; none of what is no list.
fn elements(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// A text or a number as it is written; empty where there is none.
fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The runs that two evaluations have, on the examples that both have a score of.
#[must_use]
pub fn compare(other: &ScoredRuns, own: &ScoredRuns, seed: u64) -> Vec<ComparedRun> {
    let mut runs = Vec::new();
    for (key, scores) in &own.scores {
        let Some(others) = other.scores.get(key) else { continue };
        let both: Vec<(f64, f64)> = scores.iter().filter_map(|(id, score)| Some((*others.get(id)?, *score))).collect();
        if both.is_empty() {
            continue;
        }
        let (others, scores): (Vec<f64>, Vec<f64>) = both.into_iter().unzip();
        let SampleKey { task, template, shots } = key.clone();
        let test = paired_test(&others, &scores, seed);
        let kinds = own.kinds.get(key).zip(other.kinds.get(key));
        let differs = kinds.map(|(own, other)| own.differences(other)).unwrap_or_default();
        runs.push(ComparedRun { task, template, shots, other: mean(&others), own: mean(&scores), test, differs });
    }
    runs
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn key(task: &str) -> SampleKey {
        SampleKey { task: task.into(), template: "p".into(), shots: "0".into() }
    }

    #[test]
    fn only_what_both_have_is_compared() {
        let scores = |scores: &[(&str, f64)]| scores.iter().map(|(id, score)| ((*id).to_owned(), *score)).collect();
        let runs = |scores| ScoredRuns { scores, ..ScoredRuns::default() };
        let other: ScoresById =
            [(key("a"), scores(&[("1", 0.0), ("2", 1.0), ("3", 1.0)])), (key("b"), scores(&[]))].into();
        let own: ScoresById =
            [(key("a"), scores(&[("1", 1.0), ("2", 1.0), ("4", 0.0)])), (key("c"), scores(&[]))].into();
        let found = compare(&runs(other), &runs(own), 1);
        let [run] = &found[..] else { panic!("they have one in common: {found:?}") };
        assert_eq!((run.own, run.other, run.test.count), (1.0, 0.5, 2));
        assert!((run.test.difference - 0.5).abs() < 1e-12 && run.differs.is_empty());
    }

    #[test]
    fn what_differs_is_said() {
        let tasks = |metric: &str, sha256: &str| {
            let scores = json!([{"own": false, "metric": "f1"}, {"own": true, "metric": metric, "scoring": "sum"}]);
            let runs = json!([{"template": "p", "shots": 0, "method": "choices", "scores": scores}]);
            ScoreKind::of_tasks(&json!([{"task": "a", "sha256": sha256, "runs": runs}]))
        };
        let (one, other) = (tasks("accuracy", "12"), tasks("exact_match", "34"));
        assert_eq!(one[&key("a")].scoring, "sum");
        assert!(one[&key("a")].differences(&one[&key("a")]).is_empty());
        let found = other[&key("a")].differences(&one[&key("a")]);
        assert_eq!(found, ["metric accuracy there and exact_match here", "another definition of the task"]);
        assert!(ScoreKind::of_tasks(&Value::Null).is_empty());
    }
}
