//! Answers from documents that a model may never have seen: a question, the passages that are found for it, and what a model writes behind them.
//!
//! ```text
//! prompt        all passages in one prompt                                              -> greedy decoding
//! rag-sequence  each passage in a prompt of its own, weighted by softmax of its score   -> the likeliest text of all
//! rag-token     the same                                                                -> the likeliest token of all, token by token
//! ```
//!
//! Source: Lewis et al. 2020 (RAG); Rajpurkar et al. 2016 for the figures.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use serde::Serialize;
use serde_json::json;

use super::{
    answer_prompt::{AnswerPrompt, FittedPrompt},
    inference_model::ReadyModel,
    json_rows::JsonRows,
    searcher::{OpenIndex, ScoredPassage, SearchOptions, Searcher},
};
use crate::{
    checkpoint::Which,
    data::{QuestionRow, QuestionRows},
    error::{Error, Result},
    generate::{
        StoppingCriteria,
        marginal::{Contexts, Marginal, by_sequence, by_token},
    },
    inference::WeightFormat,
    metrics::{exact_match, f1, has_answer, mean, stderr_of_mean},
    retrieve::Passage,
    tensor::log_sum_exp,
    tokenizer::ChatTemplate,
};

pub use super::answer_prompt::TEMPLATE;

/// Questions that are searched for together.
const TOGETHER: usize = 64;

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

/// Who answers, and from what.
#[derive(Debug, Clone, PartialEq)]
pub struct AnswerOptions {
    /// The search; of no passages where the book is closed.
    pub search: SearchOptions,
    /// The folder of a decoder.
    pub model: PathBuf,
    /// Which checkpoint of a training.
    pub which: Which,
    /// How weights are held.
    pub weights: WeightFormat,
    /// How passages become an answer.
    pub combining: Combining,
    /// Jinja, with `question` and `passages`.
    pub template: String,
    /// Whether the model is asked in a turn of a conversation, by its own chat template.
    pub chat: bool,
    /// The most new tokens.
    pub max_new_tokens: usize,
    /// Texts before which an answer ends.
    pub stop: Vec<String>,
    /// Whether a row's own `positive` is what is answered from, in place of a search.
    pub given: bool,
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

/// Answers questions.
struct Answerer<'o> {
    options: &'o AnswerOptions,
    ready: ReadyModel,
    chat: Option<ChatTemplate>,
}

impl<'o> Answerer<'o> {
    fn open(options: &'o AnswerOptions) -> Result<Self> {
        let ready = ReadyModel::open(&options.model, options.which, options.weights)?;
        let chat = if options.chat { ChatTemplate::of(&ready.tokenizer, None)? } else { None };
        if options.chat && chat.is_none() {
            let message = "its tokenizer has no chat template: without --chat it goes on with the prompt".into();
            return Err(Error::Data { path: options.model.clone(), message });
        }
        if options.max_new_tokens >= ready.model.context_length() {
            let (tokens, context) = (options.max_new_tokens, ready.model.context_length());
            let message = format!("it reads {context} tokens, and {tokens} new ones leave no room for a question");
            return Err(Error::Data { path: options.model.clone(), message });
        }
        Ok(Self { options, ready, chat })
    }

