//! Scores of many examples: the mean or whatever a metric takes in its place, how far it may be off, and on how many examples it was taken.
//!
//! ```text
//! choices          accuracy by each scoring; by the task's own also macro F1, Matthews, calibration error, Brier score
//! right answers    the share that greedy decoding would write, perplexity
//! whole texts      perplexity by word, byte and token, bits a byte
//! written answers  exact match, F1, BLEU, chrF, ROUGE, accuracy where there are choices
//! ```
//!
//! The standard error of a mean is that of its sample; of everything else that of 1,000 bootstrap samples, where it is wanted.
//!
//! Source: [`crate::metrics`].

use std::f64::consts::LN_2;

use schemas::task::{Metric as TaskMetric, Parts, Task, TaskKind, Template};
use serde::{Deserialize, Serialize};

use super::{
    answer::number,
    choice::{Scoring, best, is_tied, probabilities},
    rolling::words,
    sample::Sample,
};
use crate::metrics::{
    Binning, Bleu, CalibrationBin, Chrf, Confidence, Judged, Rouge, bleu::BleuStatistics, bootstrap, brier_score,
    calibration_bins, calibration_error, chrf::ChrfStatistics, exact_match, f1, macro_f1, matthews, mean,
    stderr_of_mean,
};

/// Bins of a calibration error.
const BINS: usize = 15;

/// A score of many examples.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    /// What is measured, such as `accuracy`.
    pub metric: String,
    /// What likelihoods were divided by, where they were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scoring: Option<Scoring>,
    /// Whether it is what the task is judged by.
    pub own: bool,
    /// The value.
    pub value: f64,
    /// Its standard error; none for one example, or where it is not wanted.
    pub stderr: Option<f64>,
    /// Examples.
    pub count: usize,
    /// Whether more of it is better.
    pub higher_is_better: bool,
}

/// How the examples of a task are judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Judging {
    /// What is asked for.
    pub kind: TaskKind,
    /// What the task is judged by.
    pub metric: Option<TaskMetric>,
    /// What likelihoods of choices are divided by.
    pub scoring: Scoring,
    /// Whether all examples have the same choices, so that these are classes.
    pub has_classes: bool,
    /// Whether the choices are a better answer and a worse one, of which neither is right where both are equally likely.
    pub is_preference: bool,
    /// What answers are judged from.
    pub method: Method,
    /// Whether scores that are no means have a standard error, for which they are taken a thousand times.
    pub standard_errors: bool,
    /// The seed of bootstrap samples.
    pub seed: u64,
}

/// What answers are judged from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// The likelihood of each choice.
    Choices,
    /// The likelihood of the right answer.
    Answer,
    /// The likelihood of a whole text.
    Text,
    /// What the model writes.
    Generation,
}

impl Method {
    /// What answers by a template are judged from: where there are choices from their likelihoods, unless a pattern says that the answer stands
    /// in what the model writes.
    ///
    /// - `asked`: what somebody asks for; by likelihood, that is of choices where there are any, else of the right answer
    #[must_use]
    pub fn of(task: &Task, template: &Template, asked: Option<Self>) -> Self {
        let is_preference = matches!(template.parts, Parts::Preference { .. });
        let has_choices = is_preference || task.rules.choices.is_some();
        match asked {
            Some(Self::Generation) => Self::Generation,
            Some(_) if has_choices => Self::Choices,
            Some(_) => Self::Answer,
            None if is_preference => Self::Choices,
            None if has_choices && template.pattern.is_none() => Self::Choices,
            None => Self::Generation,
        }
    }
}

impl Judging {
    /// The scores of samples; those that were skipped have none.
    #[must_use]
    pub fn figures(&self, samples: &[&Sample]) -> Vec<Figure> {
        let judged: Vec<&Sample> = samples.iter().copied().filter(|sample| sample.skip.is_none()).collect();
        if judged.is_empty() {
            return Vec::new();
        }
        match self.method {
            Method::Choices => self.of_choices(&judged),
            Method::Answer => self.of_answers(&judged),
            Method::Text => self.of_texts(&judged),
            Method::Generation => self.of_generation(&judged),
        }
    }

    /// The score of an example by the task's own metric; of a text the log-likelihood by byte, by which texts can be compared.
    #[must_use]
    pub fn score(&self, sample: &Sample) -> Option<f64> {
        match self.method {
            Method::Choices => self.right_by(sample, self.scoring),
            Method::Answer => Some(right(sample.answers.first()?.scored.is_greedy)),
            Method::Text => sample.answers.first()?.scored.score(Scoring::PerByte),
            Method::Generation => Some(self.score_of_text(sample)),
        }
    }

