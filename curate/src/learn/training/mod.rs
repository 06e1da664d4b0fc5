//! From labelled documents to a classifier in its folder.
//!
//! ```text
//! documents -> a tenth to test, a tenth to validate, the rest to train on
//!           -> chunks -> the model -> calibration, by whole documents -> the card
//! ```
//!
//! A document's part is drawn by its id, so that models of the same documents are tested on the same, and an ensemble on none
//! that one of them has learned from.

mod card;
mod config;
mod hashed;
mod largest_weights;
mod set;
mod statistics;

use std::{
    fs,
    path::{Path, PathBuf},
};

pub use config::Training;
use set::TrainingSet;

use super::{
    calibration::Calibration,
    card::Card,
    classifier::{Classifier, StoredFile, StoredKind, StoredModel},
    document::{Document, Label},
    fasttext::{self, POSITIVE},
    kind::Kind,
};
use crate::{
    error::{Error, Result},
    files::{Version, Written, hash_file, write_json},
};

/// What all classifiers share: parts, chunks, calibration, the card.
pub const VERSION: Version = Version::new("learn/training", 2);

/// Strength of L2 regularization of statistics, which are few.
const STATISTICS_L2: f64 = 1e-3;

/// The files of a model.
pub type ModelFiles = Vec<(PathBuf, Written)>;

