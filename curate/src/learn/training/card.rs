//! The card of a classifier that was trained.

use std::collections::BTreeMap;

use rayon::prelude::*;
use system::Hasher;

use super::set::{Part, TrainingSet};
use crate::{
    error::Result,
    learn::{
        calibration::Calibration,
        card::{Card, Penalty, SourceScores, TrainedOn, warning_of_nothing, warnings},
        classifier::{Classifier, Scratch},
        document::{Document, Label},
        evaluation::{BINS, Scored, bin_of},
        scoring::{evaluate, evaluation, scored},
    },
};

impl TrainingSet<'_> {
    /// The card, with figures on documents that nothing was chosen by.
    pub fn card(
        &self,
        classifier: &Classifier,
        penalties: Vec<Penalty>,
        calibration: Option<Calibration>,
    ) -> Result<Card> {
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

    /// What was learned from, source by source.
    fn trained_on(&self) -> Vec<TrainedOn> {
        if !self.training.kind.learns() {
            return vec![];
        }
        let mut chunks: BTreeMap<(Label, &str), u64> = BTreeMap::new();
        for (document, _) in &self.learned {
            *chunks.entry((document.label, &document.source)).or_default() += 1;
        }
        let mut sources: BTreeMap<(Label, &str), (u64, Hasher)> = BTreeMap::new();
        for (document, _) in &self.documents {
            let (count, hash) = sources.entry((document.label, &document.source)).or_default();
            *count += 1;
            hash.update(document.id.as_bytes());
        }
        sources
            .into_iter()
            .map(|((label, source), (documents, hash))| TrainedOn {
                source: source.to_owned(),
                label,
                documents,
                chunks: chunks.get(&(label, source)).copied().unwrap_or_default(),
                sha256: hash.finish().sha256,
            })
            .collect()
    }
}