    /// What an example counts by a scoring: 1 where the right choice is the best, else 0; of a preference that is none, a half.
    fn right_by(&self, sample: &Sample, scoring: Scoring) -> Option<f64> {
        let answers = sample.scored();
        let is_right = best(&answers, scoring)? == sample.gold?;
        Some(if self.is_preference && is_tied(&answers, scoring) { 0.5 } else { right(is_right) })
    }

    fn score_of_text(&self, sample: &Sample) -> f64 {
        let (answer, references) = (sample.answer.as_deref().unwrap_or_default(), &sample.references);
        match self.own_of_text() {
            TaskMetric::Accuracy | TaskMetric::ExactMatch => right(self.matches(answer, references)),
            TaskMetric::F1 => f1(answer, references),
            TaskMetric::RougeL => Rouge::default().score(answer, references).rouge_l.f1,
            TaskMetric::Bleu => Bleu::default().sentence(answer, references).score,
        }
    }

    /// What written answers are judged by: what the task says, or exact match.
    fn own_of_text(&self) -> TaskMetric {
        self.metric.unwrap_or(TaskMetric::ExactMatch)
    }

    /// Whether an answer is right, to the word; of sums, to the number: a number is not right by its digits, and no word is one.
    fn matches(&self, answer: &str, references: &[String]) -> bool {
        if self.kind != TaskKind::Arithmetic {
            return exact_match(answer, references);
        }
        let mut numbers = references.iter().filter_map(|reference| number(reference));
        match number(answer) {
            Some(answer) => numbers.any(|reference| reference.total_cmp(&answer).is_eq()),
            None => {
                let words: Vec<&String> = references.iter().filter(|reference| number(reference).is_none()).collect();
                exact_match(answer, &words)
            }
        }
    }

    fn of_choices(&self, samples: &[&Sample]) -> Vec<Figure> {
        let mut figures = Vec::new();
        for scoring in Scoring::ALL {
            // a choice that cannot be had behind the neutral context has no normalized score
            let right: Vec<f64> = samples.iter().filter_map(|sample| self.right_by(sample, scoring)).collect();
            if right.is_empty() {
                continue;
            }
            figures.push(Figure {
                scoring: Some(scoring),
                own: scoring == self.scoring,
                ..of_mean("accuracy", &right)
            });
        }
        let of_own = |figure: Figure| Figure { scoring: Some(self.scoring), ..figure };
        let judged: Option<Vec<Judged>> = samples.iter().map(|sample| judged(sample, self.scoring)).collect();
        let Some(judged) = judged else { return figures };
        if self.has_classes {
            for (name, value) in [("macro_f1", macro_f1 as fn(&[Judged]) -> f64), ("matthews", matthews)] {
                let figure = self.bootstrapped(name, judged.len(), |places| {
                    value(&places.iter().map(|place| judged[*place]).collect::<Vec<_>>())
                });
                figures.push(of_own(figure));
            }
        }
        let confidences: Vec<Confidence> =
            samples.iter().filter_map(|sample| confidence(sample, self.scoring)).collect();
        let error = self.bootstrapped("calibration_error", confidences.len(), |places| {
            let drawn: Vec<Confidence> = places.iter().map(|place| confidences[*place]).collect();
            calibration_error(&calibration_bins(&drawn, Binning::EqualWidth, BINS))
        });
        figures.push(of_own(Figure { higher_is_better: false, ..error }));
        let squares: Vec<f64> = samples.iter().filter_map(|sample| brier(sample, self.scoring)).collect();
        figures.push(of_own(Figure { higher_is_better: false, ..of_mean("brier_score", &squares) }));
        figures
    }

    fn of_answers(&self, samples: &[&Sample]) -> Vec<Figure> {
        let scored: Vec<_> =
            samples.iter().filter_map(|sample| sample.answers.first()).map(|answer| answer.scored).collect();
        let greedy: Vec<f64> = scored.iter().map(|answer| right(answer.is_greedy)).collect();
        let perplexity = self.bootstrapped("perplexity", scored.len(), |places| {
            (-places.iter().map(|place| scored[*place].log_likelihood).sum::<f64>() / places.len() as f64).exp()
        });
        let by_token = self.bootstrapped("token_perplexity", scored.len(), |places| {
            ratio(places, |place| (-scored[place].log_likelihood, scored[place].tokens)).exp()
        });
        vec![
            Figure { own: true, ..of_mean("accuracy", &greedy) },
            Figure { higher_is_better: false, ..perplexity },
            Figure { higher_is_better: false, ..by_token },
        ]
    }

