//! Scores along a training: `curves.json`.
//!
//! Source: Radford et al. 2018 (GPT-1), section 5, which follows tasks that nothing was tuned for along the pretraining.

use serde::Serialize;

use super::{choice::Scoring, results::Results};

/// The name of the file.
pub const FILE: &str = "curves.json";

/// A score along a training.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Curve {
    /// The task.
    pub task: String,
    /// The template.
    pub template: String,
    /// Demonstrations that were asked for.
    pub shots: String,
    /// What is measured.
    pub metric: String,
    /// What likelihoods were divided by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scoring: Option<Scoring>,
    /// Its values, in the order of the steps.
    pub points: Vec<Point>,
}

/// A score at a step.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Point {
    /// Steps that the model was trained.
    pub step: u64,
    /// The value.
    pub value: f64,
    /// Its standard error.
    pub stderr: Option<f64>,
}

/// What tasks are judged by along a training, of evaluations that are the same but for the step.
#[must_use]
pub fn curves(results: &[Results]) -> Vec<Curve> {
    let mut curves: Vec<Curve> = Vec::new();
    for results in results {
        let Some(step) = results.model.step else { continue };
        for (task, run) in results.tasks.iter().flat_map(|task| task.runs.iter().map(move |run| (task, run))) {
            let Some(own) = run.own() else { continue };
            let (shots, point) = (run.shots.to_string(), Point { step, value: own.value, stderr: own.stderr });
            let is_same = |curve: &&mut Curve| {
                (&curve.task, &curve.template, &curve.shots) == (&task.task, &run.template, &shots)
            };
            match curves.iter_mut().find(is_same) {
                Some(curve) => curve.points.push(point),
                None => curves.push(Curve {
                    task: task.task.clone(),
                    template: run.template.clone(),
                    shots,
                    metric: own.metric.clone(),
                    scoring: own.scoring,
                    points: vec![point],
                }),
            }
        }
    }
    curves
}
