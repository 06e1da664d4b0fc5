//! A trained classifier of any kind, in memory and in its folder.
//!
//! ```text
//! FOLDER/model.json       what kind it is, its calibration, and the hashes of the files beside it
//! FOLDER/weights.parquet  hashed words
//! FOLDER/model.bin        fastText
//! ```

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{
    calibration::Calibration,
    fasttext::{FastTextBuffers, FastTextClassifier, LineForm},
    features::{Features, HashedWords, Scale},
    hashed::HashedModel,
    logistic::sigmoid,
    statistics::StatisticsModel,
};
use crate::{
    error::{Error, Result},
    files::{Written, hash_file, read_json, write_json},
    text::facts::FactCounter,
};

/// How the scores of several are brought together.
pub const ENSEMBLE: crate::files::Version = crate::files::Version::new("learn/ensemble", 1);

/// The name of the file that says what a folder holds.
const MODEL: &str = "model.json";

/// The share of a text's words and n-grams that a model knows from which on it scores the text, unless another is wanted.
pub const MIN_KNOWN: f64 = 0.1;

/// A trained classifier.
pub struct Classifier {
    model: Model,
    calibration: Calibration,
    min_known: f64,
}

/// What a classifier makes of a text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Score {
    /// The probability that it is of the reference, rounded to 1e-6. None where the classifier knows too little of it: what it would say
    /// then is what it says of nothing.
    pub score: Option<f64>,
    /// The share of the text's words and n-grams that the model knows, rounded to 1e-6; for statistics the share of its letters that are in
    /// scripts of the training texts. An ensemble knows as much as its member that knows least, for its mean takes in all.
    pub known: f64,
}

enum Model {
    Hashed(HashedModel),
    FastText(Box<FastTextClassifier>),
    Statistics(StatisticsModel),
    Ensemble(Vec<Classifier>),
}

/// What is needed from text to text.
#[derive(Default)]
pub struct Scratch {
    features: Features,
    line: FastTextBuffers,
    counter: FactCounter,
}

/// `model.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StoredModel {
    /// What it is.
    #[serde(flatten)]
    pub kind: StoredKind,
    /// From what it gives to probabilities.
    pub calibration: Calibration,
    /// The share of a text's words and n-grams that it has to know to score it.
    #[serde(default = "min_known")]
    pub min_known: f64,
}

fn min_known() -> f64 {
    MIN_KNOWN
}

/// A kind of model, with what stands in other files.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum StoredKind {
    /// Weights of hashed words.
    Hashed {
        /// How texts become features.
        features: HashedWords,
        /// The weights.
        weights: StoredFile,
    },
    /// A fastText model.
    Fasttext {
        /// How texts are written down for it.
        text: LineForm,
        /// The label of the reference.
        label: String,
        /// The model.
        model: StoredFile,
    },
    /// Weights of what is counted in a document.
    Statistics {
        /// The weights.
        model: StatisticsModel,
    },
    /// The mean of the log-odds of others.
    Ensemble {
        /// Their `model.json` files.
        members: Vec<StoredFile>,
    },
}

/// A file that belongs to a model: its path from the folder, and its hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredFile {
    /// The path.
    pub path: PathBuf,
    /// SHA-256 of its bytes.
    pub sha256: String,
}

impl StoredModel {
    /// Publishes `model.json` in a folder.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, folder: &Path) -> Result<(PathBuf, Written)> {
        let path = folder.join(MODEL);
        let written = write_json(&path, self)?;
        Ok((path, written))
    }

    /// The file in a folder.
    #[must_use]
    pub fn path(folder: &Path) -> PathBuf {
        folder.join(MODEL)
    }
}

impl Classifier {
    /// Loads what a folder holds.
    ///
    /// # Errors
    /// When a file is missing, or is not the one that the model was published with.
    pub fn load(folder: &Path) -> Result<Self> {
        let stored: StoredModel = read_json(&StoredModel::path(folder))?;
        Self::open(folder, &stored)
    }