    fn of_texts(&self, samples: &[&Sample]) -> Vec<Figure> {
        let texts: Vec<(f64, [usize; 3])> = samples
            .iter()
            .filter_map(|sample| {
                let scored = sample.answers.first()?.scored;
                Some((-scored.log_likelihood, [words(&sample.prompt), scored.bytes, scored.tokens]))
            })
            .collect();
        let by = |unit: usize| {
            let texts = &texts;
            move |places: &[usize]| ratio(places, |place| (texts[place].0, texts[place].1[unit]))
        };
        let figure = |name: &str, value: &dyn Fn(&[usize]) -> f64| Figure {
            higher_is_better: false,
            ..self.bootstrapped(name, texts.len(), value)
        };
        vec![
            Figure { own: true, ..figure("word_perplexity", &|places| by(0)(places).exp()) },
            figure("byte_perplexity", &|places| by(1)(places).exp()),
            figure("token_perplexity", &|places| by(2)(places).exp()),
            figure("bits_per_byte", &|places| by(1)(places) / LN_2),
        ]
    }

    fn of_generation(&self, samples: &[&Sample]) -> Vec<Figure> {
        let own = self.own_of_text();
        let answer = |sample: &Sample| sample.answer.clone().unwrap_or_default();
        let each = |score: &dyn Fn(&str, &[String]) -> f64| -> Vec<f64> {
            samples.iter().map(|sample| score(&answer(sample), &sample.references)).collect()
        };
        let found: Vec<f64> = samples.iter().map(|sample| right(sample.answer.is_some())).collect();
        let matches = each(&|answer, references| right(self.matches(answer, references)));
        let mut figures = Vec::new();
        if own == TaskMetric::Accuracy {
            figures.push(Figure { own: true, ..of_mean("accuracy", &matches) });
        }
        let is_own = |metric| own == metric;
        figures.push(Figure { own: is_own(TaskMetric::ExactMatch), ..of_mean("exact_match", &matches) });
        figures
            .push(Figure { own: is_own(TaskMetric::F1), ..of_mean("f1", &each(&|answer, right| f1(answer, right))) });
        figures.push(of_mean("answered", &found));
        let is_text = matches!(self.kind, TaskKind::Translation | TaskKind::Summarisation | TaskKind::Generation);
        if is_text || is_own(TaskMetric::Bleu) {
            let bleu = Bleu::default();
            let counted: Vec<BleuStatistics> =
                samples.iter().map(|sample| bleu.statistics(&answer(sample), &sample.references)).collect();
            let figure = self.bootstrapped("bleu", counted.len(), |places| {
                bleu.score(&places.iter().map(|place| counted[*place]).sum()).score
            });
            figures.push(Figure { own: is_own(TaskMetric::Bleu), ..figure });
            let chrf = Chrf::default();
            let counted: Vec<ChrfStatistics> =
                samples.iter().map(|sample| chrf.statistics(&answer(sample), &sample.references)).collect();
            figures.push(self.bootstrapped("chrf", counted.len(), |places| {
                chrf.score(&places.iter().map(|place| counted[*place].clone()).sum())
            }));
        }
        if is_text || is_own(TaskMetric::RougeL) {
            let rouge: Vec<_> =
                samples.iter().map(|sample| Rouge::default().score(&answer(sample), &sample.references)).collect();
            figures.push(of_mean("rouge_1", &rouge.iter().map(|scores| scores.rouge1.f1).collect::<Vec<_>>()));
            figures.push(of_mean("rouge_2", &rouge.iter().map(|scores| scores.rouge2.f1).collect::<Vec<_>>()));
            let longest = of_mean("rouge_l", &rouge.iter().map(|scores| scores.rouge_l.f1).collect::<Vec<_>>());
            figures.push(Figure { own: is_own(TaskMetric::RougeL), ..longest });
        }
        figures
    }

    /// A score that is no mean, with the standard error of bootstrap samples where it is wanted.
    fn bootstrapped(&self, metric: &str, count: usize, score: impl Fn(&[usize]) -> f64) -> Figure {
        let all: Vec<usize> = (0..count).collect();
        let stderr = (count > 1 && self.standard_errors).then(|| bootstrap(count, self.seed, &score).standard_error);
        Figure {
            metric: metric.to_owned(),
            scoring: None,
            own: false,
            value: score(&all),
            stderr: stderr.filter(|stderr| stderr.is_finite()),
            count,
            higher_is_better: true,
        }
    }
}

