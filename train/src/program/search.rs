//! How well a search answers questions whose answers are known.
//!
//! ```text
//! rows of `query` -> the best passages of an index -> what each is worth: 1, or 0      a line of results each
//!                                                  -> those that are worth nothing     negatives, for encoders to learn from
//!                                                  -> top-k accuracy, MRR, nDCG, recall, MAP
//! ```
//!
//! A passage is right where its id, or its document's, is among `relevant`; where there are none, where its text is `positive`; and where there is
//! neither, where it contains one of `answers`. How many are right is known in the first two cases: only then are there nDCG, recall and MAP.

use std::{
    collections::HashSet,
    fmt,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

pub use super::searcher::{SearchBy, SearchOptions, encoder_entry};
use super::{json_rows::JsonRows, searcher::OpenIndex, trec_run::TrecRun};

use crate::{
    data::{QuestionRow, QuestionRows},
    error::{Error, Result},
    metrics::{TOP, average_precision, has_answer, mean, ndcg, recall, reciprocal_rank, stderr_of_mean, success},
    retrieve::{Found, Hit, Passage, PassagesConfig, ScoredPassage},
};

/// Questions that are answered together.
const TOGETHER: usize = 1024;

/// Searches for one question.
///
/// # Errors
/// When the index cannot be read.
pub fn search(options: &SearchOptions, question: &str) -> Result<Vec<ScoredPassage>> {
    Ok(OpenIndex::new(options)?.searcher().passages(&[question], options.k)?.pop().unwrap_or_default())
}

/// How well questions of a file were answered.
#[derive(Debug, Clone, PartialEq)]
pub struct SearchFigures {
    /// Questions.
    pub questions: usize,
    /// Passages of the index.
    pub passages: usize,
    /// Ids of what is to be found that are not in the index: of so many.
    pub unknown: [usize; 2],
    /// Questions whose passage is known by its text, of which none was found; 0 where one was.
    pub strangers: usize,
    /// Name, mean, and standard error of each figure.
    pub figures: Vec<(String, f64, Option<f64>)>,
}

/// What is written of a search for many questions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SearchOutputs {
    /// Where results go, a line for each question, if they are wanted.
    pub results: Option<PathBuf>,
    /// Where they go as a run of TREC, a line for each passage, if that is wanted.
    pub run: Option<PathBuf>,
    /// Where questions go with the passages that were found and do not answer them, to train encoders on, if they are wanted.
    pub negatives: Option<PathBuf>,
    /// Such passages of a question, at most.
    pub most_negatives: usize,
}