    /// The same, of a model that `folder` holds all of but its `model.json`.
    ///
    /// # Errors
    /// As for [`Classifier::load`].
    pub fn open(folder: &Path, stored: &StoredModel) -> Result<Self> {
        let wrong = |message: String| Error::Model { path: StoredModel::path(folder), message };
        let beside = |file: &StoredFile| {
            let path = folder.join(&file.path);
            if hash_file(&path)?.sha256 == file.sha256 {
                return Ok(path);
            }
            Err(wrong(format!("{} is not the file that it was published with", path.display())))
        };
        let model = match &stored.kind {
            StoredKind::Hashed { features, weights } => Model::Hashed(HashedModel::load(&beside(weights)?, *features)?),
            StoredKind::Fasttext { text, label, model } => {
                Model::FastText(Box::new(FastTextClassifier::load(&beside(model)?, label, *text)?))
            }
            StoredKind::Statistics { model } if model.is_known() => Model::Statistics(model.clone()),
            StoredKind::Statistics { .. } => {
                return Err(wrong("it has weights of other statistics than this program counts".into()));
            }
            StoredKind::Ensemble { members } => {
                let member = |file: &StoredFile| Self::load(beside(file)?.parent().unwrap_or(folder));
                Model::Ensemble(members.iter().map(member).collect::<Result<_>>()?)
            }
        };
        Ok(Self { model, calibration: stored.calibration, min_known: stored.min_known })
    }

    /// Takes another least share of known words in the place of its own.
    pub fn set_min_known(&mut self, min_known: f64) {
        self.min_known = min_known;
    }

    /// Takes another calibration in the place of its own.
    pub fn calibrate(&mut self, calibration: Calibration) {
        self.calibration = calibration;
    }

    /// The calibrated log-odds that `text` is of the reference, however little of it is known.
    #[must_use]
    pub fn log_odds(&self, text: &str, scratch: &mut Scratch) -> f64 {
        self.read(text, scratch).0
    }

    /// What it makes of `text`.
    #[must_use]
    pub fn score(&self, text: &str, scratch: &mut Scratch) -> Score {
        let (log_odds, known) = self.read(text, scratch);
        let known = (known * 1e6).round() / 1e6;
        Score { score: (known >= self.min_known).then(|| probability(log_odds)), known }
    }

    /// What a text of nothing would score: near it scores what the model does not know.
    #[must_use]
    pub fn score_of_nothing(&self) -> f64 {
        probability(self.log_odds("", &mut Scratch::default()))
    }

    /// The calibrated log-odds, and the share of the text that is known.
    fn read(&self, text: &str, scratch: &mut Scratch) -> (f64, f64) {
        let (log_odds, known) = match &self.model {
            Model::Hashed(model) => {
                let (log_odds, known) = model.read(text, &mut scratch.features);
                // counts that nothing divides grow with a text: no line makes probabilities of a book's and a page's
                (if model.features().scale == Scale::Counts { log_odds.asinh() } else { log_odds }, known)
            }
            Model::FastText(model) => model.read(text, &mut scratch.line),
            Model::Statistics(model) => model.read(text, &mut scratch.counter),
            Model::Ensemble(members) => {
                let mut least = 1.0f64;
                let log_odds = members.iter().map(|member| {
                    let (log_odds, known) = member.read(text, scratch);
                    least = least.min(known);
                    log_odds
                });
                (log_odds.sum::<f64>() / members.len() as f64, least)
            }
        };
        (self.calibration.apply(log_odds), known)
    }

    /// The model's weights of hashed words, where it has any.
    pub(super) fn hashed(&self) -> Option<&HashedModel> {
        match &self.model {
            Model::Hashed(model) => Some(model),
            _ => None,
        }
    }

    /// The model's weights of statistics, where it has any.
    pub(super) fn statistics(&self) -> Option<&StatisticsModel> {
        match &self.model {
            Model::Statistics(model) => Some(model),
            _ => None,
        }
    }
}

/// A probability, rounded to 1e-6.
fn probability(log_odds: f64) -> f64 {
    (sigmoid(log_odds) * 1e6).round() / 1e6
}
