//! Documents with what each is for: a tenth to test, a tenth to validate, the rest to train on.

use rayon::prelude::*;

use super::config::Training;
use crate::{
    learn::{
        chunks::Chunking,
        classifier::{Classifier, Scratch},
        document::{Document, Label},
        kind::Kind,
    },
    text::draw::{draw, fraction},
};

/// Share of the documents that the model is tested on, and share of those that it is chosen and calibrated by.
const HELD_OUT: f64 = 0.1;

/// What a document is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// To learn from.
    Train,
    /// To choose and calibrate by.
    Validation,
    /// To be tested on.
    Test,
}

/// Documents with what each is for.
pub struct TrainingSet<'a> {
    /// How it is trained.
    pub training: &'a Training,
    /// The documents.
    pub documents: Vec<(&'a Document, Part)>,
    /// The chunks that are learned from: none for what does not learn.
    pub learned: Vec<(&'a Document, &'a str)>,
    chunking: Chunking,
}

impl<'a> TrainingSet<'a> {
    /// Draws what each document is for, and cuts those that are learned from.
    pub fn new(training: &'a Training, documents: &'a [Document]) -> Self {
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

    /// The documents that are for something.
    pub fn documents(&self, wanted: Part) -> Vec<&'a Document> {
        self.documents.iter().filter(|(_, part)| *part == wanted).map(|(document, _)| *document).collect()
    }

    /// Their chunks.
    pub fn chunks(&self, wanted: Part) -> Vec<(&'a Document, &'a str)> {
        let documents = self.documents(wanted);
        let cut = |document: &'a Document| {
            let chunks = self.chunking.cut(&document.text, &document.id);
            chunks.into_iter().map(move |chunk| (document, chunk)).collect::<Vec<_>>()
        };
        documents.into_par_iter().flat_map_iter(cut).collect()
    }

    /// The log-odds that scores are calibrated by: of whole documents, as they are scored.
    pub fn calibrated_by(&self, classifier: &Classifier) -> Vec<(f64, bool)> {
        let log_odds = |scratch: &mut Scratch, document: &&Document| {
            (classifier.log_odds(&document.text, scratch), document.label == Label::Positive)
        };
        self.documents(Part::Validation).par_iter().map_init(Scratch::default, log_odds).collect()
    }
}
