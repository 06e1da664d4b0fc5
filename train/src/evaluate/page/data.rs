//! What the page of an evaluation shows, and nothing of where it comes from.

use crate::metrics::{CalibrationBin, PairedTest};

/// An evaluation.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PageData {
    /// What the model is called: the first heading.
    pub model: String,
    /// The version of the program.
    pub version: String,
    /// What was found, by task, template and number of demonstrations, in the order in which it is to be shown.
    pub runs: Vec<Run>,
    /// Another evaluation, beside this one.
    pub against: Option<Against>,
    /// How the model was asked, and whatever else has to be the same for scores to compare: names with their values.
    pub settings: Vec<(String, String)>,
}

/// A task by a template with so many demonstrations.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Run {
    /// The task.
    pub task: String,
    /// The template.
    pub template: String,
    /// Demonstrations that were asked for, such as `4` or `max`. Runs of a task that differ in nothing else are a curve, in their order.
    pub shots: String,
    /// The mean number that was shown.
    pub mean_shown: f64,
    /// The scores.
    pub scores: Vec<Score>,
    /// The share of examples that would be right by guessing, from 0 to 1, where there are choices.
    pub chance: Option<f64>,
    /// The scores on the examples that did not stand in training data, where any did.
    pub clean: Option<Clean>,
    /// How sure the model was of its choices and how often it was right, in bins of one width.
    pub calibration: Vec<CalibrationBin>,
    /// Examples that have no score, by reason.
    pub skipped: Vec<(String, u64)>,
    /// Prompts of which there was no room for all, and tokens that were left out.
    pub cut: [u64; 2],
    /// The worst mistakes, the worst first; [`super::MISTAKES`] of them are shown.
    pub mistakes: Vec<Mistake>,
}

/// A score of many examples.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Score {
    /// What is measured, such as `accuracy`.
    pub metric: String,
    /// How it was measured where there are several ways, such as `per_token`; else empty.
    pub variant: String,
    /// Whether it is what the task is judged by.
    pub own: bool,
    /// What it is measured in.
    pub unit: ScoreUnit,
    /// The value.
    pub value: f64,
    /// Its standard error.
    pub standard_error: Option<f64>,
    /// Examples.
    pub count: u64,
}

/// What a score is measured in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ScoreUnit {
    /// A share, from 0 to 1.
    #[default]
    Share,
    /// Points, from 0 to 100.
    Points,
    /// Whatever it is: perplexities, bits.
    Number,
}

/// The scores on the examples that did not stand in training data.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Clean {
    /// Examples that did.
    pub leaked: u64,
    /// The scores on the others.
    pub scores: Vec<Score>,
}

/// An example that the model has wrong, or not quite right.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Mistake {
    /// The example's id.
    pub id: String,
    /// What the model was given. Its end is shown where it is long.
    pub prompt: String,
    /// What it answered.
    pub answer: String,
    /// What would have been right: any of these.
    pub right: Vec<String>,
    /// The score, by the task's own metric.
    pub score: f64,
    /// The probabilities that it gave its answer and the right one, where it chose.
    pub probabilities: Option<[f64; 2]>,
}

/// Another evaluation, beside this one.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Against {
    /// What the other model is called.
    pub model: String,
    /// Runs that both have.
    pub runs: Vec<Compared>,
}

/// A run that two evaluations have, on the examples of which both have a score.
#[derive(Debug, Clone, PartialEq)]
pub struct Compared {
    /// The task.
    pub task: String,
    /// The template.
    pub template: String,
    /// Demonstrations that were asked for.
    pub shots: String,
    /// What scores are measured in.
    pub unit: ScoreUnit,
    /// The mean score of the other model.
    pub other: f64,
    /// The mean score of this one.
    pub own: f64,
    /// How sure the difference is: this one's score less the other's.
    pub test: PairedTest,
    /// In what the two differ beside the model, in words.
    pub differs: Vec<String>,
}

impl ScoreUnit {
    /// The unit of a metric, by its name.
    #[must_use]
    pub fn of(metric: &str) -> Self {
        match metric {
            "bleu" | "chrf" => Self::Points,
            _ if metric.contains("perplexity") || metric.contains("bits") => Self::Number,
            _ => Self::Share,
        }
    }

