//! What is learnt from rows that are held in memory: the part `[data]` of a configuration; and the examples of a classifier's sources.

use std::{collections::BTreeMap, path::PathBuf};

use schemars::JsonSchema;
use schemas::{share::Share, toml_file::Spanned};
use serde::Deserialize;

use super::data::{DataConfig, HashedData, SourceConfig, TrainingData, two_gibibytes};
use crate::{
    data::{ExampleKind, Examples, ExamplesReader, LabelRule, Lost, Packing, SequenceEncoder, SplitReader as _},
    error::{Error, Result},
    trainer::Progress,
};

/// Rows that are held in memory: one mixture, or several sources by weight. A classifier's have `sequences` and `label`; those with preferences
/// `prompt`, `answers` and `ranks`, of which 1 is the best and equal ones are ties, or `prompt`, `chosen` and `rejected`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExampleDataConfig {
    /// The folder of a mixture; or a Parquet file, a file of JSON lines, or a folder of these. In place of `sources`.
    #[schemars(with = "Option<PathBuf>")]
    pub mixture: Option<Spanned<PathBuf>>,
    /// Sources by name, in place of `mixture`; labels are numbers of the same classes in all of them.
    #[serde(default)]
    pub sources: BTreeMap<String, SourceConfig>,
    /// A `tokenizer.json`. It may be left out where `[model]` goes on `from` a folder that has one. Where there are sequences, the marks that it
    /// does not know, `<|start|>`, `<|delimiter|>` and `<|extract|>`, are added to it.
    #[schemars(with = "Option<PathBuf>")]
    pub tokenizer: Option<Spanned<PathBuf>>,
    /// The token that ends a document, and an answer; it pads sequences where no token is named for that. By default the `eos_token` that the files beside
    /// the tokenizer name, else `<|endoftext|>`.
    #[schemars(with = "Option<String>")]
    pub end_of_text: Option<Spanned<String>>,
    /// Special tokens that are written out in a row, such as `<|im_end|>` of a prompt that a chat template wrote, are those tokens. By default
    /// they are text like any other; the marks of sequences are tokens always.
    #[serde(default)]
    pub special_tokens_in_text: bool,
    /// The share of examples that is held out for validation, in sources without files `validation-*`: above 0 and below 1. They are drawn by
    /// hash of their texts, of preferences by that of their prompt, so that the same is never on both sides.
    #[serde(default = "a_tenth")]
    #[schemars(with = "f64")]
    pub validation: Spanned<f64>,
    /// The largest share of the bytes of a source's files, as they lie on disk, that may be lost, where a file breaks off or cannot be
    /// unpacked: of a file whose end is missing, all count.
    #[serde(default)]
    pub max_lost_rate: Share,
    /// The longest window that a packed file is read with, which is memory that is held: bytes, or with K, M or G.
    #[serde(default = "two_gibibytes")]
    #[schemars(with = "String")]
    pub max_window: Spanned<String>,
}

/// The share of rows that is held out where nobody says.
pub(super) const VALIDATION: f64 = 0.1;

fn a_tenth() -> Spanned<f64> {
    Spanned::new(0..0, VALIDATION)
}

impl ExampleDataConfig {
    /// What every training reads of it. The rest is what sequences of tokens are made by, and none is.
    pub(super) fn documents(&self) -> DataConfig {
        let Self {
            mixture,
            sources,
            tokenizer,
            end_of_text,
            special_tokens_in_text,
            validation,
            max_lost_rate,
            max_window,
        } = self.clone();
        DataConfig {
            mixture,
            sources,
            tokenizer,
            end_of_text,
            special_tokens_in_text,
            held_out: BTreeMap::new(),
            packing: Packing::default(),
            span_corruption: None,
            document_masking: false,
            validation,
            subset: None,
            max_lost_rate,
            max_window,
        }
    }
}

/// The examples of all sources.
#[derive(Debug)]
pub(super) struct LabelledData {
    /// To train on: name, weight and examples of each source.
    pub train: Vec<(String, f64, Examples)>,
    /// To judge by, of all sources together.
    pub validation: Examples,
    /// What the head gives for a state: the classes, or 1 where sequences are alternatives.
    pub outputs: usize,
    /// What was lost of files.
    pub lost: Vec<Lost>,
}