    fn prompt(&self) -> Result<AnswerPrompt<'_>> {
        let room = self.ready.model.context_length() - self.options.max_new_tokens;
        AnswerPrompt::new(&self.ready.tokenizer, self.options.template.clone(), self.chat.as_ref(), room)
    }

    /// The answer to a question from passages with their scores, best first.
    fn answer(&self, prompt: &AnswerPrompt<'_>, question: &str, found: Vec<ScoredPassage>) -> Result<GivenAnswer> {
        let AnswerOptions { combining, max_new_tokens, stop, .. } = self.options;
        let given = found.len();
        let is_apart = *combining != Combining::Prompt && given > 0;
        let (fitted, found) =
            if is_apart { apart(prompt, question, found)? } else { together(prompt, question, found)? };
        let is_apart = is_apart && !found.is_empty();
        let weights = if is_apart { softmax(&found) } else { vec![1.0] };
        let is_cut = found.len() < given || fitted.iter().any(|fitted| fitted.is_cut);
        let prompts: Vec<Vec<u32>> = fitted.into_iter().map(|fitted| fitted.ids).collect();

        let tokenizer = &self.ready.tokenizer;
        // an answer is short, and white space before it ends none
        let end = |text: &str| stop.iter().filter_map(|stop| text.trim_start().find(stop.as_str())).min();
        let should_stop = |new: &[u32]| tokenizer.decode(new).is_ok_and(|text| end(&text).is_some());
        let eos = self.chat.as_ref().map_or_else(|| tokenizer.ends().to_vec(), |chat| chat.stops(tokenizer));
        let suppressed = tokenizer.unused(self.ready.model.vocab_size());
        let criteria = StoppingCriteria {
            max_new_tokens: *max_new_tokens,
            bos: tokenizer.before_text(),
            eos: &eos,
            suppressed: &suppressed,
            should_stop: &should_stop,
        };
        let contexts = Contexts { prompts: &prompts, weights: &weights };
        let written = match combining {
            Combining::RagSequence => by_sequence(&self.ready.model, contexts, &criteria),
            Combining::RagToken | Combining::Prompt => by_token(&self.ready.model, contexts, &criteria),
        };
        let Marginal { mut ids, shares, .. } = written.ok_or_else(|| Error::NotANumber { id: question.to_owned() })?;
        if ids.last().is_some_and(|last| eos.contains(last)) {
            ids.pop();
        }
        let text = tokenizer.continuation(&prompts[0], &ids)?;
        let said = &text.trim_start()[..end(&text).unwrap_or(text.trim_start().len())];
        let shares = if is_apart { shares } else { vec![1.0 / found.len() as f64; found.len()] };
        let used = |(ScoredPassage { passage, score }, share)| UsedPassage { passage, score, share };
        let passages = found.into_iter().zip(shares).map(used).collect();
        Ok(GivenAnswer { text: said.trim().to_owned(), passages, is_cut })
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

/// The index of some options, if it is searched.
fn open(options: &AnswerOptions) -> Result<Option<OpenIndex<'_>>> {
    if options.given || options.search.k == 0 { Ok(None) } else { OpenIndex::new(&options.search).map(Some) }
}

/// The passages that are found for questions.
fn found(searcher: Option<&Searcher<'_>>, questions: &[&str]) -> Result<Vec<Vec<ScoredPassage>>> {
    searcher.map_or_else(|| Ok(vec![Vec::new(); questions.len()]), |searcher| searcher.passages(questions))
}

/// Answers a question.
///
/// # Errors
/// When the index or the model cannot be read, or there is no room for the question.
pub fn answer(options: &AnswerOptions, question: &str) -> Result<GivenAnswer> {
    let open = open(options)?;
    let searcher = open.as_ref().map(OpenIndex::searcher);
    let answerer = Answerer::open(options)?;
    let prompt = answerer.prompt()?;
    let found = found(searcher.as_ref(), &[question])?.pop().unwrap_or_default();
    answerer.answer(&prompt, question, found)
}

/// How well questions were answered.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AnswerFigures {
    /// Questions.
    pub questions: usize,
    /// Of them, those whose passages contain an answer.
    pub with_answer: usize,
    /// Of them, those that there was no room for all of the passages of.
    pub cut: usize,
    /// The share of answers that are one of the right ones, and its standard error.
    pub exact_match: (f64, Option<f64>),
    /// The mean F1 of their words, and its standard error.
    pub f1: (f64, Option<f64>),
}

