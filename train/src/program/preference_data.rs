//! What is learnt from preferences: the ranked answers of all sources.

use std::collections::BTreeSet;

use super::data::{HashedData, TrainingData};
use crate::{
    data::{Lost, Preferences, PreferencesReader, SplitReader as _},
    error::{Error, Result},
    trainer::Progress,
};

/// The ranked answers of all sources.
#[derive(Debug)]
pub(super) struct PreferenceData {
    /// To train on: name, weight and preferences of each source.
    pub train: Vec<(String, f64, Preferences)>,
    /// To judge by, of all sources together.
    pub validation: Preferences,
    /// What was lost of files.
    pub lost: Vec<Lost>,
}

impl PreferenceData {
    /// Reads all preferences into memory, and says how many there are, what was cut off and what was skipped.
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
        let reader = PreferencesReader { tokenizer: data.tokenizer(), context_length, options: data.read_options() };
        let (mut train, mut validation, mut lost) = (Vec::new(), Preferences::default(), Vec::new());
        let share = data.validation_share();
        for (name, weight, files) in hashed.sources() {
            let [own, drawn] = reader.training(files, seed, share, &mut lost)?;
            let for_validation = reader.validation(files, &mut lost)?;
            let fault = |message: String| Error::Data { path: files.path().to_owned(), message };
            if own.count() == 0 {
                let held_out = match drawn.count() {
                    0 => String::new(),
                    count => format!(
                        ": all {count} are held out for validation, since answers to one prompt stay together and there are too few \
                         prompts to share out; files validation-* share them out as one likes"
                    ),
                };
                return Err(fault(format!("there is no ranking to learn from{held_out}{}", because(&own))));
            }
            if for_validation.count() + drawn.count() == 0 {
                let message = "there is no ranking to judge by, neither in files validation-* nor drawn by a share of";
                let few = "of the prompts, of which few may be none";
                return Err(fault(format!("{message} {share} {few}{}", because(&drawn))));
            }
            progress.note(&format!("{name}: {}", said(&own)));
            train.push((name.to_owned(), weight, own));
            validation.append(for_validation);
            validation.append(drawn);
        }
        progress.note(&format!("validation: {}", said(&validation)));
        lost.iter().for_each(|lost| progress.note(&lost.to_string()));
        Ok(Self { train, validation, lost })
    }

    /// Prompts to train on.
    pub fn count(&self) -> u64 {
        self.train.iter().map(|(_, _, preferences)| preferences.count() as u64).sum()
    }

    /// The mean length of prompts with an answer to train on, in tokens.
    pub fn mean_length(&self) -> usize {
        let sum =
            |of: fn(&Preferences) -> usize| self.train.iter().map(|(_, _, preferences)| of(preferences)).sum::<usize>();
        sum(Preferences::tokens) / sum(Preferences::answers).max(1)
    }
}

/// What was skipped, behind a sentence on what there is not.
fn because(preferences: &Preferences) -> String {
    let skipped = preferences.skipped().to_string();
    if skipped.is_empty() { skipped } else { format!(": {skipped}") }
}

/// How many rankings there are, what was cut off them, and what was skipped.
fn said(preferences: &Preferences) -> String {
    let (rankings, answers, pairs) = (preferences.count(), preferences.answers(), preferences.pairs());
    let prompts: BTreeSet<u64> = (0..rankings).map(|number| preferences.prompt_key(number)).collect();
    let rankings = match prompts.len() {
        prompts if prompts == rankings => format!("{rankings} prompts"),
        prompts => format!("{rankings} rankings of {prompts} prompts"),
    };
    let (cut, skipped) = (preferences.cut(), preferences.skipped().to_string());
    let cut = match cut.sequences {
        0 => String::new(),
        sequences => format!(
            "; {sequences} answers stand behind a prompt that is longer than the context, and lost {} tokens at its beginning",
            cut.tokens
        ),
    };
    let skipped = if skipped.is_empty() { skipped } else { format!("; skipped: {skipped}") };
    let tokens = preferences.tokens();
    format!("{rankings} with {answers} answers, {pairs} comparisons, {tokens} tokens{cut}{skipped}")
}