impl LabelledData {
    /// Reads all examples into memory, and says how many there are, and what was cut off.
    ///
    /// - `labels`: the names of the classes, where they have names
    ///
    /// # Errors
    /// When a file cannot be read, a row is at fault, or there is nothing to learn from or to judge by.
    pub fn read(
        data: &TrainingData,
        hashed: &HashedData<'_>,
        kind: ExampleKind,
        labels: &[String],
        context_length: usize,
        seed: u64,
        progress: &mut dyn Progress,
    ) -> Result<Self> {
        let encoder = SequenceEncoder::new(data.tokenizer(), context_length)?;
        let named = Some(labels.len()).filter(|count| *count > 0);
        let options = data.read_options();
        let reader = ExamplesReader { encoder: &encoder, kind, classes: named, labels: LabelRule::Required, options };
        let (mut train, mut drawn, mut lost) = (Vec::new(), Vec::new(), Vec::new());
        for (name, weight, files) in hashed.sources() {
            let [own, for_validation] = reader.training(files, seed, data.validation_share(), &mut lost)?;
            if own.count() == 0 {
                let message = "there is no example to train on".to_owned();
                return Err(Error::Data { path: files.path().to_owned(), message });
            }
            train.push((name.to_owned(), weight, own));
            drawn.push(for_validation);
        }
        let found = train.iter().map(|(_, _, examples)| examples).chain(&drawn).map(Examples::classes).max();
        let classes = named.or(found).unwrap_or(0);
        // what is judged by has the classes that are learned
        let reader = ExamplesReader { classes: Some(classes), ..reader };
        let mut validation = Examples::default();
        for ((name, _, files), drawn) in hashed.sources().zip(drawn) {
            let own = reader.validation(files, &mut lost)?;
            if own.count() + drawn.count() == 0 {
                let share = data.validation_share();
                let message = format!(
                    "there is no example to judge by, neither in files validation-* nor drawn by a share of {share}; a larger share \
                     `validation` helps"
                );
                return Err(Error::Data { path: files.path().to_owned(), message });
            }
            let examples = &train.iter().find(|(found, _, _)| found == name).expect("it was read").2;
            progress.note(&format!("{name}: {}", said(examples)));
            validation.append(own);
            validation.append(drawn);
        }
        progress.note(&format!("validation: {}", said(&validation)));
        let outputs = match kind {
            ExampleKind::MultipleChoice => 1,
            ExampleKind::Classification => {
                if classes < 2 {
                    let path = hashed.sources().next().map(|(_, _, files)| files.path().to_owned());
                    let message = "all examples have the label 0, and there are two classes or more".to_owned();
                    return Err(Error::Data { path: path.unwrap_or_default(), message });
                }
                progress.note(&by_class(&train, classes, labels));
                classes
            }
        };
        lost.iter().for_each(|lost| progress.note(&lost.to_string()));
        Ok(Self { train, validation, outputs, lost })
    }

    /// Examples to train on.
    pub fn count(&self) -> u64 {
        self.train.iter().map(|(_, _, examples)| examples.count() as u64).sum()
    }

    /// The mean length of the sequences to train on, in tokens.
    pub fn mean_length(&self) -> usize {
        let sum = |of: fn(&Examples) -> usize| self.train.iter().map(|(_, _, examples)| of(examples)).sum::<usize>();
        sum(Examples::tokens) / sum(Examples::sequences).max(1)
    }
}

/// How many examples there are, and what was cut off them.
pub(super) fn said(examples: &Examples) -> String {
    let (count, sequences, tokens, cut) = (examples.count(), examples.sequences(), examples.tokens(), examples.cut());
    let cut = match cut.sequences {
        0 => String::new(),
        sequences => format!(
            "; {sequences} were longer than the context and lost {} tokens at the end of their longest text",
            cut.tokens
        ),
    };
    format!("{count} examples, {sequences} sequences, {tokens} tokens{cut}")
}

/// How many examples to train on each class has.
fn by_class(train: &[(String, f64, Examples)], classes: usize, labels: &[String]) -> String {
    const SHOWN: usize = 20;
    let mut counts = vec![0; classes];
    for (_, _, examples) in train {
        counts.iter_mut().zip(examples.by_class(classes)).for_each(|(all, own)| *all += own);
    }
    let named = |class: usize| labels.get(class).map_or_else(|| class.to_string(), |name| format!("{class} ({name})"));
    let shown: Vec<String> =
        counts.iter().take(SHOWN).enumerate().map(|(class, count)| format!("{}: {count}", named(class))).collect();
    let more = if classes > SHOWN { format!(" and {} more", classes - SHOWN) } else { String::new() };
    let without = counts.iter().filter(|count| **count == 0).count();
    let without = if without > 0 { format!("; {without} have no example to learn from") } else { String::new() };
    format!("{classes} classes by their examples: {}{more}{without}", shown.join(", "))
}