/// Trains a classifier and publishes it in `folder`, with its card.
///
/// The result depends on the documents and not on their making: they should come sorted by id.
///
/// - `folder`: the members of an ensemble stand in folders of their names beside it
///
/// # Errors
/// When one of the two sides is empty, a file cannot be written, or a labelled file cannot be read.
pub fn train(training: &Training, documents: &[Document], folder: &Path) -> Result<(ModelFiles, Card)> {
    let learns = training.kind.learns();
    for (label, side) in [(Label::Positive, "positive"), (Label::Negative, "negative")] {
        if learns && !documents.iter().any(|document| document.label == label) {
            let message = format!("there is no {side} document to train on");
            return Err(Error::Classifier { name: training.name.clone(), message });
        }
    }
    // a path through a folder wants the folder
    fs::create_dir_all(folder).map_err(Error::file("make", folder))?;
    let set = TrainingSet::new(training, documents);
    for (label, side) in [(Label::Positive, "positive"), (Label::Negative, "negative")] {
        if learns && !set.learned.iter().any(|(document, _)| document.label == label) {
            let message = format!("there is no word in a {side} document to learn from");
            return Err(Error::Classifier { name: training.name.clone(), message });
        }
    }
    let mut files = ModelFiles::new();
    let mut penalties = Vec::new();
    let kind = match &training.kind {
        Kind::Hashed { features, l2, max_iterations } => {
            let (model, tried) = set.fit_hashed(*features, *l2, *max_iterations);
            penalties = tried;
            let path = folder.join("weights.parquet");
            let written = model.save(&path)?;
            let weights = StoredFile { path: "weights.parquet".into(), sha256: written.sha256.clone() };
            files.push((path, written));
            StoredKind::Hashed { features: *features, weights }
        }
        Kind::Fasttext { config } => {
            let path = folder.join("model.bin");
            let named = set.learned.iter().enumerate().map(|(number, (document, text))| {
                (format!("{}/{number}", document.id), *text, document.label == Label::Positive)
            });
            let written = fasttext::train(config, &training.name, training.seed, named, &path)?;
            let model = StoredFile { path: "model.bin".into(), sha256: written.sha256.clone() };
            files.push((path, written));
            StoredKind::Fasttext { text: config.text, label: POSITIVE.into(), model }
        }
        Kind::LoadedFasttext { model, sha256, label, text } => {
            let path = std::path::absolute(model).map_err(Error::file("find", model))?;
            let model = StoredFile { path, sha256: sha256.clone() };
            StoredKind::Fasttext { text: *text, label: label.clone(), model }
        }
        Kind::Statistics { l2 } => {
            let (model, tried) = set.fit_statistics(l2.unwrap_or(STATISTICS_L2))?;
            penalties = tried;
            StoredKind::Statistics { model }
        }
        Kind::Ensemble { of } => {
            let member = |name: &String| {
                let path = Path::new("..").join(name);
                let file = StoredModel::path(&folder.join(&path));
                Ok(StoredFile { path: StoredModel::path(&path), sha256: hash_file(&file)?.sha256 })
            };
            StoredKind::Ensemble { members: of.iter().map(member).collect::<Result<_>>()? }
        }
    };
    let mut stored = StoredModel { kind, calibration: Calibration::default(), min_known: training.min_known };
    let mut classifier = Classifier::open(folder, &stored)?;
    let calibration = if learns { Calibration::fit(&set.calibrated_by(&classifier)) } else { None };
    if let Some(calibration) = calibration {
        stored.calibration = calibration;
        classifier.calibrate(calibration);
    }
    files.push(stored.write(folder)?);
    let card = set.card(&classifier, penalties, calibration)?;
    let path = folder.join("card.json");
    let written = write_json(&path, &card)?;
    files.push((path, written));
    Ok((files, card))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learn::{
        classifier::{MIN_KNOWN, Score, Scratch},
        features::HashedWords,
    };

    fn documents() -> Vec<Document> {
        let sides = [(Label::Positive, "tide harbour sail"), (Label::Negative, "discount casino pills")];
        let document = |number: usize| {
            let (label, words) = sides[number % 2];
            let text = format!("the {words} of day {} and {}", number % 7, number % 5);
            Document { id: format!("{number:03}"), source: "source".into(), language: None, label, text }
        };
        (0..400).map(document).collect()
    }

    fn training(kind: Kind) -> Training {
        let name = "quality".into();
        Training { name, kind, chunk_words: 25, max_chunks: 20, seed: 1, labels: vec![], min_known: MIN_KNOWN }
    }

    fn hashed() -> Kind {
        Kind::Hashed { features: HashedWords::default(), l2: None, max_iterations: 100 }
    }

    #[test]
    fn what_can_be_told_apart_is() -> Result<()> {
        let folder = tempfile::tempdir().expect("the temporary folder can be written");
        let (files, card) = train(&training(hashed()), &documents(), folder.path())?;
        assert_eq!(files.len(), 3);
        assert!(card.held_out.positives > 3 && card.held_out.negatives > 3, "{card:?}");
        assert_eq!(card.held_out.roc_auc, Some(1.0), "{card:?}");
        assert_eq!(card.trained_on.iter().map(|part| part.documents).sum::<u64>(), 400);
        let first = &card.largest_weights[0].name;
        assert!("tide harbour sail".contains(first), "{first}");
        let classifier = Classifier::load(folder.path())?;
        let mut scratch = Scratch::default();
        let mut score = |text: &str| classifier.score(text, &mut scratch);
        assert!(score("a harbour and a sail").score > Some(0.7));
        assert!(score("casino discount").score.is_some_and(|score| score < 0.3));
        for unread in ["数学是美丽的", "Η γέφυρα χτίστηκε πλατύτερη", "QmFzZTY0IGlzIGEgZ3JvdXAgb2Y", ""]
        {
            assert!(matches!(score(unread), Score { score: None, known } if known < MIN_KNOWN), "{unread}");
        }
        // a file that is not the one that the model was published with
        std::fs::write(folder.path().join("weights.parquet"), "other").expect("the folder can be written");
        let error = Classifier::load(folder.path()).err().expect("the weights are others").to_string();
        assert!(error.contains("weights.parquet"), "{error}");
        Ok(())
    }

    /// The files are the same to the byte at any number of threads.
    #[test]
    fn threads_do_not_show() -> Result<()> {
        for kind in [hashed(), Kind::Statistics { l2: None }] {
            let on = |threads| {
                let folder = tempfile::tempdir().expect("the temporary folder can be written");
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads can be had");
                let (files, _) = pool.install(|| train(&training(kind.clone()), &documents(), folder.path()))?;
                Ok(files.into_iter().map(|(_, written)| written.sha256).collect::<Vec<_>>())
            };
            let one: Result<Vec<String>> = on(1);
            let one = one?;
            assert_eq!(one, on(2)?);
            assert_eq!(one, on(8)?);
        }
        Ok(())
    }

    /// Of few documents the held-out tenths may have one side, or none: the card says so, and has no figure of it.
    #[test]
    fn few_documents_give_a_model_and_no_figures() -> Result<()> {
        let folder = tempfile::tempdir().expect("the temporary folder can be written");
        let (_, card) = train(&training(hashed()), &documents()[..4], folder.path())?;
        assert!(card.held_out.missing.is_some() && card.held_out.roc_auc.is_none(), "{card:?}");
        assert!(card.penalties.len() == 1 && card.penalties[0].loss.is_none(), "{card:?}");
        assert!(card.warnings.iter().any(|warning| warning.contains("tells nothing")), "{card:?}");
        assert!(card.warnings.iter().any(|warning| warning.contains("no L2 penalty was chosen")), "{card:?}");
        let blank: Vec<Document> = documents()
            .into_iter()
            .map(|document| match document.label {
                Label::Positive => Document { text: " \n".into(), ..document },
                Label::Negative => document,
            })
            .collect();
        let error = train(&training(hashed()), &blank, folder.path()).expect_err("one side has no word").to_string();
        assert!(error.contains("no word in a positive document"), "{error}");
        Ok(())
    }

    #[test]
    fn one_side_is_not_enough() {
        let folder = tempfile::tempdir().expect("the temporary folder can be written");
        let one_sided: Vec<Document> =
            documents().into_iter().filter(|document| document.label == Label::Negative).collect();
        let error = train(&training(hashed()), &one_sided, folder.path()).expect_err("there is no positive");
        assert_eq!(error.to_string(), "classifier `quality`: there is no positive document to train on");
    }
}
