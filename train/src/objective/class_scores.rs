//! What a classifier gives examples, and how well it does on those that it has not seen.

use super::{
    classification::{logits, tokens},
    scores::{Evaluator, Score, Scores},
};
use crate::{
    data::{Example, ExampleKind, Examples, SequenceBatch, by_like_length},
    error::Result,
    metrics::{Judged, Metric},
    model::Classifier,
    tensor::log_sum_exp,
};

/// What a classifier gives an example.
#[derive(Debug, Clone, PartialEq)]
pub struct Prediction {
    /// The logarithm of each class's probability, or of each alternative's.
    pub log_probabilities: Vec<f64>,
}

impl Prediction {
    /// From logits.
    fn new(logits: &[f32]) -> Self {
        let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let sum: f64 = logits.iter().map(|logit| f64::from(logit - largest).exp()).sum();
        let normaliser = f64::from(largest) + sum.ln();
        Self { log_probabilities: logits.iter().map(|logit| f64::from(*logit) - normaliser).collect() }
    }

    /// The likeliest class; the first of several that are.
    #[must_use]
    pub fn class(&self) -> usize {
        let mut best = 0;
        for (class, value) in self.log_probabilities.iter().enumerate() {
            if *value > self.log_probabilities[best] {
                best = class;
            }
        }
        best
    }

    /// The probability of each class.
    #[must_use]
    pub fn probabilities(&self) -> Vec<f32> {
        #[expect(clippy::cast_possible_truncation, reason = "single precision, as they are written down")]
        self.log_probabilities.iter().map(|value| value.exp() as f32).collect()
    }

    /// The prediction beside the right class.
    #[must_use]
    pub fn judged(&self, label: usize) -> Judged {
        Judged { label, prediction: self.class(), loss: -self.log_probabilities[label] }
    }
}

/// The metrics that say something: which alternative of a question is the right one is no class.
#[must_use]
pub fn metrics_of(kind: ExampleKind) -> &'static [Metric] {
    match kind {
        ExampleKind::Classification => &[Metric::Accuracy, Metric::MacroF1, Metric::Matthews, Metric::CrossEntropy],
        ExampleKind::MultipleChoice => &[Metric::Accuracy, Metric::CrossEntropy],
    }
}

/// What a model without gradients gives some examples, in their order. They go through it by length, so that little is padded.
///
/// - `numbers`: of the examples
/// - `batch_size`: examples that go through the model together
/// - `padding`: any id
#[must_use]
pub fn predictions(
    model: &Classifier,
    kind: ExampleKind,
    examples: &Examples,
    numbers: &[usize],
    batch_size: usize,
    padding: u32,
) -> Vec<Prediction> {
    by_like_length(
        numbers.len(),
        batch_size,
        |place| examples.longest(numbers[place]),
        |places| {
            let batch: Vec<Example<'_>> = places.iter().map(|place| examples.get(numbers[*place])).collect();
            let batch = SequenceBatch::new(&batch, padding);
            let logits = logits(model, kind, &batch, model.model().hidden(tokens(&batch), None), None);
            let [_, columns] = logits.dims();
            let values: Vec<f32> = logits.into_data().try_to_vec().expect("logits are single precision");
            let prediction = |(logits, count): (&[f32], &usize)| {
                let choices = match kind {
                    ExampleKind::Classification => columns,
                    ExampleKind::MultipleChoice => *count,
                };
                Prediction::new(&logits[..choices])
            };
            values.chunks(columns).zip(&batch.counts).map(prediction).collect()
        },
    )
}

/// The log-odds of a class for each example of a batch, by a model without gradients.
#[must_use]
pub fn class_log_odds(model: &Classifier, batch: &SequenceBatch, class: usize) -> Vec<f64> {
    let logits = logits(model, ExampleKind::Classification, batch, model.model().hidden(tokens(batch), None), None);
    let [_, classes] = logits.dims();
    let values: Vec<f32> = logits.into_data().try_to_vec().expect("logits are single precision");
    let odds = |logits: &[f32]| {
        let others: Vec<f32> =
            logits.iter().enumerate().filter(|(other, _)| *other != class).map(|(_, logit)| *logit).collect();
        f64::from(logits[class]) - log_sum_exp(&others)
    };
    values.chunks(classes).map(odds).collect()
}