/// Searches for all questions of a file.
///
/// # Errors
/// When a file cannot be read or written, or a question says nothing of its answer: it is named.
pub fn search_all(options: &SearchOptions, questions: &Path, outputs: &SearchOutputs) -> Result<SearchFigures> {
    let open = OpenIndex::new(options)?;
    let (cut, searcher) = (open.cut(), open.searcher());
    let mut rows = QuestionRows::open(questions)?;
    let mut results = outputs.results.as_deref().map(JsonRows::create).transpose()?;
    let mut run = outputs.run.as_deref().map(TrecRun::create).transpose()?;
    let mut negatives = outputs.negatives.as_deref().map(JsonRows::create).transpose()?;
    let mut judged: Vec<Judged> = Vec::new();
    let (mut unknown, mut by_positive, mut found_positives) = ([0; 2], 0, 0);
    while let Some(few) = rows.next_few()? {
        for few in few.chunks(TOGETHER) {
            if let Some((row, message)) = few.iter().find_map(|row| Some((row, fault(row, outputs)?))) {
                return Err(rows.fault(row.number, message));
            }
            let found = searcher.search(&few.iter().map(|row| row.query.as_str()).collect::<Vec<_>>(), options.k)?;
            let relevant = || few.iter().filter_map(|row| row.relevant.as_ref()).flatten();
            for id in relevant() {
                unknown[0] += usize::from(!open.has(id)?);
            }
            unknown[1] += relevant().count();
            // texts are needed where no id says what is right, or where they are written
            let needs_texts = |row: &QuestionRow| row.relevant.is_none() || outputs.negatives.is_some();
            let of_texts = few.iter().zip(&found).filter(|(row, _)| needs_texts(row));
            let hits: Vec<Hit> = of_texts.flat_map(|(_, found)| found).map(|found| found.hit).collect();
            let mut passages = open.passages(&hits)?.into_iter();
            for (row, found) in few.iter().zip(&found) {
                let own: Vec<Passage> =
                    if needs_texts(row) { passages.by_ref().take(found.len()).collect() } else { Vec::new() };
                let of_row =
                    if row.relevant.is_some() { Judged::by_ids(row, found, cut) } else { Judged::by_texts(row, &own) };
                if let Some(results) = &mut results {
                    let hits: Vec<_> =
                        found.iter().map(|found| json!({"id": found.id, "score": found.hit.score})).collect();
                    results.push(&json!({"id": row.id, "query": row.query, "hits": hits}))?;
                }
                if let Some(run) = &mut run {
                    run.push(row.id.as_deref(), row.number, found)?;
                }
                if let Some(negatives) = &mut negatives {
                    negatives.push(&with_negatives(row, &own, &of_row, outputs.most_negatives))?;
                }
                if row.relevant.is_none() && row.positive.is_some() {
                    by_positive += 1;
                    found_positives += usize::from(of_row.gains.iter().any(|gain| *gain > 0.0));
                }
                judged.push(of_row);
            }
        }
    }
    if judged.is_empty() {
        return Err(Error::Data { path: questions.to_owned(), message: "it has no question".into() });
    }
    for rows in [results, negatives].into_iter().flatten() {
        rows.publish()?;
    }
    run.map_or(Ok(()), TrecRun::publish)?;
    let figures = figures(&judged, options.k);
    let strangers = if found_positives == 0 { by_positive } else { 0 };
    Ok(SearchFigures { questions: judged.len(), passages: open.count(), unknown, strangers, figures })
}

/// Why a question cannot be judged, or nothing can be learnt from it.
fn fault(row: &QuestionRow, outputs: &SearchOutputs) -> Option<&'static str> {
    if !row.is_known() {
        return Some("nothing is known of its answer: it has none of `relevant`, `positive` and `answers`");
    }
    (outputs.negatives.is_some() && row.positive.is_none())
        .then_some("it has no `positive`, which encoders learn from beside negatives")
}

/// A question with the first passages that were found and do not answer it, as encoders learn from it.
fn with_negatives(row: &QuestionRow, found: &[Passage], judged: &Judged, most: usize) -> Value {
    let QuestionRow { id, query, positive, answers, .. } = row;
    let positive_text = positive.as_deref().unwrap_or_default().trim();
    // a part of what answers is no negative, and neither is what has an answer, whatever the gains go by
    let is_right = |passage: &Passage| {
        let of_document = |ids: &Vec<String>| ids.contains(&passage.id) || ids.contains(&passage.document);
        let text = passage.text.trim();
        row.relevant.as_ref().is_some_and(of_document)
            || positive_text.contains(text)
            || text.contains(positive_text)
            || answers.as_ref().is_some_and(|answers| has_answer(&passage.text, answers))
    };
    // as the positive stands there: what only one of them has would tell them apart
    let has_title = found.iter().any(|passage| !passage.title.is_empty() && positive_text == passage.searched().trim());
    let text = |passage: &Passage| if has_title { passage.searched() } else { passage.text.clone() };
    let negatives = found.iter().zip(&judged.gains).filter(|(passage, gain)| **gain == 0.0 && !is_right(passage));
    let negatives: Vec<String> = negatives.map(|(passage, _)| text(passage)).take(most).collect();
    let mut object = json!({"query": query, "positive": positive, "negatives": negatives});
    for (key, value) in
        [("id", id.as_ref().map(|id| json!(id))), ("answers", answers.as_ref().map(|texts| json!(texts)))]
    {
        if let Some(value) = value {
            object[key] = value;
        }
    }
    object
}