/// Answers the questions of a file whose answers are known.
///
/// - `out`: where answers go, a line for each question, if they are wanted
/// - `note`: is told how far it is
///
/// # Errors
/// As [`answer`], and when a file cannot be read or written, or a question lacks `answers`: it is named.
pub fn answer_all(
    options: &AnswerOptions,
    questions: &Path,
    out: Option<&Path>,
    note: &mut dyn FnMut(&str),
) -> Result<AnswerFigures> {
    let open = open(options)?;
    let searcher = open.as_ref().map(OpenIndex::searcher);
    let answerer = Answerer::open(options)?;
    let prompt = answerer.prompt()?;
    let mut rows = QuestionRows::open(questions)?;
    let mut results = out.map(JsonRows::create).transpose()?;
    let (mut matches, mut overlaps, mut with_answer, mut cut) = (Vec::new(), Vec::new(), 0, 0);
    while let Some(few) = rows.next_few()? {
        // what is wrong with a row is told before the work on those before it
        if let Some((row, message)) = few.iter().find_map(|row| Some((row, fault(row, options.given)?))) {
            return Err(rows.fault(row.number, message));
        }
        for few in few.chunks(TOGETHER) {
            let texts: Vec<&str> = few.iter().map(|row| row.query.as_str()).collect();
            for (row, mut found) in few.iter().zip(found(searcher.as_ref(), &texts)?) {
                let QuestionRow { number, id, query, positive, answers, .. } = row;
                let answers = answers.as_deref().unwrap_or_default();
                if let (true, Some(text)) = (options.given, positive.clone()) {
                    found = vec![ScoredPassage { score: 0.0, passage: Passage { text, ..Passage::default() } }];
                }
                with_answer += usize::from(found.iter().any(|found| has_answer(&found.passage.text, answers)));
                let given = answerer.answer(&prompt, query, found);
                let given = given.map_err(|error| rows.fault(*number, &error.to_string()))?;
                cut += usize::from(given.is_cut);
                let (is_match, overlap) = (exact_match(&given.text, answers), f1(&given.text, answers));
                if let Some(results) = &mut results {
                    let used =
                        |used: &UsedPassage| json!({"id": used.passage.id, "score": used.score, "share": used.share});
                    let passages: Vec<_> = given.passages.iter().map(used).collect();
                    results.push(&json!({
                        "id": id, "query": query, "answer": given.text, "passages": passages, "exact_match": is_match, "f1": overlap,
                    }))?;
                }
                matches.push(f64::from(u8::from(is_match)));
                overlaps.push(overlap);
                if matches.len().is_multiple_of(100) {
                    note(&format!("{} questions are answered", matches.len()));
                }
            }
        }
    }
    if matches.is_empty() {
        return Err(Error::Data { path: questions.to_owned(), message: "it has no question".into() });
    }
    if let Some(results) = results {
        results.publish()?;
    }
    let of = |each: &[f64]| (mean(each), stderr_of_mean(each));
    Ok(AnswerFigures { questions: matches.len(), with_answer, cut, exact_match: of(&matches), f1: of(&overlaps) })
}

/// Why a question cannot be answered or judged.
fn fault(row: &QuestionRow, given: bool) -> Option<&'static str> {
    if row.answers.as_ref().is_none_or(Vec::is_empty) {
        return Some("it has no `answers`, by which what is answered is judged");
    }
    (given && row.positive.is_none()).then_some("it has no `positive`, which is to be answered from")
}

/// In lines.
impl fmt::Display for AnswerFigures {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { questions, with_answer, cut, exact_match, f1 } = self;
        write!(formatter, "{questions} questions; passages of {with_answer} contain an answer")?;
        if *cut > 0 {
            write!(formatter, "; there was no room for all passages of {cut}")?;
        }
        let error = |error: Option<f64>| error.map(|error| format!(" ({error:.4})")).unwrap_or_default();
        write!(formatter, "\n{:12} {:.4}{}", "exact match", exact_match.0, error(exact_match.1))?;
        write!(formatter, "\n{:12} {:.4}{}", "F1", f1.0, error(f1.1))
    }
}