    /// What a value is a share of 1, where there is a whole.
    pub(super) fn share(self, value: f64) -> Option<f64> {
        match self {
            Self::Share => Some(value),
            Self::Points => Some(value / 100.0),
            Self::Number => None,
        }
    }

    /// A value as it is written: shares in percent.
    pub(super) fn written(self, value: f64) -> String {
        match self {
            Self::Share => format!("{:.1}\u{202f}%", 100.0 * value),
            Self::Points => format!("{value:.1}"),
            Self::Number => format!("{value:.3}"),
        }
        .replace('-', "−")
    }
}

impl Run {
    /// The task, and its template where the task has several here.
    pub(super) fn name(&self, runs: &[Self]) -> String {
        name((&self.task, &self.template), runs.iter().map(|run| (run.task.as_str(), run.template.as_str())))
    }

    /// The score that the task is judged by.
    pub(super) fn own(&self) -> Option<&Score> {
        self.scores.iter().find(|score| score.own)
    }

    /// Examples that have a score.
    pub(super) fn examples(&self) -> u64 {
        self.own().or(self.scores.first()).map_or(0, |score| score.count)
    }

    /// Examples that have none.
    pub(super) fn skips(&self) -> u64 {
        self.skipped.iter().map(|(_, count)| count).sum()
    }

    /// Whether two runs differ in the number of demonstrations at most.
    pub(super) fn is_of(&self, other: &Self) -> bool {
        (&self.task, &self.template) == (&other.task, &other.template)
    }
}

impl Compared {
    /// The task, and its template where the task has several here.
    pub(super) fn name(&self, runs: &[Self]) -> String {
        name((&self.task, &self.template), runs.iter().map(|run| (run.task.as_str(), run.template.as_str())))
    }
}

fn name<'r>((task, template): (&str, &str), mut others: impl Iterator<Item = (&'r str, &'r str)>) -> String {
    let is_one = others.all(|(other_task, other)| other_task != task || other == template);
    if is_one { task.to_owned() } else { format!("{task}, {template}") }
}

impl Score {
    /// Where 95 % of values lie that it might have come to as well: 1.96 standard errors to each side, within what is possible; as shares of 1.
    pub(super) fn interval(&self) -> Option<[f64; 2]> {
        let (value, error) = (self.unit.share(self.value)?, self.unit.share(self.standard_error?)?);
        Some([(value - 1.96 * error).max(0.0), (value + 1.96 * error).min(1.0)])
    }

    /// The value with its standard error, as they are written.
    pub(super) fn written(&self) -> String {
        match self.standard_error {
            Some(error) => format!("{} ± {}", self.unit.written(self.value), self.unit.written(error)),
            None => self.unit.written(self.value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_are_written_in_their_unit() {
        let score = |metric: &str, value, error| Score {
            unit: ScoreUnit::of(metric),
            value,
            standard_error: Some(error),
            ..Score::default()
        };
        let [accuracy, bleu, perplexity] =
            [score("accuracy", 0.5, 0.025), score("bleu", 2.0, 1.5), score("word_perplexity", 31.25, 0.5)];
        assert_eq!(accuracy.written(), "50.0\u{202f}% ± 2.5\u{202f}%");
        assert_eq!(bleu.written(), "2.0 ± 1.5");
        assert_eq!(perplexity.written(), "31.250 ± 0.500");
        assert_eq!(bleu.interval().map(|[low, _]| low), Some(0.0), "nothing is below 0");
        assert_eq!(perplexity.interval(), None);
        assert_eq!(ScoreUnit::Share.written(-0.0312), "−3.1\u{202f}%");
    }

    #[test]
    fn a_template_is_named_where_there_are_several() {
        let run = |task: &str, template: &str| Run { task: task.into(), template: template.into(), ..Run::default() };
        let runs = [run("rte", "a"), run("sst2", "a"), run("sst2", "b")];
        assert_eq!((runs[0].name(&runs), runs[1].name(&runs)), ("rte".to_owned(), "sst2, a".to_owned()));
    }
}
