//! What a training reads: the part `[data]` of its configuration, checked, hashed, and packed into sequences.

use std::{
    collections::BTreeMap,
    iter,
    path::{Path, PathBuf},
    slice,
    sync::Arc,
};

use schemars::JsonSchema;
use schemas::{
    share::Share,
    size::Size,
    toml_file::{Setting, Spanned, TomlFile},
};
use serde::Deserialize;
use system::sha256;

use crate::{
    data::{
        EvalSet, HashedFiles, LossOn, PackedSequences, Packing, ReadOptions, RowsAs, SequencesConfig, SourceFiles,
        SpanNoise, Split, TokenCache, WeightedSequences,
    },
    error::{Error, Result},
    objective::EvalSets,
    tokenizer::{ChatTemplate, Tokenizer, TokenizerConfig},
};

/// The training data: one mixture, or several sources by weight.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DataConfig {
    /// The folder of a mixture; or a Parquet file, a file of JSON lines, or a folder of these. In place of `sources`.
    #[schemars(with = "Option<PathBuf>")]
    pub mixture: Option<Spanned<PathBuf>>,
    /// Sources by name, in place of `mixture`.
    #[serde(default)]
    pub sources: BTreeMap<String, SourceConfig>,
    /// A `tokenizer.json`. What lies beside it (`tokenizer_config.json`, `generation_config.json`, `config.json`) says which tokens begin and
    /// end a text. It may be left out where `[model]` goes on `from` a folder that has one; where both are there, this one is that one, or
    /// that one with tokens added.
    #[schemars(with = "Option<PathBuf>")]
    pub tokenizer: Option<Spanned<PathBuf>>,
    /// The token that ends a document, such as `</s>`. By default the `eos_token` that the files beside the tokenizer name, else
    /// `<|endoftext|>`.
    #[schemars(with = "Option<String>")]
    pub end_of_text: Option<Spanned<String>>,
    /// Special tokens that are written out in a document, such as `<|endoftext|>`, are those tokens. By default they are text like any other,
    /// so that no page ends a document.
    #[serde(default)]
    pub special_tokens_in_text: bool,
    /// Other data by name, on whose validation files the model is evaluated, too; on all of it where there are no such files.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, PathBuf>")]
    pub held_out: BTreeMap<String, Spanned<PathBuf>>,
    /// How documents are packed into sequences.
    #[serde(default)]
    pub packing: Packing,
    /// Whether attention is masked at the boundaries of documents that are packed into one sequence.
    #[serde(default)]
    pub document_masking: bool,
    /// How much of a text is noise for a model with an encoder, which is pretrained by span corruption: its sequences are as long as the
    /// encoder's context wants, and are packed by concatenation alone.
    #[serde(default)]
    pub span_corruption: Option<SpanNoise>,
    /// The share of documents that is held out for validation, in sources without files `validation-*`: above 0 and below 1. Documents are drawn by hash of their text, so that the same text is never on both sides.
    #[serde(default = "one_in_two_hundred")]
    #[schemars(with = "f64")]
    pub validation: Spanned<f64>,
    /// The share of each source's training sequences that is trained on, drawn by hash: above 0, and 1 by default. A small model that learns from a
    /// subset repeats its sources as often as the large one that it stands for.
    #[serde(default)]
    #[schemars(with = "Option<f64>")]
    pub subset: Option<Spanned<f64>>,
    /// The largest share of the bytes of a source's files, as they lie on disk, that may be lost, where a file breaks off or cannot be
    /// unpacked: of a file whose end is missing, all count.
    #[serde(default)]
    pub max_lost_rate: Share,
    /// The longest window that a packed file is read with, which is memory that is held: bytes, or with K, M or G.
    #[serde(default = "two_gibibytes")]
    #[schemars(with = "String")]
    pub max_window: Spanned<String>,
}

/// One of several sources.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SourceConfig {
    /// The folder of a mixture; or a Parquet file, a file of JSON lines, or a folder of these.
    #[schemars(with = "PathBuf")]
    pub path: Spanned<PathBuf>,
    /// Its share of the sequences is this over the sum of all weights: above 0.
    #[schemars(with = "f64")]
    pub weight: Spanned<f64>,
}

pub(super) fn two_gibibytes() -> Spanned<String> {
    Spanned::new(0..0, "2G".to_owned())
}

pub(super) fn one_in_two_hundred() -> Spanned<f64> {
    Spanned::new(0..0, 0.005)
}

