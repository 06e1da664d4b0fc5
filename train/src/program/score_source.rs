//! `[reward]` and `[gold_reward]` of a configuration: what gives answers their scores, and where it lies.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use schemas::toml_file::{Setting, Spanned, TomlFile};
use serde::Deserialize;
use serde_json::{Value, json};
use system::hash_file;

use super::{
    answer_scores::{AnswerScores, ScoredText},
    reward_program::RewardProgram,
};
use crate::{
    checkpoint::{StoredModel, Which},
    device::DeviceName,
    error::{Error, Result},
    tokenizer::Tokenizer,
};

/// What gives answers their scores: a reward model, a classifier, or a program.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScoreConfig {
    /// The folder of a training of `train reward`. The value network begins as a copy of it.
    #[serde(default)]
    #[schemars(with = "Option<PathBuf>")]
    pub model: Option<Spanned<PathBuf>>,
    /// In its place, that of a training of `train classify`: the score is the log-odds of a class. The value network begins as the policy.
    #[serde(default)]
    #[schemars(with = "Option<PathBuf>")]
    pub classifier: Option<Spanned<PathBuf>>,
    /// In their place, a program: it is given `prompt` and `answer` as lines of JSON on its standard input, and says `reward` for each on its
    /// standard output. The value network begins as the policy.
    #[serde(default)]
    #[schemars(with = "Option<PathBuf>")]
    pub program: Option<Spanned<PathBuf>>,
    /// The class that is wanted, by name or number.
    #[serde(default)]
    pub label: Option<String>,
    /// What the classifier reads: the `whole` of a prompt with its answer, or the `answer` alone.
    #[serde(default)]
    pub text: ScoredText,
}

/// The same, checked.
#[derive(Debug, Clone)]
pub(super) enum ScoreSource {
    /// The folder of a reward model.
    RewardModel(PathBuf),
    /// The folder of a classifier, the class that is wanted, and what it reads.
    Classifier(PathBuf, String, ScoredText),
    /// A program's file.
    Program(PathBuf),
}

impl ScoreSource {
    /// Checks a table of a configuration.
    ///
    /// # Errors
    /// When it names none or several, or what it names is not there: at its place.
    pub fn check(file: &TomlFile, settings: &[Setting], table: &str, config: &ScoreConfig) -> Result<Self> {
        let ScoreConfig { model, classifier, program, label, text } = config;
        let fault = |key: &str, message: &str| Error::from(file.fault_of(key, settings, message.to_owned()));
        let found = |written: &Spanned<PathBuf>, what: &str, is_there: fn(&Path) -> bool| {
            let found = file.folder().join(written.get_ref());
            if is_there(&found) {
                return Ok(found);
            }
            Err(Error::from(file.fault(written.span(), format!("there is no {what} {}", found.display()))))
        };
        if label.is_some() && classifier.is_none() {
            return Err(fault(&format!("{table}.label"), "only a classifier has classes"));
        }
        match (model, classifier, program) {
            (Some(model), None, None) => Ok(Self::RewardModel(found(model, "folder", Path::is_dir)?)),
            (None, None, Some(program)) => Ok(Self::Program(found(program, "file", Path::is_file)?)),
            (None, Some(classifier), None) => match label {
                Some(label) => Ok(Self::Classifier(found(classifier, "folder", Path::is_dir)?, label.clone(), *text)),
                None => {
                    let message = format!("`{table}.label` says which of its classes is wanted");
                    Err(fault(&format!("{table}.classifier"), &message))
                }
            },
            _ => Err(fault(table, &format!("[{table}] names one of `model`, `classifier` and `program`"))),
        }
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        match self {
            Self::RewardModel(path) | Self::Classifier(path, ..) | Self::Program(path) => path,
        }
    }

    /// What a training is known by.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn json(&self) -> Result<Value> {
        let sha256 = match self {
            Self::Program(path) => hash_file(path)?.sha256,
            Self::RewardModel(folder) | Self::Classifier(folder, ..) => {
                StoredModel::open(folder, Which::Newest)?.sha256
            }
        };
        Ok(match self {
            Self::RewardModel(_) => json!({ "model": sha256 }),
            Self::Program(_) => json!({ "program": sha256 }),
            Self::Classifier(_, label, text) => json!({ "classifier": sha256, "label": label, "text": text }),
        })
    }

    /// What gives the scores.
    ///
    /// - `tokenizer`: the policy's
    ///
    /// # Errors
    /// When it cannot be read, or does not fit the policy: it is named.
    pub fn open(&self, tokenizer: &Tokenizer, device: DeviceName) -> Result<AnswerScores> {
        match self {
            Self::RewardModel(folder) => AnswerScores::reward_model(folder, tokenizer, device),
            Self::Program(path) => Ok(AnswerScores::Program(RewardProgram::new(path.clone()))),
            Self::Classifier(folder, label, text) => AnswerScores::classifier(folder, label, *text, device),
        }
    }
}
