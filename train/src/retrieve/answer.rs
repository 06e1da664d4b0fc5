//! Answers from passages: a question, the passages that were found for it, and what a model writes behind them.
//!
//! ```text
//! prompt        all passages in one prompt                                              -> greedy decoding
//! rag-sequence  each passage in a prompt of its own, weighted by softmax of its score   -> the likeliest text of all
//! rag-token     the same                                                                -> the likeliest token of all, token by token
//! ```
//!
//! Source: Lewis et al. 2020 (RAG).

use serde_json::{Value, json};

use super::{
    answer_prompt::{AnswerPrompt, FittedPrompt},
    passage::Passage,
};
use crate::{
    error::{Error, Result},
    generate::{
        StoppingCriteria,
        marginal::{Contexts, Marginal, by_sequence, by_token},
    },
    inference::InferenceModel,
    tensor::log_sum_exp,
    tokenizer::{ChatTemplate, Tokenizer},
};

/// A passage with its score.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoredPassage {
    /// Its score: more is better.
    pub score: f32,
    /// The passage.
    pub passage: Passage,
}

/// How passages become an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Combining {
    /// All in one prompt.
    Prompt,
    /// Each in its own; one has written the answer.
    RagSequence,
    /// Each in its own; each may have written any token.
    RagToken,
}

impl Combining {
    /// What it is called by those who ask.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "prompt" => Some(Self::Prompt),
            "rag-sequence" => Some(Self::RagSequence),
            "rag-token" => Some(Self::RagToken),
            _ => None,
        }
    }
}

/// How an answer is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerConfig {
    /// How passages become an answer.
    pub combining: Combining,
    /// The most new tokens.
    pub max_new_tokens: usize,
    /// Texts before which an answer ends.
    pub stop: Vec<String>,
}

/// An answer.
#[derive(Debug, Clone, PartialEq)]
pub struct GivenAnswer {
    /// What it says.
    pub text: String,
    /// The passages that it was written from, each with its score and what it has to do with the answer, from 0 to 1.
    pub passages: Vec<UsedPassage>,
    /// Whether there was no room for the whole of a passage, or for all.
    pub is_cut: bool,
    /// Tokens of its prompts.
    pub prompt_tokens: usize,
    /// Its own tokens.
    pub tokens: usize,
}

/// A passage that an answer was written from.
#[derive(Debug, Clone, PartialEq)]
pub struct UsedPassage {
    /// The passage.
    pub passage: Passage,
    /// The score by which it was found.
    pub score: f32,
    /// What it has to do with the answer: how likely it is to have written it. All in one prompt share alike.
    pub share: f64,
}

/// Who answers.
#[derive(Debug, Clone, Copy)]
pub struct Answerer<'m> {
    /// The model, a decoder.
    pub model: &'m InferenceModel,
    /// Its tokenizer.
    pub tokenizer: &'m Tokenizer,
    /// What makes a turn of a conversation of a prompt, for models that answer in such.
    pub chat: Option<&'m ChatTemplate>,
}

