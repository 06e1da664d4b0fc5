//! What encoders learn from: the questions and passages of all sources.

use super::data::{HashedData, TrainingData};
use crate::{
    data::{Lost, RetrievalPairs, RetrievalReader, SplitReader as _},
    error::{Error, Result},
    trainer::Progress,
};

/// The questions and passages of all sources.
#[derive(Debug)]
pub(super) struct RetrievalData {
    /// To train on: name, weight and pairs of each source.
    pub train: Vec<(String, f64, RetrievalPairs)>,
    /// To judge by, of all sources together.
    pub validation: RetrievalPairs,
    /// What was lost of files.
    pub lost: Vec<Lost>,
}

impl RetrievalData {
    /// Reads all pairs into memory, and says how many there are, what was cut off and what was left out.
    ///
    /// # Errors
    /// When a file cannot be read, a row is at fault, or there is nothing to learn from or to judge by.
    pub fn read(
        data: &TrainingData,
        hashed: &HashedData<'_>,
        context_length: usize,
        seed: u64,
        progress: &mut dyn Progress,
    ) -> Result<Self> {
        let reader = RetrievalReader { tokenizer: data.tokenizer(), context_length, options: data.read_options() };
        let (mut train, mut validation, mut lost) = (Vec::new(), RetrievalPairs::default(), Vec::new());
        let share = data.validation_share();
        for (name, weight, files) in hashed.sources() {
            let [own, drawn] = reader.training(files, seed, share, &mut lost)?;
            let for_validation = reader.validation(files, &mut lost)?;
            let fault = |message: String| Error::Data { path: files.path().to_owned(), message };
            if own.count() == 0 {
                return Err(fault(format!("there is no question to learn from{}", because(&own))));
            }
            if own.passages() == 1 {
                return Err(fault("all questions have the same passage: there is none to tell it from".to_owned()));
            }
            if for_validation.count() + drawn.count() == 0 {
                let message = "there is no question to judge by, neither in files validation-* nor drawn by a share of";
                return Err(fault(format!(
                    "{message} {share} of the questions, of which few may be none{}",
                    because(&drawn)
                )));
            }
            progress.note(&format!("{name}: {}", said(&own)));
            train.push((name.to_owned(), weight, own));
            validation.append(&for_validation);
            validation.append(&drawn);
        }
        progress.note(&format!("validation: {}", said(&validation)));
        lost.iter().for_each(|lost| progress.note(&lost.to_string()));
        Ok(Self { train, validation, lost })
    }

    /// Pairs to train on.
    pub fn count(&self) -> u64 {
        self.train.iter().map(|(_, _, pairs)| pairs.count() as u64).sum()
    }

    /// The mean length of a question or a passage to train on, in tokens.
    pub fn mean_length(&self) -> usize {
        let sum = |of: fn(&RetrievalPairs) -> usize| self.train.iter().map(|(_, _, pairs)| of(pairs)).sum::<usize>();
        sum(RetrievalPairs::tokens) / (2 * sum(RetrievalPairs::count)).max(1)
    }
}

/// What was left out, behind a sentence on what there is not.
fn because(pairs: &RetrievalPairs) -> String {
    let skipped = pairs.skipped().to_string();
    if skipped.is_empty() { skipped } else { format!(": left out are {skipped}") }
}

/// How many pairs there are, what was cut off their texts, and what was left out.
fn said(pairs: &RetrievalPairs) -> String {
    let (queries, count, passages, tokens) = (pairs.queries(), pairs.count(), pairs.passages(), pairs.tokens());
    let of_pairs = if queries == count { String::new() } else { format!("{count} pairs of ") };
    let [negatives, answering] = pairs.negative_counts();
    let answering = match answering {
        0 => String::new(),
        answering => format!(", of which {answering} answer their question and are never taken"),
    };
    let (cut, skipped) = (pairs.cut(), pairs.skipped().to_string());
    let cut = match cut.sequences {
        0 => String::new(),
        texts => format!("; {texts} texts are longer than the context, and lost {} tokens at their end", cut.tokens),
    };
    let skipped = if skipped.is_empty() { skipped } else { format!("; left out: {skipped}") };
    format!(
        "{of_pairs}{queries} questions, {passages} passages, {negatives} negatives{answering}, {tokens} tokens{cut}{skipped}"
    )
}
