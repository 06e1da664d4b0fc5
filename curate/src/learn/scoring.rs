//! Scores of documents whose side is known.

use std::path::Path;

use rayon::prelude::*;

use super::{
    card::Labelled,
    classifier::{Classifier, Scratch},
    evaluation::{Evaluation, Scored},
    labels::LabelledFile,
};
use crate::error::Result;

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
pub fn scored(classifier: &Classifier, text: &str, label: bool, scratch: &mut Scratch) -> Option<Scored> {
    let score = classifier.score(text, scratch).score?;
    Some(Scored { score, label, bytes: text.len() as u64 })
}

/// The evaluation of those that have a score.
pub fn evaluation(all: &[Option<Scored>]) -> Evaluation {
    let scored: Vec<Scored> = all.iter().flatten().copied().collect();
    Evaluation { unscored: (all.len() - scored.len()) as u64, ..Evaluation::of(&scored) }
}
