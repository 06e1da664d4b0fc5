//! What an evaluation found: `results.json`.
//!
//! It holds no time, so that the same evaluation gives the same bytes.

use schemas::task::PromptStyle;
use serde::Serialize;
use serde_json::Value;

use super::{
    choice::Scoring,
    compare::ComparedRun,
    figures::{Figure, Judging, Method, calibration},
    protocol::Protocol,
    sample::{Sample, in_order},
    skip::Skips,
    task_run::{RunOutcome, Shots},
};
use crate::metrics::{CalibrationBin, mean};

/// The name of the file.
pub const FILE: &str = "results.json";

/// What an evaluation found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Results {
    /// The program's version.
    pub version: String,
    /// Which model it was.
    pub model: ModelIdentity,
    /// How it was asked.
    pub settings: Value,
    /// What was found, by task.
    pub tasks: Vec<TaskResults>,
    /// Another evaluation, beside it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub against: Option<Against>,
}

/// Which model was evaluated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ModelIdentity {
    /// Its folder, as it was named.
    pub folder: String,
    /// SHA-256 of its weights.
    pub sha256: String,
    /// Steps that it was trained, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<u64>,
    /// SHA-256 of its tokenizer.
    pub tokenizer: String,
    /// How weights were held.
    pub weights: String,
    /// Tokens that it reads.
    pub context_length: usize,
    /// Tokens that it knows.
    pub vocab_size: usize,
}

/// What was found on a task.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TaskResults {
    /// The task.
    pub task: String,
    /// What it is, in a line.
    pub title: String,
    /// The task's version; none of prompts and texts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
    /// SHA-256 of its definition: of what an example means, and of all templates.
    pub sha256: String,
    /// The split that was evaluated on, where the task has splits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub split: Option<String>,
    /// The split that demonstrations are of, where any were shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub demonstrations: Option<String>,
    /// The files that were read.
    pub files: Vec<FileIdentity>,
    /// Examples that were asked about.
    pub examples: usize,
    /// Rows that are no examples, by reason.
    pub broken: Skips,
    /// What was found, by template and number of demonstrations.
    pub runs: Vec<RunResults>,
    /// What was found by all templates together, where there are several.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub over_templates: Vec<OverTemplates>,
}

/// A file that was read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct FileIdentity {
    /// Its path.
    pub path: String,
    /// SHA-256 of its bytes.
    pub sha256: String,
}

/// What was found by a template with so many demonstrations.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunResults {
    /// The template.
    pub template: String,
    /// Its style, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt_style: Option<PromptStyle>,
    /// Demonstrations that were asked for.
    pub shots: Shots,
    /// The mean number that was shown, of those that were asked about.
    pub mean_shown: f64,
    /// What answers were judged from.
    pub method: Method,
    /// How answers were written, where they were.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protocol: Option<Protocol>,
    /// Examples that have no score, by reason.
    pub skipped: Skips,
    /// What of prompts there was no room for.
    pub cut: CutPrompts,
    /// The scores.
    pub scores: Vec<Figure>,
    /// The scores on examples that did not leak, where any did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clean: Option<CleanScores>,
    /// How sure the model was of its choices, and how often it was right.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub calibration: Vec<CalibrationBin>,
}

/// What of prompts there was no room for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct CutPrompts {
    /// Prompts.
    pub prompts: usize,
    /// Tokens.
    pub tokens: usize,
}

/// The scores on examples that did not leak.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CleanScores {
    /// Examples that leaked.
    pub leaked: usize,
    /// The scores on the others.
    pub scores: Vec<Figure>,
}

/// What several templates found together.
///
/// Source: Wei et al. 2021 (FLAN), section 3.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OverTemplates {
    /// Demonstrations that were asked for.
    pub shots: Shots,
    /// What is measured.
    pub metric: String,
    /// What likelihoods were divided by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scoring: Option<Scoring>,
    /// Templates.
    pub templates: usize,
    /// The mean of their scores.
    pub mean: f64,
    /// The deviation of their scores.
    pub deviation: f64,
    /// The best of them.
    pub best: f64,
    /// The template that has it.
    pub best_template: String,
}

/// Another evaluation beside this one.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Against {
    /// Its folder, as it was named.
    pub folder: String,
    /// The model that it was of.
    pub model: Value,
    /// Runs that both have.
    pub runs: Vec<ComparedRun>,
}

impl RunResults {
    /// What a run found, whatever the order of its examples.
    ///
    /// - `template`: its name, and its style where it has one
    #[must_use]
    pub fn new(template: (&str, Option<PromptStyle>), shots: Shots, outcome: &RunOutcome) -> Self {
        let RunOutcome { samples, judging, protocol } = outcome;
        let all = in_order(samples);
        let clean: Vec<&Sample> = all.iter().copied().filter(|sample| !sample.leaked).collect();
        let leaked = all.len() - clean.len();
        let mut skipped = Skips::new();
        for skip in samples.iter().filter_map(|sample| sample.skip) {
            *skipped.entry(skip).or_default() += 1;
        }
        let asked = || samples.iter().filter(|sample| sample.skip.is_none());
        let cut: Vec<usize> = asked().map(|sample| sample.cut).filter(|cut| *cut > 0).collect();
        let shown: Vec<f64> = asked().map(|sample| f64::from(sample.shown)).collect();
        Self {
            template: template.0.to_owned(),
            prompt_style: template.1,
            shots,
            mean_shown: if shown.is_empty() { 0.0 } else { mean(&shown) },
            method: judging.method,
            protocol: protocol.clone(),
            skipped,
            cut: CutPrompts { prompts: cut.len(), tokens: cut.iter().sum() },
            scores: judging.figures(&all),
            clean: (leaked > 0).then(|| CleanScores { leaked, scores: judging.figures(&clean) }),
            calibration: calibration_of(judging, &all),
        }
    }