/// A source by name.
#[derive(Debug, Clone)]
pub(super) struct Source<F> {
    pub name: String,
    pub weight: f64,
    pub files: F,
}

/// Checked: every path is there and holds files that can be read.
#[derive(Debug, Clone)]
pub struct TrainingData {
    tokenizer: Arc<Tokenizer>,
    sources: Vec<Source<SourceFiles>>,
    held_out: Vec<Source<SourceFiles>>,
    packing: Packing,
    document_masking: bool,
    validation: f64,
    /// The share of training sequences that is trained on.
    subset: f64,
    options: ReadOptions,
    /// What is learnt of them, where they are examples of what to answer.
    examples: Option<ExampleOptions>,
}

/// What is learnt of examples, and how conversations are written.
#[derive(Debug, Clone)]
pub struct ExampleOptions {
    /// What is learnt.
    pub loss_on: LossOn,
    /// What renders conversations.
    pub chat_template: Arc<ChatTemplate>,
}

/// The same with the hash of every file.
#[derive(Debug, Clone)]
pub struct HashedData<'d> {
    pub(super) data: &'d TrainingData,
    pub(super) sources: Vec<Source<HashedFiles>>,
    held_out: Vec<Source<HashedFiles>>,
}

impl TrainingData {
    /// Checks what a file says.
    ///
    /// - `of_model`: the tokenizer of the model that is gone on from
    ///
    /// # Errors
    /// A missing path, a number out of its range, both or neither of `mixture` and `sources`: with line and column.
    pub fn check(file: &TomlFile, config: &Spanned<DataConfig>, of_model: Option<&Path>) -> Result<Self> {
        let DataConfig {
            mixture,
            sources,
            held_out,
            packing,
            document_masking,
            validation,
            subset,
            max_lost_rate,
            max_window,
            ..
        } = config.get_ref();
        let find = |path: &Spanned<PathBuf>| -> Result<SourceFiles> {
            let found = file.folder().join(path.get_ref());
            if !found.exists() {
                return Err(file.fault(path.span(), format!("there is no file or folder {}", found.display())).into());
            }
            match SourceFiles::find(&found) {
                Err(Error::Data { message, .. }) => {
                    Err(file.fault(path.span(), format!("{}: {message}", found.display())).into())
                }
                files => files,
            }
        };
        let tokenizer = Arc::new(tokenizer(file, config, of_model)?);
        let share = *validation.get_ref();
        if !(share > 0.0 && share < 1.0) {
            return Err(file.fault(validation.span(), format!("a share lies between 0 and 1, not at {share}")).into());
        }
        if let Some(subset) = subset
            && !(*subset.get_ref() > 0.0 && *subset.get_ref() <= 1.0)
        {
            let message = format!("a subset is a share above 0 and not above 1, and not {}", subset.get_ref());
            return Err(file.fault(subset.span(), message).into());
        }
        let options = read_options(*max_lost_rate, max_window.get_ref())
            .map_err(|message| file.fault(max_window.span(), message))?;
        let sources = match (mixture, sources.is_empty()) {
            (Some(path), true) => vec![Source { name: "mixture".into(), weight: 1.0, files: find(path)? }],
            (None, false) => sources
                .iter()
                .map(|(name, source)| -> Result<_> {
                    let weight = *source.weight.get_ref();
                    if !(weight > 0.0 && weight.is_finite()) {
                        let message = format!("the weight of a source is above 0, and not {weight}");
                        return Err(file.fault(source.weight.span(), message).into());
                    }
                    Ok(Source { name: name.clone(), weight, files: find(&source.path)? })
                })
                .collect::<Result<_>>()?,
            _ => {
                let message = "[data] names either a `mixture` or `sources`";
                return Err(file.fault(config.span(), message).into());
            }
        };
        if let Some((name, path)) = held_out.iter().find(|(name, _)| sources.iter().any(|source| source.name == **name))
        {
            return Err(file.fault(path.span(), format!("a source is named `{name}`, too")).into());
        }
        let held_out = held_out
            .iter()
            .map(|(name, path)| Ok(Source { name: name.clone(), weight: 1.0, files: find(path)? }))
            .collect::<Result<_>>()?;
        Ok(Self {
            tokenizer,
            sources,
            held_out,
            packing: *packing,
            document_masking: *document_masking,
            validation: share,
            subset: subset.as_ref().map_or(1.0, |subset| *subset.get_ref()),
            options,
            examples: None,
        })
    }

