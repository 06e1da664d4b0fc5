//! From labelled passages to a model and its card.

use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    card::{Card, Evaluation, TrainedOn},
    examples::Examples,
    features::{Features, HashedWords},
    hashed::HashedModel,
    logistic::fit,
};
use crate::{
    error::{Error, Result},
    text::draw::{draw, fraction},
};

/// Share of the documents that are held out to evaluate the model.
const HELD_OUT: f64 = 0.1;

/// Which side a passage stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Label {
    /// The reference.
    Positive,
    /// What is to be told from it.
    Negative,
}

/// A stretch of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passage {
    /// The document's id.
    pub id: String,
    /// Its source.
    pub source: String,
    /// Its side.
    pub label: Label,
    /// The text.
    pub text: String,
}

/// How a classifier is trained.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Training {
    /// The classifier's name.
    pub name: String,
    /// How texts become features.
    pub features: HashedWords,
    /// The L2 penalty.
    pub penalty: f64,
    /// Iterations of the search, at most.
    pub iterations: usize,
    /// What decides which documents are held out.
    pub seed: u64,
}

/// Trains a classifier on all passages but those of a tenth of the documents, on which it is evaluated.
///
/// The result depends on the passages and not on their order's making: they should come sorted by id.
///
/// # Errors
/// When one of the two sides is empty.
pub fn train(training: &Training, passages: &[Passage]) -> Result<(HashedModel, Card)> {
    for (label, side) in [(Label::Positive, "positive"), (Label::Negative, "negative")] {
        if !passages.iter().any(|passage| passage.label == label) {
            let message = format!("there is no {side} document to train on");
            return Err(Error::Classifier { name: training.name.clone(), message });
        }
    }
    let rows: Vec<Vec<(u32, f32)>> = passages
        .par_iter()
        .map_init(Features::default, |buffer, passage| {
            training.features.take(&passage.text, buffer);
            buffer.entries.clone()
        })
        .collect();
    let held_out = |passage: &Passage| fraction(draw(training.seed, "held out", &passage.id)) < HELD_OUT;
    let (mut seen, mut unseen) = (Vec::new(), Vec::new());
    for (passage, row) in passages.iter().zip(rows) {
        let side = if held_out(passage) { &mut unseen } else { &mut seen };
        side.push((row, passage.label == Label::Positive));
    }
    let (rows, labels): (Vec<_>, Vec<_>) = seen.into_iter().unzip();
    let examples = Examples::new(&rows);
    let fitted = fit(&examples, &labels, training.penalty, training.iterations);
    let model = HashedModel::new(training.features, &examples.features, &fitted);
    let scores: Vec<(f64, bool)> = unseen.par_iter().map(|(row, label)| (model.score_features(row), *label)).collect();
    let card = Card {
        name: training.name.clone(),
        kind: "hashed".into(),
        features: training.features,
        penalty: training.penalty,
        trained_on: trained_on(passages),
        iterations: fitted.iterations,
        held_out: Evaluation::of(&scores),
    };
    Ok((model, card))
}

fn trained_on(passages: &[Passage]) -> Vec<TrainedOn> {
    let mut sources: std::collections::BTreeMap<(Label, &str), (std::collections::BTreeSet<&str>, u64)> =
        std::collections::BTreeMap::new();
    for passage in passages {
        let (documents, count) = sources.entry((passage.label, &passage.source)).or_default();
        documents.insert(&passage.id);
        *count += 1;
    }
    sources
        .into_iter()
        .map(|((label, source), (documents, passages))| TrainedOn {
            source: source.to_owned(),
            label,
            documents: documents.len() as u64,
            passages,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passages() -> Vec<Passage> {
        let sides = [(Label::Positive, "tide harbour sail"), (Label::Negative, "discount casino pills")];
        let passage = |number: usize| {
            let (label, words) = sides[number % 2];
            let text = format!("the {words} of day {} and {}", number % 7, number % 5);
            Passage { id: format!("{number:03}"), source: "source".into(), label, text }
        };
        (0..200).map(passage).collect()
    }

    fn training() -> Training {
        Training { name: "quality".into(), features: HashedWords::default(), penalty: 1e-4, iterations: 100, seed: 1 }
    }

    #[test]
    fn what_can_be_told_apart_is() -> Result<()> {
        let (model, card) = train(&training(), &passages())?;
        assert!(card.held_out.positives > 3 && card.held_out.negatives > 3, "{card:?}");
        assert!((card.held_out.roc_auc - 1.0).abs() < 1e-9, "{card:?}");
        let mut buffer = Features::default();
        assert!(model.score("a harbour and a sail", &mut buffer) > 0.9);
        assert!(model.score("casino discount", &mut buffer) < 0.1);
        Ok(())
    }

    /// The weights are the same to the bit at any number of threads.
    #[test]
    fn threads_do_not_show() -> Result<()> {
        let on = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads can be had");
            pool.install(|| train(&training(), &passages()))
        };
        assert_eq!(on(1)?.0, on(4)?.0);
        Ok(())
    }

    #[test]
    fn one_side_is_not_enough() {
        let one_sided: Vec<Passage> =
            passages().into_iter().filter(|passage| passage.label == Label::Negative).collect();
        let error = train(&training(), &one_sided).expect_err("there is no positive");
        assert_eq!(error.to_string(), "classifier `quality`: there is no positive document to train on");
    }
}
