//! From labelled documents to a classifier in its folder.
//!
//! ```text
//! documents -> a tenth to test, a tenth to validate, the rest to train on
//!           -> chunks -> the model -> calibration, by whole documents -> the card
//! ```
//!
//! A document's part is drawn by its id, so that models of the same documents are tested on the same, and an ensemble on none
//! that one of them has learned from.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fs,
    path::{Path, PathBuf},
};

use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{
    calibration::Calibration,
    card::{Card, Labelled, Penalty, SourceScores, TrainedOn, Weight, warning_of_nothing, warnings},
    chunks::Chunking,
    classifier::{Classifier, ENSEMBLE, Scratch, StoredFile, StoredKind, StoredModel},
    evaluation::{BINS, Evaluation, Scored, bin_of},
    fasttext::{self, FastTextConfig, LineForm, POSITIVE},
    features::{Features, HashedWords},
    hashed::{self, HashedModel, Seen},
    labels::LabelledFile,
    logistic::{Fitted, balanced_loss, fit},
    sparse_matrix::SparseMatrix,
    statistics::{self, StatisticsModel, shares},
};
use crate::{
    error::{Error, Result},
    files::{Version, Written, hash_file, write_json},
    text::{
        draw::{draw, fraction},
        facts::FactCounter,
        letters::LetterCounts,
    },
};

/// What all classifiers share: parts, chunks, calibration, the card.
pub const VERSION: Version = Version::new("learn/training", 2);

/// Share of the documents that the model is tested on, and share of those that it is chosen and calibrated by.
const HELD_OUT: f64 = 0.1;

/// Strengths of L2 regularization that are tried where none is given, from a model that knows little to one that knows all by heart.
const L2_PATH: [f64; 6] = [1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7];

/// Strength of L2 regularization of statistics, which are few.
const STATISTICS_L2: f64 = 1e-3;

/// Weights that the card shows, of either sign.
const SHOWN: usize = 20;

/// Which side a document stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Label {
    /// The reference.
    Positive,
    /// What is to be told from it.
    Negative,
}

/// A labelled document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// The document's id.
    pub id: String,
    /// Its source.
    pub source: String,
    /// Its language, where that is known.
    pub language: Option<String>,
    /// Its side.
    pub label: Label,
    /// The text.
    pub text: String,
}

/// A kind of model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Kind {
    /// Logistic regression on hashed words.
    Hashed {
        /// How texts become features.
        features: HashedWords,
        /// Strength of L2 regularization; by default the one that does best on chunks that are held out.
        l2: Option<f64>,
        /// Most iterations of L-BFGS for each strength.
        max_iterations: usize,
    },
    /// fastText, trained.
    Fasttext {
        /// How.
        config: FastTextConfig,
    },
    /// fastText, trained before.
    LoadedFasttext {
        /// The model.
        model: PathBuf,
        /// SHA-256 of its bytes.
        sha256: String,
        /// The label of the reference.
        label: String,
        /// How texts are written down for it.
        text: LineForm,
    },
    /// Logistic regression on shares of lines, punctuation and repetition.
    Statistics {
        /// Strength of L2 regularization.
        l2: Option<f64>,
    },
    /// The mean of the log-odds of others.
    Ensemble {
        /// Their names.
        of: Vec<String>,
    },
}

impl Kind {
    /// Words in a chunk, unless another number is wanted: as many as told good text from other text best, and for statistics whole lines
    /// with so many that shares of them say something.
    #[must_use]
    pub fn chunk_words(&self) -> usize {
        if matches!(self, Self::Statistics { .. }) { 60 } else { 25 }
    }

    /// The version of the code that trains such a model and scores by it.
    #[must_use]
    pub fn version(&self) -> Version {
        match self {
            Self::Hashed { .. } => hashed::VERSION,
            Self::Fasttext { .. } | Self::LoadedFasttext { .. } => fasttext::VERSION,
            Self::Statistics { .. } => statistics::VERSION,
            Self::Ensemble { .. } => ENSEMBLE,
        }
    }

    /// Whether it learns from documents.
    fn learns(&self) -> bool {
        !matches!(self, Self::Ensemble { .. } | Self::LoadedFasttext { .. })
    }
}

/// How a classifier is trained.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Training {
    /// The classifier's name.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// Words in a chunk.
    pub chunk_words: usize,
    /// Most chunks of one document.
    pub max_chunks: usize,
    /// What decides which documents are held out, and which chunks are taken.
    pub seed: u64,
    /// Labelled files to try it on.
    pub labels: Vec<PathBuf>,
    /// The share of a text's words and n-grams that it has to know to score it.
    pub min_known: f64,
}