    /// The same as examples of what to answer.
    #[must_use]
    pub fn with_examples(self, examples: ExampleOptions) -> Self {
        Self { examples: Some(examples), ..self }
    }

    /// The cache of its ids in a folder.
    ///
    /// - `note`: is told what one should know
    pub fn cache<'c>(&'c self, folder: &Path, note: &'c mut dyn FnMut(&str)) -> TokenCache<'c> {
        let mut cache = TokenCache::new(folder, &self.tokenizer, note);
        cache.set_read_options(self.options);
        match &self.examples {
            Some(ExampleOptions { chat_template, .. }) => cache.with_chat_template(chat_template),
            None => cache,
        }
    }

    /// The tokenizer.
    #[must_use]
    pub fn tokenizer(&self) -> &Tokenizer {
        &self.tokenizer
    }

    /// The same with another tokenizer, such as that with tokens added.
    pub(super) fn with_tokenizer(self, tokenizer: Tokenizer) -> Self {
        Self { tokenizer: Arc::new(tokenizer), ..self }
    }

    /// The share of a source without files for validation that is drawn for it.
    pub(super) fn validation_share(&self) -> f64 {
        self.validation
    }

    /// How files are read.
    pub(super) fn read_options(&self) -> ReadOptions {
        self.options
    }

    /// The share of each source's training sequences that is trained on.
    pub(super) fn subset(&self) -> f64 {
        self.subset
    }

    /// Names and weights of sources, in their order.
    pub(super) fn source_weights(&self) -> impl Iterator<Item = (&str, f64)> {
        self.sources.iter().map(|source| (source.name.as_str(), source.weight))
    }

    /// Names of what is held out, in their order.
    pub(super) fn held_out_names(&self) -> impl Iterator<Item = &str> {
        self.held_out.iter().map(|source| source.name.as_str())
    }

    /// Hashes every file.
    ///
    /// # Errors
    /// When one cannot be read.
    pub fn hash(&self) -> Result<HashedData<'_>> {
        let hashed = |sources: &[Source<SourceFiles>]| {
            let hashed = |source: &Source<SourceFiles>| {
                let files = HashedFiles::new(source.files.clone())?;
                Ok(Source { name: source.name.clone(), weight: source.weight, files })
            };
            sources.iter().map(hashed).collect::<Result<Vec<_>>>()
        };
        Ok(HashedData { data: self, sources: hashed(&self.sources)?, held_out: hashed(&self.held_out)? })
    }
}