/// The bins of how sure the model was of its choices, and how often it was right.
#[must_use]
pub fn calibration(samples: &[&Sample], scoring: Scoring) -> Vec<CalibrationBin> {
    let judged = samples.iter().filter(|sample| sample.skip.is_none());
    let confidences: Vec<Confidence> = judged.filter_map(|sample| confidence(sample, scoring)).collect();
    calibration_bins(&confidences, Binning::EqualWidth, BINS)
}

fn of_mean(metric: &str, values: &[f64]) -> Figure {
    Figure {
        metric: metric.to_owned(),
        scoring: None,
        own: false,
        value: mean(values),
        stderr: stderr_of_mean(values),
        count: values.len(),
        higher_is_better: true,
    }
}

/// A sum over a sum.
fn ratio(places: &[usize], of: impl Fn(usize) -> (f64, usize)) -> f64 {
    let (mut sum, mut count) = (0.0, 0);
    for (value, of) in places.iter().map(|place| of(*place)) {
        sum += value;
        count += of;
    }
    sum / count as f64
}

fn right(is_right: bool) -> f64 {
    f64::from(u8::from(is_right))
}

fn judged(sample: &Sample, scoring: Scoring) -> Option<Judged> {
    let (label, answers) = (sample.gold?, sample.scored());
    let probability = probabilities(&answers, scoring)?[label];
    Some(Judged { label, prediction: best(&answers, scoring)?, loss: -probability.ln() })
}

fn confidence(sample: &Sample, scoring: Scoring) -> Option<Confidence> {
    let answers = sample.scored();
    let best = best(&answers, scoring)?;
    Some(Confidence { probability: probabilities(&answers, scoring)?[best], is_right: best == sample.gold? })
}

