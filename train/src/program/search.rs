//! How well a search answers questions whose answers are known.
//!
//! ```text
//! rows of `query` -> the best passages of an index -> what each is worth: 1, or 0      a line of results each
//!                                                  -> top-k accuracy, MRR, nDCG, recall, MAP
//! ```
//!
//! A passage is right where its id, or its document's, is among `relevant`; where there are none, where its text is `positive`; and where there is
//! neither, where it contains one of `answers`. How many are right is known in the first two cases: only then are there nDCG, recall and MAP.

use std::{
    collections::HashSet,
    fmt,
    io::Write as _,
    path::{Path, PathBuf},
};

use rayon::prelude::*;
use serde_json::json;
use system::AtomicFile;

use crate::{
    data::{QuestionRow, QuestionRows},
    error::{Error, Result},
    metrics::{average_precision, has_answer, mean, ndcg, recall, reciprocal_rank, stderr_of_mean, success},
    retrieve::{Bm25Config, Filter, Found, Index, Passage, SearchMemory},
};

/// The numbers of passages at which accuracy is told, as DPR has them.
pub const TOP: [usize; 4] = [1, 5, 20, 100];

/// Questions that are answered together.
const TOGETHER: usize = 1024;

/// What is searched, how, and for what.
#[derive(Debug, Clone, PartialEq)]
pub struct SearchOptions {
    /// The folder of an index.
    pub index: PathBuf,
    /// Passages of an answer, at most.
    pub k: usize,
    /// The constants of BM25.
    pub bm25: Bm25Config,
    /// Which passages may be found.
    pub filter: Filter,
}

/// A passage with its score.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// Its score: more is better.
    pub score: f32,
    /// The passage.
    pub passage: Passage,
}

/// Searches for one question.
///
/// # Errors
/// When the index cannot be read.
pub fn search(options: &SearchOptions, question: &str) -> Result<Vec<Answer>> {
    let index = Index::open(&options.index)?;
    let bm25 = index.bm25(options.bm25);
    let found = index.search(&bm25, question, options.k, &options.filter, &mut SearchMemory::default());
    let hits: Vec<_> = found.iter().map(|found| found.hit).collect();
    let passages = index.passages(&hits)?;
    Ok(hits.into_iter().zip(passages).map(|(hit, passage)| Answer { score: hit.score, passage }).collect())
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
    /// Name, mean, and standard error of each figure.
    pub figures: Vec<(String, f64, Option<f64>)>,
}

/// Searches for all questions of a file.
///
/// - `out`: where results go, a line for each question, if they are wanted
///
/// # Errors
/// When a file cannot be read or written, or a question says nothing of its answer: it is named.
pub fn search_all(options: &SearchOptions, questions: &Path, out: Option<&Path>) -> Result<SearchFigures> {
    let index = Index::open(&options.index)?;
    let bm25 = index.bm25(options.bm25);
    let mut rows = QuestionRows::open(questions)?;
    let mut results = out.map(AtomicFile::create).transpose()?;
    let mut judged: Vec<Judged> = Vec::new();
    let mut unknown = [0; 2];
    while let Some(few) = rows.next_few()? {
        for few in few.chunks(TOGETHER) {
            if let Some(row) = few.iter().find(|row| !row.is_known()) {
                let message = "nothing is known of its answer: it has none of `relevant`, `positive` and `answers`";
                return Err(rows.fault(row.number, message));
            }
            let found: Vec<Vec<Found>> = few
                .par_iter()
                .map_init(SearchMemory::default, |memory, row| {
                    index.search(&bm25, &row.query, options.k, &options.filter, memory)
                })
                .collect();
            let relevant = || few.iter().filter_map(|row| row.relevant.as_ref()).flatten();
            unknown[0] += relevant().filter(|id| !index.has(id)).count();
            unknown[1] += relevant().count();
            // texts are needed where no id says what is right
            let needs_texts = |row: &QuestionRow| row.relevant.is_none();
            let of_texts = few.iter().zip(&found).filter(|(row, _)| needs_texts(row));
            let hits: Vec<_> = of_texts.flat_map(|(_, found)| found).map(|found| found.hit).collect();
            let mut passages = index.passages(&hits)?.into_iter();
            for (row, found) in few.iter().zip(&found) {
                judged.push(if needs_texts(row) {
                    Judged::by_texts(row, passages.by_ref().take(found.len()))
                } else {
                    Judged::by_ids(row, found, &index)
                });
                if let Some(results) = &mut results {
                    let hits: Vec<_> =
                        found.iter().map(|found| json!({"id": found.id, "score": found.hit.score})).collect();
                    let line = json!({"id": row.id, "query": row.query, "hits": hits});
                    let path = out.unwrap_or(Path::new(""));
                    writeln!(results, "{line}").map_err(Error::file("write", path))?;
                }
            }
        }
    }
    if judged.is_empty() {
        return Err(Error::Data { path: questions.to_owned(), message: "it has no question".into() });
    }
    if let Some(results) = results {
        results.publish()?;
    }
    let figures = figures(&judged, options.k);
    Ok(SearchFigures { questions: judged.len(), passages: index.count(), unknown, figures })
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
    fn by_ids(row: &QuestionRow, found: &[Found], index: &Index) -> Self {
        let mut unseen: HashSet<&str> = row.relevant.iter().flatten().map(String::as_str).collect();
        let relevant = Some(unseen.len());
        // a document of which several passages are found is found once
        let is_right = |found: &Found| unseen.remove(&*found.id) || unseen.remove(index.document(&found.id));
        Self { gains: found.iter().map(is_right).map(gain).collect(), relevant }
    }

    fn by_texts(row: &QuestionRow, passages: impl Iterator<Item = Passage>) -> Self {
        let QuestionRow { positive, answers, .. } = row;
        let mut is_found = false;
        let is_right = |passage: Passage| match (positive, answers) {
            // a text that is there twice is found once
            (Some(positive), _) => passage.text.trim() == positive.trim() && !std::mem::replace(&mut is_found, true),
            (None, Some(answers)) => has_answer(&passage.text, answers),
            (None, None) => false,
        };
        Self { gains: passages.map(is_right).map(gain).collect(), relevant: positive.as_ref().map(|_| 1) }
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
        let Self { questions, passages, unknown: [unknown, of], figures } = self;
        write!(formatter, "{questions} questions, {passages} passages")?;
        if *unknown > 0 {
            write!(formatter, "; {unknown} of {of} ids in `relevant` are not in the index")?;
        }
        for (name, mean, error) in figures {
            let error = error.map(|error| format!(" ({error:.4})")).unwrap_or_default();
            write!(formatter, "\n{name:10} {mean:.4}{error}")?;
        }
        Ok(())
    }
}