    /// The score that the task is judged by.
    #[must_use]
    pub fn own(&self) -> Option<&Figure> {
        self.scores.iter().find(|figure| figure.own)
    }

    /// Examples that have no score.
    #[must_use]
    pub fn skips(&self) -> u64 {
        self.skipped.values().sum()
    }
}

fn calibration_of(judging: &Judging, samples: &[&Sample]) -> Vec<CalibrationBin> {
    if judging.method == Method::Choices { calibration(samples, judging.scoring) } else { Vec::new() }
}

impl OverTemplates {
    /// What the runs of a task found together, by number of demonstrations, where there are several templates.
    #[must_use]
    pub fn of(runs: &[RunResults]) -> Vec<Self> {
        let mut shots: Vec<Shots> = runs.iter().map(|run| run.shots).collect();
        shots.sort_unstable();
        shots.dedup();
        let mut found = Vec::new();
        for shots in shots {
            let own = |run: &RunResults| Some((run.own()?.clone(), run.template.clone()));
            let own: Vec<(Figure, String)> = runs.iter().filter(|run| run.shots == shots).filter_map(own).collect();
            let mut kinds: Vec<(String, Option<Scoring>)> =
                own.iter().map(|(figure, _)| (figure.metric.clone(), figure.scoring)).collect();
            kinds.sort();
            kinds.dedup();
            for (metric, scoring) in kinds {
                let is_one = |figure: &Figure| figure.metric == metric && figure.scoring == scoring;
                let of_kind: Vec<&(Figure, String)> = own.iter().filter(|(figure, _)| is_one(figure)).collect();
                if of_kind.len() < 2 {
                    continue;
                }
                let values: Vec<f64> = of_kind.iter().map(|(figure, _)| figure.value).collect();
                let better =
                    |one: f64, other: f64| if of_kind[0].0.higher_is_better { one > other } else { one < other };
                let mut best = 0;
                for (place, value) in values.iter().enumerate() {
                    best = if better(*value, values[best]) { place } else { best };
                }
                let middle = mean(&values);
                let squares: f64 = values.iter().map(|value| (value - middle).powi(2)).sum();
                found.push(Self {
                    shots,
                    metric,
                    scoring,
                    templates: values.len(),
                    mean: middle,
                    deviation: (squares / (values.len() as f64 - 1.0)).sqrt(),
                    best: values[best],
                    best_template: of_kind[best].1.clone(),
                });
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use schemas::task::TaskKind;

    use super::*;
    use crate::evaluate::Skip;

    /// What was not asked about was neither cut nor shown anything.
    #[test]
    fn what_was_skipped_does_not_count() {
        let references = vec!["right".to_owned()];
        let sample =
            |cut, shown, skip| Sample { cut, shown, skip, references: references.clone(), ..Sample::default() };
        let judging = Judging {
            kind: TaskKind::Generation,
            metric: None,
            scoring: Scoring::Sum,
            has_classes: false,
            is_preference: false,
            method: Method::Generation,
            standard_errors: true,
            seed: 1,
        };
        let samples = vec![sample(7, 2, None), sample(0, 3, None), sample(9, 10, Some(Skip::LongPrompt))];
        let outcome = RunOutcome { samples, judging, protocol: None };
        let found = RunResults::new(("a", None), Shots::Max, &outcome);
        assert_eq!((found.mean_shown, found.cut), (2.5, CutPrompts { prompts: 1, tokens: 7 }));
        assert_eq!(found.skipped, [(Skip::LongPrompt, 1)].into());
    }

    #[test]
    fn templates_are_taken_together() {
        let run = |template: &str, shots: u32, value: f64| RunResults {
            template: template.to_owned(),
            prompt_style: None,
            shots: Shots::Fixed(shots),
            mean_shown: f64::from(shots),
            method: Method::Choices,
            protocol: None,
            skipped: Skips::new(),
            cut: CutPrompts::default(),
            scores: vec![Figure {
                metric: "accuracy".into(),
                scoring: Some(Scoring::Sum),
                own: true,
                value,
                stderr: None,
                count: 4,
                higher_is_better: true,
            }],
            clean: None,
            calibration: Vec::new(),
        };
        let found = OverTemplates::of(&[run("a", 0, 0.25), run("b", 0, 0.75), run("c", 0, 0.5), run("a", 1, 0.5)]);
        let [over] = &found[..] else { panic!("one number of demonstrations has several: {found:?}") };
        assert_eq!((over.templates, over.mean, over.deviation, over.best), (3, 0.5, 0.25, 0.75));
        assert_eq!((over.best_template.as_str(), over.shots), ("b", Shots::Fixed(0)));
    }
}