/// The Brier score of an example.
fn brier(sample: &Sample, scoring: Scoring) -> Option<f64> {
    Some(brier_score(&probabilities(&sample.scored(), scoring)?, sample.gold?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::{choice::ScoredAnswer, sample::SampleAnswer};

    fn answer(log_likelihood: f64, tokens: usize) -> SampleAnswer {
        let scored = ScoredAnswer {
            log_likelihood,
            neutral: None,
            tokens,
            characters: 4,
            bytes: 8,
            is_greedy: log_likelihood > -1.0,
        };
        SampleAnswer { name: String::new(), prompt: None, text: String::new(), scored }
    }

    fn choices(likelihoods: [f64; 2], gold: usize) -> Sample {
        Sample { answers: likelihoods.map(|sum| answer(sum, 1)).to_vec(), gold: Some(gold), ..Sample::default() }
    }

    fn judging(method: Method, metric: TaskMetric, kind: TaskKind) -> Judging {
        Judging {
            kind,
            metric: Some(metric),
            scoring: Scoring::PerToken,
            has_classes: true,
            is_preference: false,
            method,
            standard_errors: true,
            seed: 1,
        }
    }

    fn value(figures: &[Figure], metric: &str) -> f64 {
        figures.iter().find(|figure| figure.metric == metric).unwrap_or_else(|| panic!("{metric}: {figures:?}")).value
    }

    #[test]
    fn choices_are_judged_by_each_scoring() {
        let samples =
            [choices([-1.0, -2.0], 0), choices([-1.0, -2.0], 1), choices([-3.0, -2.0], 1), choices([-1.0, -2.0], 0)];
        let skipped = Sample { skip: Some(crate::evaluate::Skip::EmptyAnswer), ..choices([-1.0, -2.0], 1) };
        let samples: Vec<&Sample> = samples.iter().chain([&skipped]).collect();
        let figures = judging(Method::Choices, TaskMetric::Accuracy, TaskKind::Classification).figures(&samples);
        let own: Vec<&Figure> = figures.iter().filter(|figure| figure.own).collect();
        assert_eq!((own.len(), own[0].scoring, own[0].value, own[0].count), (1, Some(Scoring::PerToken), 0.75, 4));
        assert_eq!(own[0].stderr, Some(0.25));
        assert!(
            figures.iter().all(|figure| figure.scoring != Some(Scoring::Normalized)),
            "there is no neutral context"
        );
        // 1/(1+e) is the probability of the other choice
        let off: f64 = 1.0 / (1.0 + 1.0f64.exp());
        let brier = (3.0 * 2.0 * off.powi(2) + 2.0 * (1.0 - off).powi(2)) / 4.0;
        assert!((value(&figures, "brier_score") - brier).abs() < 1e-12);
        assert!((value(&figures, "calibration_error") - (0.75 - (1.0 - off)).abs()).abs() < 1e-12);
        let has_bootstraps = |figures: &[Figure]| {
            figures.iter().any(|figure| figure.metric == "macro_f1" && figure.stderr.is_some_and(|stderr| stderr > 0.0))
        };
        let judging = judging(Method::Choices, TaskMetric::Accuracy, TaskKind::Classification);
        let bare = Judging { standard_errors: false, ..judging }.figures(&samples);
        assert!(has_bootstraps(&figures) && !has_bootstraps(&bare));
        assert!((value(&bare, "macro_f1") - value(&figures, "macro_f1")).abs() < 1e-12);
    }

    /// Of two answers that are equally likely, neither is preferred; of choices, the first one is made.
    #[test]
    fn a_preference_that_is_none_is_half_right() {
        let tied = choices([-1.0, -1.0], 0);
        let classes = judging(Method::Choices, TaskMetric::Accuracy, TaskKind::Preference);
        let preferences = Judging { is_preference: true, ..classes };
        assert_eq!((classes.score(&tied), preferences.score(&tied)), (Some(1.0), Some(0.5)));
        assert_eq!(preferences.score(&choices([-1.0, -2.0], 0)), Some(1.0));
        assert!((value(&preferences.figures(&[&tied]), "accuracy") - 0.5).abs() < 1e-12);
    }

    #[test]
    fn perplexities_are_of_all_texts_together() {
        let text = |sum: f64, tokens, prompt: &str| Sample {
            answers: vec![answer(sum, tokens)],
            prompt: prompt.to_owned(),
            ..Sample::default()
        };
        let samples = [text(-6.0, 2, "a b c"), text(-10.0, 6, "a b c d e")];
        let samples: Vec<&Sample> = samples.iter().collect();
        let figures = judging(Method::Text, TaskMetric::Accuracy, TaskKind::Generation).figures(&samples);
        let found =
            ["word_perplexity", "byte_perplexity", "token_perplexity"].map(|metric| value(&figures, metric).ln());
        assert!((found[0] - 2.0).abs() + (found[1] - 1.0).abs() + (found[2] - 2.0).abs() < 1e-12, "{found:?}");
        assert!((value(&figures, "bits_per_byte") - 1.0 / LN_2).abs() < 1e-12);
        let figures = judging(Method::Answer, TaskMetric::Accuracy, TaskKind::Generation).figures(&samples);
        assert!((value(&figures, "perplexity").ln() - 8.0).abs() < 1e-12);
        assert!(value(&figures, "accuracy").abs() < 1e-12);
    }

    /// Numbers are compared as numbers, words as words.
    #[test]
    fn written_answers_are_judged_by_the_metric_of_the_task() {
        let written = |answer: Option<&str>, right: &str| Sample {
            answer: answer.map(str::to_owned),
            references: vec![right.to_owned()],
            ..Sample::default()
        };
        let samples = [written(Some("$1,200.00."), "1200"), written(Some("-5"), "5"), written(None, "7")];
        let samples: Vec<&Sample> = samples.iter().collect();
        let sums = judging(Method::Generation, TaskMetric::ExactMatch, TaskKind::Arithmetic);
        let figures = sums.figures(&samples);
        assert!((value(&figures, "exact_match") - 1.0 / 3.0).abs() < 1e-12);
        assert!((value(&figures, "answered") - 2.0 / 3.0).abs() < 1e-12);
        assert_eq!(samples.iter().filter_map(|sample| sums.score(sample)).collect::<Vec<_>>(), [1.0, 0.0, 0.0]);
        // the digits of a number are not the number
        for (answer, right, score) in
            [("1.5%", "15", 0.0), ("15", "1.5%", 0.0), ("1.5 %", "1.5%", 1.0), ("-0", "0", 1.0)]
        {
            assert_eq!(sums.score(&written(Some(answer), right)), Some(score), "{answer}, {right}");
        }
        let named = written(Some("the cat sat on the mat"), "a cat sat on the mat");
        let words = judging(Method::Generation, TaskMetric::Bleu, TaskKind::Translation).figures(&[&named]);
        assert!((value(&words, "exact_match") - 1.0).abs() < 1e-12);
        assert!(value(&words, "bleu") > 75.0 && words.iter().filter(|figure| figure.own).count() == 1);
    }
}