impl<'m> Answerer<'m> {
    /// What a model is asked by a template, so that there is room for so many new tokens.
    ///
    /// # Errors
    /// When the template cannot be read, or names what there is not: it is said where. When there is no room for a question.
    pub fn prompt(&self, template: String, max_new_tokens: usize) -> Result<AnswerPrompt<'m>> {
        let context_length = self.model.context_length();
        let room = context_length.checked_sub(max_new_tokens).filter(|room| *room > 0).ok_or_else(|| {
            let message = format!(
                "the model reads {context_length} tokens, and {max_new_tokens} new ones leave no room for a question"
            );
            Error::Evaluation { what: "the prompt".into(), message }
        })?;
        AnswerPrompt::new(self.tokenizer, template, self.chat, room)
    }

    /// The answer to a question from passages with their scores, best first.
    ///
    /// - `should_end`: whether nobody waits for it any more
    ///
    /// # Errors
    /// When there is no room for the question, or the model computes what is no number.
    pub fn answer(
        &self,
        prompt: &AnswerPrompt<'_>,
        (question, found): (&str, Vec<ScoredPassage>),
        AnswerConfig { combining, max_new_tokens, stop }: &AnswerConfig,
        should_end: &dyn Fn() -> bool,
    ) -> Result<GivenAnswer> {
        let given = found.len();
        let is_apart = *combining != Combining::Prompt && given > 0;
        let (fitted, found) =
            if is_apart { apart(prompt, question, found)? } else { together(prompt, question, found)? };
        let is_apart = is_apart && !found.is_empty();
        let weights = if is_apart { softmax(&found) } else { vec![1.0] };
        let is_cut = found.len() < given || fitted.iter().any(|fitted| fitted.is_cut);
        let prompts: Vec<Vec<u32>> = fitted.into_iter().map(|fitted| fitted.ids).collect();

        let Self { model, tokenizer, chat } = *self;
        // an answer is short, and white space before it ends none
        let end = |text: &str| stop.iter().filter_map(|stop| text.trim_start().find(stop.as_str())).min();
        let should_stop = |new: &[u32]| should_end() || tokenizer.decode(new).is_ok_and(|text| end(&text).is_some());
        let eos = chat.map_or_else(|| tokenizer.ends().to_vec(), |chat| chat.stops(tokenizer));
        let suppressed = tokenizer.unused(model.vocab_size());
        let criteria = StoppingCriteria {
            max_new_tokens: *max_new_tokens,
            bos: tokenizer.before_text(),
            eos: &eos,
            suppressed: &suppressed,
            should_stop: &should_stop,
        };
        let contexts = Contexts { prompts: &prompts, weights: &weights };
        let written = match combining {
            Combining::RagSequence => by_sequence(model, contexts, &criteria),
            Combining::RagToken | Combining::Prompt => by_token(model, contexts, &criteria),
        };
        let Marginal { mut ids, shares, .. } = written.ok_or_else(|| Error::NotANumber { id: question.to_owned() })?;
        let tokens = ids.len();
        if ids.last().is_some_and(|last| eos.contains(last)) {
            ids.pop();
        }
        let text = tokenizer.continuation(&prompts[0], &ids)?;
        let said = &text.trim_start()[..end(&text).unwrap_or(text.trim_start().len())];
        let shares = if is_apart { shares } else { vec![1.0 / found.len() as f64; found.len()] };
        let used = |(ScoredPassage { passage, score }, share)| UsedPassage { passage, score, share };
        let passages = found.into_iter().zip(shares).map(used).collect();
        let prompt_tokens = prompts.iter().map(Vec::len).sum();
        Ok(GivenAnswer { text: said.trim().to_owned(), passages, is_cut, prompt_tokens, tokens })
    }
}

impl GivenAnswer {
    /// As an object of JSON.
    #[must_use]
    pub fn object(&self, question: &str) -> Value {
        let Self { text, passages, is_cut, .. } = self;
        let passages: Vec<_> = passages
            .iter()
            .map(|UsedPassage { passage, score, share }| {
                json!({
                    "id": passage.id, "document": passage.document, "begin": passage.begin, "end": passage.end,
                    "title": passage.title, "text": passage.text, "score": score, "share": share,
                })
            })
            .collect();
        json!({"query": question, "answer": text, "passages": passages, "cut": is_cut})
    }
}

/// A prompt for each passage that something fits of; one without a passage where there is none such.
fn apart(
    prompt: &AnswerPrompt<'_>,
    question: &str,
    found: Vec<ScoredPassage>,
) -> Result<(Vec<FittedPrompt>, Vec<ScoredPassage>)> {
    let (mut fitted, mut kept) = (Vec::with_capacity(found.len()), Vec::with_capacity(found.len()));
    for found in found {
        let own = prompt.fitted(question, std::slice::from_ref(&found.passage))?;
        if own.passages > 0 {
            fitted.push(own);
            kept.push(found);
        }
    }
    if fitted.is_empty() {
        fitted.push(prompt.fitted(question, &[])?);
    }
    Ok((fitted, kept))
}

/// One prompt for as many of the passages as fit; those of which nothing does are passed over.
fn together(
    prompt: &AnswerPrompt<'_>,
    question: &str,
    mut found: Vec<ScoredPassage>,
) -> Result<(Vec<FittedPrompt>, Vec<ScoredPassage>)> {
    loop {
        let passages: Vec<Passage> = found.iter().map(|found| found.passage.clone()).collect();
        let fitted = prompt.fitted(question, &passages)?;
        if fitted.passages == 0 && !found.is_empty() {
            found.remove(0);
            continue;
        }
        found.truncate(fitted.passages);
        return Ok((vec![fitted], found));
    }
}

/// How likely each passage is to be the one, by their scores.
fn softmax(found: &[ScoredPassage]) -> Vec<f64> {
    let scores: Vec<f32> = found.iter().map(|found| found.score).collect();
    let log_sum = log_sum_exp(&scores);
    let powers: Vec<f64> = scores.iter().map(|score| (f64::from(*score) - log_sum).exp()).collect();
    // to the last bit
    let sum: f64 = powers.iter().sum();
    powers.iter().map(|power| power / sum).collect()
}