/// Whether a text is that of a passage, with its title or without.
fn is_text_of(text: &str, passage: &Passage) -> bool {
    let text = text.trim();
    text == passage.text.trim() || (!passage.title.is_empty() && text == passage.searched().trim())
}

impl QuestionRow {
    fn is_known(&self) -> bool {
        self.relevant.is_some() || self.positive.is_some() || self.answers.is_some()
    }
}

/// A ranking with what its passages are worth.
struct Judged {
    gains: Vec<f64>,
    /// How many passages are right, where that is known.
    relevant: Option<usize>,
}

impl Judged {
    fn by_ids(row: &QuestionRow, found: &[Found], cut: PassagesConfig) -> Self {
        let mut unseen: HashSet<&str> = row.relevant.iter().flatten().map(String::as_str).collect();
        let relevant = Some(unseen.len());
        // a document of which several passages are found is found once
        let is_right = |found: &Found| unseen.remove(&*found.id) || unseen.remove(cut.document(&found.id));
        Self { gains: found.iter().map(is_right).map(gain).collect(), relevant }
    }

    fn by_texts(row: &QuestionRow, passages: &[Passage]) -> Self {
        let QuestionRow { positive, answers, .. } = row;
        let mut is_found = false;
        let is_right = |passage: &Passage| match (positive, answers) {
            // a text that is there twice is found once
            (Some(positive), _) => is_text_of(positive, passage) && !std::mem::replace(&mut is_found, true),
            (None, Some(answers)) => has_answer(&passage.text, answers),
            (None, None) => false,
        };
        Self { gains: passages.iter().map(is_right).map(gain).collect(), relevant: positive.as_ref().map(|_| 1) }
    }
}

fn gain(is_right: bool) -> f64 {
    f64::from(u8::from(is_right))
}

fn figures(judged: &[Judged], k: usize) -> Vec<(String, f64, Option<f64>)> {
    let figure = |name: String, of: &dyn Fn(&Judged) -> f64| {
        let each: Vec<f64> = judged.iter().map(of).collect();
        (name, mean(&each), stderr_of_mean(&each))
    };
    let mut figures: Vec<_> = TOP
        .into_iter()
        .filter(|top| *top <= k)
        .map(|top| figure(format!("top-{top}"), &|judged| success(&judged.gains, top)))
        .collect();
    figures.push(figure(format!("MRR@{k}"), &|judged| reciprocal_rank(&judged.gains)));
    if judged.iter().all(|judged| judged.relevant.is_some()) {
        let count = |judged: &Judged| judged.relevant.unwrap_or_default();
        let top = k.min(10);
        figures.push(figure(format!("nDCG@{top}"), &|judged| ndcg(&judged.gains, &vec![1.0; count(judged)], top)));
        figures.push(figure(format!("recall@{k}"), &|judged| recall(&judged.gains, count(judged), k)));
        figures.push(figure(format!("MAP@{k}"), &|judged| average_precision(&judged.gains, count(judged))));
    }
    figures
}

/// In lines.
impl fmt::Display for SearchFigures {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { questions, passages, unknown: [unknown, of], strangers, figures } = self;
        write!(formatter, "{questions} questions, {passages} passages")?;
        if *unknown > 0 {
            write!(formatter, "; {unknown} of {of} ids in `relevant` are not in the index")?;
        }
        if *strangers > 0 {
            write!(
                formatter,
                "; none of the {strangers} texts in `positive` is found: each is to be a whole passage of the index"
            )?;
        }
        for (name, mean, error) in figures {
            let error = error.map(|error| format!(" ({error:.4})")).unwrap_or_default();
            write!(formatter, "\n{name:10} {mean:.4}{error}")?;
        }
        Ok(())
    }
}