/// What a document is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Train,
    Validation,
    Test,
}

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

/// Scores a labelled file.
///
/// # Errors
/// When the file cannot be read.
pub fn evaluate(classifier: &Classifier, path: &Path) -> Result<Labelled> {
    let file = LabelledFile::read(path)?;
    let scored: Vec<Option<Scored>> = file
        .documents
        .par_iter()
        .map_init(Scratch::default, |scratch, (text, label)| scored(classifier, text, *label, scratch))
        .collect();
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    Ok(Labelled { file: name, sha256: file.sha256, evaluation: evaluation(&scored) })
}

/// A document with its score; none where it has none.
fn scored(classifier: &Classifier, text: &str, label: bool, scratch: &mut Scratch) -> Option<Scored> {
    let score = classifier.score(text, scratch).score?;
    Some(Scored { score, label, bytes: text.len() as u64 })
}

/// The evaluation of those that have a score.
fn evaluation(all: &[Option<Scored>]) -> Evaluation {
    let scored: Vec<Scored> = all.iter().flatten().copied().collect();
    Evaluation { unscored: (all.len() - scored.len()) as u64, ..Evaluation::of(&scored) }
}

/// Documents with what each is for.
struct TrainingSet<'a> {
    training: &'a Training,
    documents: Vec<(&'a Document, Part)>,
    /// The chunks that are learned from: none for what does not learn.
    learned: Vec<(&'a Document, &'a str)>,
    chunking: Chunking,
}

impl<'a> TrainingSet<'a> {
    fn new(training: &'a Training, documents: &'a [Document]) -> Self {
        let part = |document: &Document| match fraction(draw(training.seed, "held out", &document.id)) {
            draw if draw < HELD_OUT => Part::Test,
            draw if draw < 2.0 * HELD_OUT => Part::Validation,
            _ => Part::Train,
        };
        let mut parts: Vec<(&Document, Part)> = documents.iter().map(|document| (document, part(document))).collect();
        // of few documents the draw may leave none to learn from
        for label in [Label::Positive, Label::Negative] {
            if !parts.iter().any(|(document, part)| document.label == label && *part == Part::Train)
                && let Some(first) = parts.iter_mut().find(|(document, _)| document.label == label)
            {
                first.1 = Part::Train;
            }
        }
        let chunking = Chunking {
            words: training.chunk_words,
            most: training.max_chunks,
            whole_lines: matches!(training.kind, Kind::Statistics { .. }),
            seed: training.seed,
        };
        let mut set = Self { training, documents: parts, learned: vec![], chunking };
        if training.kind.learns() {
            set.learned = set.chunks(Part::Train);
        }
        set
    }