/// The examples that a classifier is evaluated on, of which it has seen none.
#[derive(Debug)]
pub struct ClassScores<'e> {
    examples: &'e Examples,
    numbers: Vec<usize>,
    hash: String,
    kind: ExampleKind,
    batch_size: usize,
    padding: u32,
    criterion: Metric,
}

impl<'e> ClassScores<'e> {
    /// A sample of examples, all of which have labels.
    ///
    /// - `most`: examples, at most; they are drawn once, by `seed`
    /// - `batch_size`: examples that go through the model together
    /// - `criterion`: by which the best step is chosen
    #[must_use]
    pub fn new(
        examples: &'e Examples,
        kind: ExampleKind,
        (seed, most): (u64, usize),
        batch_size: usize,
        padding: u32,
        criterion: Metric,
    ) -> Self {
        let numbers = examples.sample(seed, most);
        let hash = examples.hash(&numbers);
        Self { examples, numbers, hash, kind, batch_size, padding, criterion }
    }

    /// Examples that are evaluated on.
    #[must_use]
    pub fn count(&self) -> usize {
        self.numbers.len()
    }
}

/// The key of a metric in the log, its words on a line, and the title of its plot.
fn shown(metric: Metric) -> (&'static str, &'static str, &'static str) {
    match metric {
        Metric::Accuracy => ("validation_accuracy", "accuracy", "Accuracy"),
        Metric::MacroF1 => ("validation_macro_f1", "macro F1", "Macro F1"),
        Metric::Matthews => ("validation_matthews", "Matthews", "Matthews' correlation"),
        Metric::CrossEntropy => ("validation_loss", "validation loss", "Loss"),
    }
}

impl Evaluator<Classifier> for ClassScores<'_> {
    fn criterion(&self) -> &'static str {
        shown(self.criterion).0
    }

    fn eval_set(&self) -> &str {
        &self.hash
    }

    fn evaluate(&self, model: &Classifier, _: u64) -> Result<Scores> {
        let Self { examples, numbers, kind, batch_size, padding, .. } = self;
        let found = predictions(model, *kind, examples, numbers, *batch_size, *padding);
        let label = |number: &usize| examples.label(*number).map(|label| label as usize);
        let judged = numbers.iter().zip(&found).filter_map(|(number, found)| Some(found.judged(label(number)?)));
        let judged: Vec<Judged> = judged.collect();
        let score = |metric: &Metric| {
            let (key, words, title) = shown(*metric);
            let value = metric.value(&judged);
            let score = Score::loss(key, value).shown(format!("{words} {value:.4}"), title);
            Score { higher_is_better: metric.higher_is_better(), ..score }
        };
        let mut scores: Vec<Score> = metrics_of(*kind).iter().map(score).collect();
        scores.push(Score::count("validation_examples", judged.len() as u64));
        Ok(Scores { scores, ..Scores::default() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prediction_is_the_softmax_of_its_logits() {
        let prediction = Prediction::new(&[1.0, 3.0, -1e30, 3.0]);
        assert_eq!(prediction.class(), 1, "the first of the likeliest");
        let expected = [1.0f64.exp() / (1.0f64.exp() + 2.0 * 3.0f64.exp()), 0.0];
        let found = prediction.probabilities();
        assert!((f64::from(found[0]) - expected[0]).abs() < 1e-7 && found[2].abs() < 1e-7, "{found:?}");
        let Judged { label, prediction, loss } = prediction.judged(0);
        assert!((label, prediction) == (0, 1) && (loss + expected[0].ln()).abs() < 1e-9, "{loss}");
    }
}
