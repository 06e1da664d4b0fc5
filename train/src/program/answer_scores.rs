//! What gives an answer of a policy its score: a reward model, a classifier, or a program.
//!
//! ```text
//! reward model   prompt, answer, end        -> its reward                            the policy's own tokens
//! classifier     <|start|> text <|extract|> -> log-odds of a class                   the text, by the classifier's tokenizer
//! program        prompt, answer             -> what it says                          both as texts
//! ```
//!
//! Dropout is off, as in every model that a policy is judged by.

use std::path::{Path, PathBuf};

use schemas::prompt::{EXTRACT, START};

use super::{
    reward_program::RewardProgram, trained_classifier::TrainedClassifier, trained_reward_model::TrainedRewardModel,
};
use crate::{
    checkpoint::Which,
    data::{Example, ExampleKind, SequenceBatch, SequenceEncoder, by_like_length},
    device::DeviceName,
    error::{Error, Result},
    model::{Architecture, RewardModel},
    objective::class_log_odds,
    tokenizer::Tokenizer,
};

/// What gives scores.
pub(super) enum AnswerScores {
    /// A reward model of the policy's tokens.
    RewardModel(Box<TrainedRewardModel>),
    /// A program.
    Program(RewardProgram),
    /// A classifier of texts, and the class that is wanted.
    Classifier { classifier: Box<TrainedClassifier>, class: usize, of: ScoredText },
}

/// What of an episode a classifier reads.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Deserialize, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ScoredText {
    /// The prompt with its answer.
    #[default]
    Whole,
    /// The answer alone.
    Answer,
}

/// A prompt with its answer.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Written {
    /// The prompt, the answer.
    pub ids: Vec<u32>,
    /// Ids of the prompt.
    pub prompt: usize,
}

impl AnswerScores {
    /// The reward model in the folder of a training.
    ///
    /// # Errors
    /// When there is none, or its tokenizer is another than the policy's: both are named.
    pub fn reward_model(folder: &Path, tokenizer: &Tokenizer, device: DeviceName) -> Result<Self> {
        let model = TrainedRewardModel::load(folder, Which::Newest, device)?;
        if let Some(difference) = tokenizer.differs_from(&model.tokenizer) {
            let message = format!("its tokenizer is not that of the policy: {difference}");
            return Err(Error::Data { path: folder.to_owned(), message });
        }
        Ok(Self::RewardModel(Box::new(model)))
    }

    /// The classifier in the folder of a training.
    ///
    /// - `label`: the class that is wanted: its name, or its number
    ///
    /// # Errors
    /// When there is none, or it has no such class.
    pub fn classifier(folder: &Path, label: &str, of: ScoredText, device: DeviceName) -> Result<Self> {
        let fault = |message: String| Error::Data { path: folder.to_owned(), message };
        let classifier = TrainedClassifier::load(folder, Which::Newest, device)?;
        if classifier.config.kind == ExampleKind::MultipleChoice {
            return Err(fault("it chooses among alternatives, and an answer is none".into()));
        }
        let labels = &classifier.config.labels;
        let named = labels.iter().position(|name| name == label);
        let class = named.or_else(|| label.parse().ok()).filter(|class| *class < classifier.outputs);
        let class = class.ok_or_else(|| {
            let known = if labels.is_empty() { format!("0 to {}", classifier.outputs - 1) } else { labels.join(", ") };
            fault(format!("it has no class `{label}`, but {known}"))
        })?;
        Ok(Self::Classifier { classifier: Box::new(classifier), class, of })
    }

    /// What is to be said of the scores, if something is.
    pub fn note(&self) -> Option<String> {
        match self {
            Self::RewardModel(model) => model.note(),
            Self::Program(_) | Self::Classifier { .. } => None,
        }
    }

    /// The reward model's architecture and weights, where it is one: what a value network begins from.
    pub fn value_network(&self) -> Option<(&Architecture, &RewardModel)> {
        match self {
            Self::RewardModel(trained) => Some((trained.model.model().architecture(), &trained.model)),
            Self::Classifier { .. } | Self::Program(_) => None,
        }
    }

    /// The score of each answer.
    ///
    /// - `tokenizer`: the policy's
    ///
    /// # Errors
    /// When an answer cannot be read as the classifier reads texts.
    pub fn scores(&self, answers: &[Written], tokenizer: &Tokenizer) -> Result<Vec<f64>> {
        match self {
            Self::RewardModel(model) => {
                // as it was trained: an answer ends with the end of the text, whether the policy wrote it or not
                let ended = |Written { ids, prompt }: &Written| {
                    let (prompt, answer) = ids.split_at(*prompt);
                    [prompt, without_ends(answer, tokenizer), &[tokenizer.end_of_text()]].concat()
                };
                Ok(model.rewards(&answers.iter().map(ended).collect::<Vec<_>>()))
            }
            Self::Program(program) => {
                let texts = |written: &Written| {
                    Ok((tokenizer.decode(&written.ids[..written.prompt])?, answer_text(written, tokenizer)?))
                };
                program.rewards(&answers.iter().map(texts).collect::<Result<Vec<_>>>()?)
            }
            Self::Classifier { classifier, class, of } => {
                let text = |answer: &Written| match of {
                    ScoredText::Whole => {
                        Ok(tokenizer.decode(&answer.ids[..answer.prompt])? + &answer_text(answer, tokenizer)?)
                    }
                    ScoredText::Answer => answer_text(answer, tokenizer),
                };
                let texts = answers.iter().map(text).collect::<Result<Vec<String>>>()?;
                classifier_scores(classifier, *class, &texts)
            }
        }
    }
}

/// The tokens of an answer but for those that end it.
fn without_ends<'a>(answer: &'a [u32], tokenizer: &Tokenizer) -> &'a [u32] {
    let ended = answer.iter().rev().take_while(|id| tokenizer.ends().contains(id)).count();
    &answer[..answer.len() - ended]
}

/// The text of an answer, as it continues its prompt.
pub(super) fn answer_text(Written { ids, prompt }: &Written, tokenizer: &Tokenizer) -> Result<String> {
    let (prompt, answer) = ids.split_at(*prompt);
    tokenizer.continuation(prompt, without_ends(answer, tokenizer))
}

/// The log-odds of a class of each text, in their order. One that is too long loses its beginning: its end is what is judged.
fn classifier_scores(classifier: &TrainedClassifier, class: usize, texts: &[String]) -> Result<Vec<f64>> {
    let context_length = classifier.model.model().architecture().context_length;
    let encoder = SequenceEncoder::new(&classifier.tokenizer, usize::MAX)?;
    let texts: Vec<String> = texts.iter().map(|text| format!("{START}{}{EXTRACT}", text.trim())).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let damaged = |message| Error::Data { path: PathBuf::from("the classifier"), message };
    let cut = |(mut ids, _): (Vec<u32>, usize)| {
        let excess = ids.len().saturating_sub(context_length);
        ids.drain(1..=excess);
        ids
    };
    let encoded = encoder.encode(&texts)?.into_iter().map(|encoded| encoded.map(cut).map_err(damaged));
    let encoded = encoded.collect::<Result<Vec<Vec<u32>>>>()?;
    Ok(by_like_length(
        encoded.len(),
        classifier.batch_size,
        |place| encoded[place].len(),
        |places| {
            let example = |place: &usize| Example { sequences: vec![&encoded[*place][..]], label: None };
            let batch =
                SequenceBatch::new(&places.iter().map(example).collect::<Vec<_>>(), classifier.tokenizer.padding());
            class_log_odds(&classifier.model, &batch, class)
        },
    ))
}