    fn documents(&self, wanted: Part) -> Vec<&'a Document> {
        self.documents.iter().filter(|(_, part)| *part == wanted).map(|(document, _)| *document).collect()
    }

    fn chunks(&self, wanted: Part) -> Vec<(&'a Document, &'a str)> {
        let documents = self.documents(wanted);
        let cut = |document: &'a Document| {
            let chunks = self.chunking.cut(&document.text, &document.id);
            chunks.into_iter().map(move |chunk| (document, chunk)).collect::<Vec<_>>()
        };
        documents.into_par_iter().flat_map_iter(cut).collect()
    }

    /// The log-odds that scores are calibrated by: of whole documents, as they are scored.
    fn calibrated_by(&self, classifier: &Classifier) -> Vec<(f64, bool)> {
        let log_odds = |scratch: &mut Scratch, document: &&Document| {
            (classifier.log_odds(&document.text, scratch), document.label == Label::Positive)
        };
        self.documents(Part::Validation).par_iter().map_init(Scratch::default, log_odds).collect()
    }

    /// The features of chunks, with their labels; what is in them is noted as `seen`.
    fn rows(
        chunks: &[(&Document, &str)],
        features: HashedWords,
        seen: Option<&Seen>,
    ) -> (Vec<Vec<(u32, f32)>>, Vec<bool>) {
        chunks
            .par_iter()
            .map_init(Features::default, |buffer, (document, text)| {
                features.take(text, buffer);
                if let Some(seen) = seen {
                    seen.note(features, buffer);
                }
                (buffer.entries.clone(), document.label == Label::Positive)
            })
            .unzip()
    }

    /// Fits along the regularization path, from the largest penalty on, until chunks that are held out say that it is enough.
    fn fit_hashed(&self, features: HashedWords, l2: Option<f64>, max_iterations: usize) -> (HashedModel, Vec<Penalty>) {
        let seen = Seen::new(features);
        let (rows, labels) = Self::rows(&self.learned, features, Some(&seen));
        let examples = SparseMatrix::new(&rows);
        drop(rows);
        let (unseen, unseen_labels) = Self::rows(&self.chunks(Part::Validation), features, None);
        let loss = |model: &HashedModel| {
            let odds = unseen.par_iter().map(|row| model.log_odds_of(row));
            balanced_loss(&odds.collect::<Vec<_>>().into_iter().zip(unseen_labels.iter().copied()).collect::<Vec<_>>())
        };
        let (mut best, mut tried): (Option<(f64, HashedModel)>, Vec<Penalty>) = (None, Vec::new());
        let mut start: Option<Fitted> = None;
        let wanted = l2.map_or_else(|| L2_PATH.to_vec(), |l2| vec![l2]);
        for l2 in wanted {
            let fitted = fit(&examples, &labels, l2, max_iterations, start.as_ref());
            let model = HashedModel::new(features, &examples.features, &fitted, &seen);
            let loss = loss(&model);
            tried.push(Penalty { l2, iterations: fitted.iterations, loss });
            let Some(loss) = loss else {
                // without both sides nothing says which is better: the largest, whose model knows the least by heart
                best = Some((f64::INFINITY, model));
                break;
            };
            match &best {
                Some((least, _)) if loss >= *least => break,
                _ => best = Some((loss, model)),
            }
            start = Some(fitted);
        }
        (best.expect("one penalty or more is tried").1, tried)
    }

    /// Fits statistics of as many chunks of one side as of the other.
    fn fit_statistics(&self, l2: f64) -> Result<(StatisticsModel, Vec<Penalty>)> {
        let measured = |chunks: &[(&Document, &str)]| -> (Vec<Vec<f64>>, Vec<bool>) {
            let side = |label: Label| chunks.iter().filter(|(document, _)| document.label == label).count();
            let most = side(Label::Positive).min(side(Label::Negative));
            let mut drawn: Vec<(u64, usize)> = (0..chunks.len())
                .map(|number| {
                    let name = format!("{}/{number}", chunks[number].0.id);
                    (draw(self.training.seed, "statistics", &name), number)
                })
                .collect();
            drawn.sort_unstable();
            let mut taken: HashMap<Label, usize> = HashMap::new();
            drawn.retain(|(_, number)| {
                let count = taken.entry(chunks[*number].0.label).or_default();
                *count += 1;
                *count <= most
            });
            drawn
                .par_iter()
                .map_init(FactCounter::default, |counter, (_, number)| {
                    let (document, text) = chunks[*number];
                    (shares(text, counter), document.label == Label::Positive)
                })
                .unzip()
        };
        let (rows, labels) = measured(&self.learned);
        let mut letters = LetterCounts::default();
        self.learned.iter().for_each(|(_, text)| letters.count(text));
        let model = StatisticsModel::fit(&rows, &labels, &letters, l2)
            .map_err(|message| Error::Classifier { name: self.training.name.clone(), message })?;
        let (unseen, labels) = measured(&self.chunks(Part::Validation));
        let odds: Vec<(f64, bool)> = unseen.iter().map(|row| model.log_odds_of(row)).zip(labels).collect();
        Ok((model, vec![Penalty { l2, iterations: 0, loss: balanced_loss(&odds) }]))
    }

    fn card(&self, classifier: &Classifier, penalties: Vec<Penalty>, calibration: Option<Calibration>) -> Result<Card> {
        let documents = self.documents(Part::Test);
        let score = |scratch: &mut Scratch, document: &&Document| {
            scored(classifier, &document.text, document.label == Label::Positive, scratch)
        };
        let scored: Vec<Option<Scored>> = documents.par_iter().map_init(Scratch::default, score).collect();
        let mut scores: BTreeMap<(&str, Option<&str>), [u64; BINS]> = BTreeMap::new();
        for (document, scored) in documents.iter().zip(&scored) {
            let Some(Scored { score, .. }) = scored else { continue };
            scores.entry((&document.source, document.language.as_deref())).or_default()[bin_of(*score)] += 1;
        }
        let held_out = evaluation(&scored);
        let largest_weights = self.largest_weights(classifier);
        let mut warnings = warnings(&held_out, &largest_weights);
        let (min_known, of_nothing) = (self.training.min_known, classifier.score_of_nothing());
        warnings.extend(warning_of_nothing(of_nothing, min_known));
        if self.training.kind.learns() && calibration.is_none() {
            let why = "the tenth of documents that is for it has one side alone, or the model tells nothing of it";
            warnings.push(format!("scores are not calibrated: {why}"));
        }
        if penalties.iter().any(|penalty| penalty.loss.is_none()) {
            let why = "the tenth of documents that is for it has one side alone";
            warnings.push(format!("no L2 penalty was chosen: {why}, and the largest was taken"));
        }
        Ok(Card {
            name: self.training.name.clone(),
            kind: self.training.kind.clone(),
            trained_on: self.trained_on(),
            penalties,
            calibration,
            min_known,
            score_of_nothing: Some(of_nothing),
            warnings,
            held_out,
            scores: scores
                .into_iter()
                .map(|((source, language), documents)| SourceScores {
                    source: source.to_owned(),
                    language: language.map(str::to_owned),
                    documents,
                })
                .collect(),
            labelled: self.training.labels.iter().map(|path| evaluate(classifier, path)).collect::<Result<_>>()?,
            largest_weights,
        })
    }

    fn trained_on(&self) -> Vec<TrainedOn> {
        if !self.training.kind.learns() {
            return vec![];
        }
        let mut chunks: BTreeMap<(Label, &str), u64> = BTreeMap::new();
        for (document, _) in &self.learned {
            *chunks.entry((document.label, &document.source)).or_default() += 1;
        }
        let mut sources: BTreeMap<(Label, &str), (u64, Sha256)> = BTreeMap::new();
        for (document, _) in &self.documents {
            let (count, hash) = sources.entry((document.label, &document.source)).or_default();
            *count += 1;
            hash.update(document.id.as_bytes());
        }
        let hex = |hash: Sha256| hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        sources
            .into_iter()
            .map(|((label, source), (documents, hash))| TrainedOn {
                source: source.to_owned(),
                label,
                documents,
                chunks: chunks.get(&(label, source)).copied().unwrap_or_default(),
                sha256: hex(hash),
            })
            .collect()
    }

    /// What weighs most, on either side. Words are those that most often stand behind a feature.
    fn largest_weights(&self, classifier: &Classifier) -> Vec<Weight> {
        if let Some(model) = classifier.statistics() {
            let mut all: Vec<Weight> = model
                .weights()
                .map(|(name, weight)| Weight { name: name.to_owned(), weight, in_positives: None, in_negatives: None })
                .collect();
            all.sort_by(|one, other| other.weight.total_cmp(&one.weight));
            return all;
        }
        let Some(model) = classifier.hashed() else { return vec![] };
        let wanted: Vec<(u32, f64)> =
            [true, false].into_iter().flat_map(|of_reference| model.largest(of_reference, SHOWN)).collect();
        let chunks = self.chunks(Part::Train);
        let count = |label: Label| chunks.iter().filter(|(document, _)| document.label == label).count() as f64;
        let mut words: HashMap<u32, BTreeMap<String, u64>> =
            wanted.iter().map(|(feature, _)| (*feature, BTreeMap::new())).collect();
        let mut has: HashMap<(u32, Label), f64> = HashMap::new();
        let mut buffer = Features::default();
        for (document, text) in &self.learned {
            let mut seen = BTreeSet::new();
            model.features().each_ngram(text, &mut buffer, |ngram, feature| {
                if let Some(names) = words.get_mut(&feature) {
                    match names.get_mut(ngram) {
                        Some(times) => *times += 1,
                        None => drop(names.insert(ngram.to_owned(), 1)),
                    }
                    seen.insert(feature);
                }
            });
            seen.into_iter().for_each(|feature| *has.entry((feature, document.label)).or_default() += 1.0);
        }
        let share = |feature: u32, label: Label| {
            let share = has.get(&(feature, label)).copied().unwrap_or_default() / count(label);
            // no share of nothing
            share.is_finite().then(|| (share * 1e6).round() / 1e6)
        };
        wanted
            .iter()
            .map(|(feature, weight)| Weight {
                name: (words[feature].iter())
                    .max_by(|one, other| one.1.cmp(other.1).then(other.0.cmp(one.0)))
                    .map(|(name, _)| name.clone())
                    .unwrap_or_default(),
                weight: *weight,
                in_positives: share(*feature, Label::Positive),
                in_negatives: share(*feature, Label::Negative),
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learn::{MIN_KNOWN, Score};

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
