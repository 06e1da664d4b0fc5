//! What instruction tuning reads: the part `[data]` of its configuration.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use schemars::JsonSchema;
use schemas::{
    share::Share,
    toml_file::{Spanned, TomlFile},
};
use serde::Deserialize;

use super::data::{DataConfig, ExampleOptions, SourceConfig, one_in_two_hundred, two_gibibytes};
use crate::{
    data::{LossOn, Packing},
    error::{Error, Result},
    tokenizer::{ChatTemplate, PLAIN_NAME, Tokenizer},
};

/// The examples: one mixture, or several sources by weight. A row has `prompt` and `completion`, or `messages`: a conversation as a list of
/// objects with `role` and `content`. A `text` is a completion without a prompt.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TuningDataConfig {
    /// The folder of a mixture; or a Parquet file, a file of JSON lines, or a folder of these. In place of `sources`.
    #[schemars(with = "Option<PathBuf>")]
    pub mixture: Option<Spanned<PathBuf>>,
    /// Sources by name, in place of `mixture`.
    #[serde(default)]
    pub sources: BTreeMap<String, SourceConfig>,
    /// What is learnt: `completions`, and what the assistant says in a conversation; or `all` of an example. [default: completions]
    #[serde(default)]
    pub loss_on: Option<LossOn>,
    /// What writes conversations: a file with a template in Jinja, the name of one of the tokenizer's, or `plain`, which writes out roles.
    /// [default: the tokenizer's own; `plain` where it has none]
    #[schemars(with = "Option<String>")]
    pub chat_template: Option<Spanned<String>>,
    /// A `tokenizer.json`. What lies beside it says which tokens begin and end a text. It may be left out where `[model]` goes on `from` a
    /// folder that has one; where both are there, this one is that one, or that one with tokens added.
    #[schemars(with = "Option<PathBuf>")]
    pub tokenizer: Option<Spanned<PathBuf>>,
    /// The token that ends an example, such as `</s>`. By default the `eos_token` that the files beside the tokenizer name, else
    /// `<|endoftext|>`.
    #[schemars(with = "Option<String>")]
    pub end_of_text: Option<Spanned<String>>,
    /// Special tokens that are written out in an example, such as `<|endoftext|>`, are those tokens. By default they are text like any other,
    /// so that nobody ends a turn by quoting its end.
    #[serde(default)]
    pub special_tokens_in_text: bool,
    /// Other data by name, on whose validation files the model is evaluated, too; on all of it where there are no such files.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, PathBuf>")]
    pub held_out: BTreeMap<String, Spanned<PathBuf>>,
    /// How examples are packed into sequences. [default: `best_fit`]
    #[serde(default)]
    pub packing: Option<Packing>,
    /// Whether attention is masked at the boundaries of examples that are packed into one sequence. Positions begin anew at each then.
    /// [default: true]
    #[serde(default)]
    pub document_masking: Option<bool>,
    /// The share of examples that is held out for validation, in sources without files `validation-*`: above 0 and below 1. Examples are
    /// drawn by hash of their text, so that the same example is never on both sides.
    #[serde(default = "one_in_two_hundred")]
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

impl TuningDataConfig {
    /// The first key that is written and does not concern a model with an encoder, and why not.
    pub(super) fn fault_with_encoder(&self) -> Option<(&'static str, &'static str)> {
        let Self { packing, document_masking, loss_on, chat_template, .. } = self;
        let keys = [
            (packing.is_some(), "data.packing", "a model with an encoder reads each pair by itself: nothing is packed"),
            (
                document_masking.is_some(),
                "data.document_masking",
                "a model with an encoder reads each pair by itself: there is no boundary to mask attention at",
            ),
            (
                loss_on.is_some(),
                "data.loss_on",
                "a model with an encoder writes the completion alone, and the loss is taken on it",
            ),
            (
                chat_template.is_some(),
                "data.chat_template",
                "a model with an encoder learns from a `prompt` and a `completion`, and no template writes these",
            ),
        ];
        keys.into_iter().find(|(is_written, ..)| *is_written).map(|(_, key, message)| (key, message))
    }

    /// What every training reads of it. Packing is by default that of Chung et al. 2022 (FLAN-T5), section 2: with masks, so that no token
    /// attends across the boundary of an example.
    pub(super) fn documents(&self) -> DataConfig {
        let config = self.clone();
        DataConfig {
            mixture: config.mixture,
            sources: config.sources,
            tokenizer: config.tokenizer,
            end_of_text: config.end_of_text,
            special_tokens_in_text: config.special_tokens_in_text,
            held_out: config.held_out,
            packing: config.packing.unwrap_or(Packing::BestFit),
            span_corruption: None,
            document_masking: config.document_masking.unwrap_or(true),
            validation: config.validation,
            subset: None,
            max_lost_rate: config.max_lost_rate,
            max_window: config.max_window,
        }
    }

    /// What is learnt, and how conversations are written.
    ///
    /// # Errors
    /// When there is no such chat template, or the one that is asked for cannot be read.
    pub(super) fn examples(&self, file: &TomlFile, tokenizer: &Tokenizer) -> Result<ExampleOptions> {
        let chat_template = match &self.chat_template {
            Some(written) => chosen(file, written, tokenizer)?,
            None => match ChatTemplate::of(tokenizer, None)? {
                Some(own) => own,
                None => ChatTemplate::plain(tokenizer)?,
            },
        };
        Ok(ExampleOptions { loss_on: self.loss_on.unwrap_or_default(), chat_template: Arc::new(chat_template) })
    }
}

/// The chat template that a configuration asks for.
fn chosen(file: &TomlFile, written: &Spanned<String>, tokenizer: &Tokenizer) -> Result<ChatTemplate> {
    let (name, path) = (written.get_ref(), file.folder().join(written.get_ref()));
    let fault = |message: String| Error::from(file.fault(written.span(), message));
    let found = if path.is_file() {
        let source = std::fs::read_to_string(&path).map_err(Error::file("read", &path))?;
        Some(ChatTemplate::new(path.display().to_string(), source, tokenizer)?)
    } else if name == PLAIN_NAME {
        Some(ChatTemplate::plain(tokenizer)?)
    } else {
        ChatTemplate::of(tokenizer, Some(name))?
    };
    let template = found.ok_or_else(|| {
        fault(format!("there is no file {}, and the tokenizer has no chat template of this name", path.display()))
    })?;
    template.check().map_err(|error| fault(error.to_string()))?;
    Ok(template)
}