impl HashedData<'_> {
    /// Name, weight and files of each source.
    pub(super) fn sources(&self) -> impl Iterator<Item = (&str, f64, &HashedFiles)> {
        self.sources.iter().map(|Source { name, weight, files }| (name.as_str(), *weight, files))
    }

    /// SHA-256 of the tokenizer's file, and over those of all files of training and validation.
    #[must_use]
    pub fn hashes(&self) -> (String, String) {
        let of = |source: &Source<HashedFiles>| {
            let (train, validation) = source.files.hashes();
            format!("{};{};", train.concat(), validation.concat())
        };
        (self.data.tokenizer.sha256(), sha256(self.sources.iter().map(of).collect::<String>().as_bytes()))
    }

    /// The hashes of all files of what is held out, by name.
    pub(super) fn held_out_hashes(&self) -> BTreeMap<&str, (&[String], &[String])> {
        self.held_out.iter().map(|source| (source.name.as_str(), source.files.hashes())).collect()
    }

    /// What the ids of the data and their order depend on, beside the seed and the files.
    #[must_use]
    pub fn order(&self) -> serde_json::Value {
        let TrainingData { tokenizer, validation, subset, .. } = self.data;
        let weights: BTreeMap<&str, f64> =
            self.sources.iter().map(|source| (source.name.as_str(), source.weight)).collect();
        let mut order =
            serde_json::json!({ "weights": weights, "validation": validation, "texts": tokenizer.identity() });
        // those that were begun before there were subsets are as they were
        if *subset < 1.0 {
            order["subset"] = serde_json::json!(subset);
        }
        order
    }

    /// The same where documents are packed into sequences, which depend on more.
    #[must_use]
    pub fn packed_order(&self) -> serde_json::Value {
        let TrainingData { packing, document_masking, examples, .. } = self.data;
        let mut order = self.order();
        order["packing"] = serde_json::json!(packing);
        order["document_masking"] = serde_json::json!(document_masking);
        if let Some(ExampleOptions { loss_on, chat_template }) = examples {
            order["loss_on"] = serde_json::json!(loss_on);
            order["chat_template"] = chat_template.fingerprint().into();
        }
        order
    }

    /// The training data, as sequences of `sequence_length` tokens.
    ///
    /// # Errors
    /// When a file cannot be read or tokenized, or a source has not one sequence.
    pub fn training(&self, sequence_length: usize, seed: u64, cache: &mut TokenCache<'_>) -> Result<WeightedSequences> {
        let sources = packed(&self.sources, Split::Train, &self.config(sequence_length, seed), cache)?;
        for (name, _, sequences) in &sources {
            cache.note(&format!("{name}: {}", sequences.stats()));
        }
        Ok(WeightedSequences::new(sources, sequence_length, seed).subset(self.data.subset))
    }

    /// Tokens of each source that its training sequences have, whatever share of them is trained on.
    ///
    /// # Errors
    /// As [`Self::training`].
    pub(super) fn source_tokens(
        &self,
        sequence_length: usize,
        seed: u64,
        cache: &mut TokenCache<'_>,
    ) -> Result<BTreeMap<String, u64>> {
        let sources = packed(&self.sources, Split::Train, &self.config(sequence_length, seed), cache)?;
        Ok(sources.into_iter().map(|(name, _, sequences)| (name, sequences.stats().packed_tokens)).collect())
    }

    /// The validation data: the sources together, by weight; where there are several, each alone; and what was held out.
    ///
    /// - `most`: sequences of each, at most
    /// - `batch_size`: sequences that go through the model together
    ///
    /// # Errors
    /// As [`Self::training`].
    pub fn eval_sets(
        &self,
        sequence_length: usize,
        seed: u64,
        most: usize,
        batch_size: usize,
        cache: &mut TokenCache<'_>,
    ) -> Result<EvalSets> {
        let config = self.config(sequence_length, seed);
        let (validation, held_out) = self.validation(cache, |what, sources, share, cache| {
            let config = SequencesConfig { validation: share, ..config };
            let sequences = packed(sources, Split::Validation, &config, cache)?;
            if let [(_, _, sequences)] = &sequences[..] {
                cache.note(&format!("{what}: {}", sequences.stats()));
            }
            eval_set(what, &WeightedSequences::new(sequences, sequence_length, seed), most, cache)
        })?;
        Ok(EvalSets { validation, bytes_per_token: None, held_out, batch_size })
    }

    /// What there is to evaluate on: of the sources together, by weight; and, by name, of each alone, where there are several, and of what
    /// was held out.
    ///
    /// - `of`: makes it of some sources; it is given a name for notes, the sources, and the share of their documents that is drawn where no
    ///   files are for validation
    ///
    /// # Errors
    /// Those of `of`.
    pub(super) fn validation<E>(
        &self,
        cache: &mut TokenCache<'_>,
        of: impl Fn(&str, &[Source<HashedFiles>], f64, &mut TokenCache<'_>) -> Result<E>,
    ) -> Result<(E, Vec<(String, E)>)> {
        let share = self.data.validation;
        let several = if self.sources.len() > 1 { &self.sources[..] } else { &[] };
        // what is never trained on can all be evaluated on
        let alone = several.iter().zip(iter::repeat(share)).chain(self.held_out.iter().zip(iter::repeat(1.0)));
        let mut by_name = Vec::new();
        for (source, share) in alone {
            let what = format!("validation of {}", source.name);
            by_name.push((source.name.clone(), of(&what, slice::from_ref(source), share, cache)?));
        }
        Ok((of("validation", &self.sources, share, cache)?, by_name))
    }

    /// How its documents become sequences.
    pub(super) fn config(&self, sequence_length: usize, seed: u64) -> SequencesConfig {
        let TrainingData { packing, document_masking, validation, ref examples, .. } = *self.data;
        let rows = examples.as_ref().map_or(RowsAs::Documents, |examples| RowsAs::Examples(examples.loss_on));
        SequencesConfig { sequence_length, packing, document_masking, validation, rows, seed }
    }
}

/// Samples sequences to evaluate on, and reports how many.
fn eval_set(name: &str, from: &WeightedSequences, most: usize, cache: &mut TokenCache<'_>) -> Result<EvalSet> {
    let set = EvalSet::sample(from, most)?;
    let (sequences, all, tokens, all_tokens) =
        (set.sequences(), set.all_sequences(), set.loss_tokens(), set.all_loss_tokens());
    let which = if sequences as u64 == all { "" } else { " (a random sample)" };
    cache.note(&format!(
        "{name}: evaluated on {sequences} of {all} sequences{which}, loss on {tokens} of {all_tokens} tokens"
    ));
    Ok(set)
}

