//! Answers from documents that a model may never have seen: a question, the passages that are found for it, and what a model writes behind them.
//!
//! Source: Rajpurkar et al. 2016 for the figures.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use serde::Serialize;
use serde_json::json;

use super::{
    inference_model::ReadyModel,
    json_rows::JsonRows,
    searcher::{OpenIndex, SearchOptions, Searcher},
};
use crate::{
    checkpoint::Which,
    data::{QuestionRow, QuestionRows},
    error::{Error, Result},
    inference::WeightFormat,
    metrics::{exact_match, f1, has_answer, mean, stderr_of_mean},
    retrieve::{AnswerConfig, AnswerPrompt, Answerer, GivenAnswer, Passage, ScoredPassage, UsedPassage},
    tokenizer::ChatTemplate,
};

/// Questions that are searched for together.
const TOGETHER: usize = 64;

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
    /// How an answer is written.
    pub answer: AnswerConfig,
    /// Jinja, with `question` and `passages`.
    pub template: String,
    /// Whether the model is asked in a turn of a conversation, by its own chat template.
    pub chat: bool,
    /// Whether a row's own `positive` is what is answered from, in place of a search.
    pub given: bool,
}

/// Answers questions of a program.
struct OpenModel<'o> {
    options: &'o AnswerOptions,
    ready: ReadyModel,
    chat: Option<ChatTemplate>,
}

impl<'o> OpenModel<'o> {
    fn new(options: &'o AnswerOptions) -> Result<Self> {
        let ready = ReadyModel::open(&options.model, options.which, options.weights)?;
        let chat = if options.chat { ChatTemplate::of(&ready.tokenizer, None)? } else { None };
        if options.chat && chat.is_none() {
            let message = "its tokenizer has no chat template: without --chat it goes on with the prompt".into();
            return Err(Error::Data { path: options.model.clone(), message });
        }
        Ok(Self { options, ready, chat })
    }

    fn answerer(&self) -> Answerer<'_> {
        Answerer { model: &self.ready.model, tokenizer: &self.ready.tokenizer, chat: self.chat.as_ref() }
    }

    fn prompt(&self) -> Result<AnswerPrompt<'_>> {
        self.answerer().prompt(self.options.template.clone(), self.options.answer.max_new_tokens)
    }

    fn answer(&self, prompt: &AnswerPrompt<'_>, question: &str, found: Vec<ScoredPassage>) -> Result<GivenAnswer> {
        self.answerer().answer(prompt, (question, found), &self.options.answer, &|| false)
    }
}

/// The index of some options, if it is searched.
fn open(options: &AnswerOptions) -> Result<Option<OpenIndex<'_>>> {
    if options.given || options.search.k == 0 { Ok(None) } else { OpenIndex::new(&options.search).map(Some) }
}

/// The passages that are found for questions.
fn found(searcher: Option<&Searcher<'_>>, questions: &[&str], k: usize) -> Result<Vec<Vec<ScoredPassage>>> {
    searcher.map_or_else(|| Ok(vec![Vec::new(); questions.len()]), |searcher| searcher.passages(questions, k))
}

/// Answers a question.
///
/// # Errors
/// When the index or the model cannot be read, or there is no room for the question.
pub fn answer(options: &AnswerOptions, question: &str) -> Result<GivenAnswer> {
    let open = open(options)?;
    let searcher = open.as_ref().map(OpenIndex::searcher);
    let answerer = OpenModel::new(options)?;
    let prompt = answerer.prompt()?;
    let found = found(searcher.as_ref(), &[question], options.search.k)?.pop().unwrap_or_default();
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
    let answerer = OpenModel::new(options)?;
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
            for (row, mut found) in few.iter().zip(found(searcher.as_ref(), &texts, options.search.k)?) {
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