/// The tokenizer, ready to turn documents into ids: the one that is written, else that of the model.
fn tokenizer(file: &TomlFile, config: &Spanned<DataConfig>, of_model: Option<&Path>) -> Result<Tokenizer> {
    let DataConfig { tokenizer, end_of_text, special_tokens_in_text, .. } = config.get_ref();
    let (path, place) = match (tokenizer, of_model) {
        (Some(written), _) => (file.folder().join(written.get_ref()), written.span()),
        (None, Some(path)) => (path.to_owned(), config.span()),
        (None, None) => {
            let message = "missing field `tokenizer`: only a `[model]` that goes on `from` a folder with a tokenizer has one of its own";
            return Err(file.fault(config.span(), message).into());
        }
    };
    if !path.is_file() {
        return Err(file.fault(place, format!("there is no file {}", path.display())).into());
    }
    let used = TokenizerConfig {
        end_of_text: end_of_text.as_ref().map(|end| end.get_ref().clone()),
        special_tokens_in_text: *special_tokens_in_text,
    };
    Tokenizer::load_with(&path, used).map_err(|error| match (error, end_of_text) {
        (Error::Tokenizer(message), Some(end)) => file.fault(end.span(), message).into(),
        (Error::Tokenizer(message), None) => file.fault(place, message).into(),
        (other, _) => other,
    })
}

/// How files are read, or what is wrong with it.
fn read_options(max_lost_rate: Share, max_window: &str) -> std::result::Result<ReadOptions, String> {
    let size: Size = max_window.parse()?;
    Ok(ReadOptions { max_window: size.0 as u64, max_lost_rate: max_lost_rate.get() })
}

/// The sequences of a split of each source, with its name and weight.
pub(super) fn packed(
    sources: &[Source<HashedFiles>],
    split: Split,
    config: &SequencesConfig,
    cache: &mut TokenCache<'_>,
) -> Result<Vec<(String, f64, PackedSequences)>> {
    let packed = |source: &Source<HashedFiles>| {
        Ok((source.name.clone(), source.weight, source.files.sequences(split, config, cache)?))
    };
    sources.iter().map(packed).collect()
}

/// A setting of a path, as a path that does not depend on the file's folder: it starts at the current one.
pub(super) fn absolute(setting: &Setting) -> Setting {
    absolute_from(setting, Path::new(""))
}

/// The same of a path that starts at a folder.
pub(super) fn absolute_from(setting: &Setting, folder: &Path) -> Setting {
    let path = folder.join(setting.text());
    // a chat template is a file, or a name
    if !is_path(&setting.key) || (is_chat_template(&setting.key) && !path.is_file()) {
        return setting.clone();
    }
    let path = std::path::absolute(&path).unwrap_or(path);
    Setting { value: serde_json::Value::from(path.to_string_lossy()).to_string(), ..setting.clone() }
}

/// Whether a key names a file or a folder.
pub(super) fn is_path(key: &[String]) -> bool {
    matches!(
        key.iter().map(String::as_str).collect::<Vec<_>>()[..],
        ["data", "mixture" | "tokenizer"]
            | ["data", "held_out", _]
            | ["data", "sources", _, "path"]
            | ["model", "from" | "adapter"]
            | ["lora", "from"]
            | ["reward", "demonstrations" | "model" | "classifier" | "program"]
            | ["pretraining" | "prompts", "mixture"]
            | ["label", "labeler"]
            | ["demonstrations" | "reward" | "policy" | "proxy" | "model", "config"]
            | ["arms", _, "mixture"]
    ) || is_chat_template(key)
}

fn is_chat_template(key: &[String]) -> bool {
    key == ["data", "chat_template"]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A path is set as any other string: with quotes or without.
    #[test]
    fn quotes_are_no_part_of_a_path() {
        let expected = std::path::absolute("a b.jsonl").expect("there is a current folder");
        for value in ["a b.jsonl", "\"a b.jsonl\"", "'a b.jsonl'", "\"a\\u0020b.jsonl\""] {
            let setting: Setting = format!("data.mixture={value}").parse().expect("it is a setting");
            assert_eq!(PathBuf::from(absolute(&setting).text()), expected, "{value}");
        }
    }
}
