//! `train search`: a question to passages; or questions whose answers are known, to figures.

use std::path::PathBuf;

use anyhow::bail;
use clap::{Args, ValueEnum};
use pages::excerpt::beginning;
use serde_json::json;

use super::printer::Printer;
use crate::{
    device::DeviceName,
    program::search::{SearchBy, SearchOptions, SearchOutputs, encoder_entry, search, search_all},
    retrieve::{Bm25Config, Filter, IndexPlace, NearestBy, ScoredPassage},
};

/// Bytes of a passage that are shown.
const SHOWN: usize = 300;

/// Find the passages of an index that answer a question; or say how well questions of a file are answered.
#[derive(Debug, Args)]
#[command(
    override_usage = "train search [OPTIONS] INDEX QUESTION\n       train search --questions FILE [OPTIONS] INDEX"
)]
pub struct SearchArgs {
    /// An index: a folder, or an address of PostgreSQL, such as `postgres://USER@HOST/DATABASE?index=NAME`.
    index: IndexPlace,
    /// The question.
    #[arg(required_unless_present = "questions", conflicts_with = "questions")]
    question: Option<String>,
    /// A file of questions: rows of `query` and of what is known of their answers, `relevant` (ids), `positive` (a passage) or `answers` (texts).
    #[arg(long, value_name = "FILE")]
    questions: Option<PathBuf>,
    /// With --questions: write the passages of each, as JSON lines.
    #[arg(long, value_name = "PATH", conflicts_with = "question")]
    out: Option<PathBuf>,
    /// With --questions: write them as a run of TREC, which `trec_eval` judges.
    #[arg(long, value_name = "PATH", conflicts_with = "question")]
    run: Option<PathBuf>,
    /// With --questions: write each with the first passages that were found and do not answer it, as `negatives` for `train retrieve`; rows have a
    /// `positive`.
    #[arg(long, value_name = "PATH", conflicts_with = "question")]
    negatives: Option<PathBuf>,
    /// With --negatives: such passages of a question, at most.
    #[arg(long, value_name = "N", default_value_t = 10, requires = "negatives")]
    most_negatives: usize,
    /// Passages, at most [default: 5; with --questions 100].
    #[arg(long, value_name = "N")]
    k: Option<usize>,
    #[command(flatten)]
    find: FindArgs,
    /// Print each passage as an object of JSON, whole.
    #[arg(long, conflicts_with = "questions")]
    json: bool,
}

/// How passages are found.
#[derive(Debug, Args)]
pub struct FindArgs {
    /// By what passages are found [default: hybrid where the index has vectors, else bm25].
    #[arg(long, value_enum)]
    by: Option<By>,
    /// With --by hybrid: add so much of the similarity of vectors to the score of BM25, in place of 1 / (60 + rank) by each.
    #[arg(long, value_name = "WEIGHT", allow_negative_numbers = true)]
    vector_weight: Option<f32>,
    /// Compare all vectors, where the index has a graph of them, too.
    #[arg(long, conflicts_with = "ef")]
    exact: bool,
    /// Vectors that a walk through the graph holds: the more, the surer the nearest are found [default: 64, or twice --k].
    #[arg(long, value_name = "N")]
    ef: Option<usize>,
    /// Where the folder of the encoders is now, if it was moved since the index was built.
    #[arg(long, value_name = "DIR")]
    encoder: Option<PathBuf>,
    /// Where encoders run: `cpu`, or `cuda:0` for the first GPU.
    #[arg(long, default_value = "cpu")]
    device: DeviceName,
    /// How soon a term that comes again adds nothing.
    #[arg(long, value_name = "NUMBER", default_value_t = Bm25Config::default().k1)]
    k1: f32,
    /// How much of a passage's length is held against it: 0 to 1.
    #[arg(long, value_name = "NUMBER", default_value_t = Bm25Config::default().b)]
    b: f32,
    /// Only passages of this source; may be given more than once.
    #[arg(long, value_name = "NAME")]
    source: Vec<String>,
    /// Only passages in this language; may be given more than once.
    #[arg(long, value_name = "CODE")]
    language: Vec<String>,
    /// Only passages of this date or later, such as 2026-11-30.
    #[arg(long, value_name = "DATE", value_parser = date)]
    since: Option<String>,
    /// Only passages before this date.
    #[arg(long, value_name = "DATE", value_parser = date)]
    before: Option<String>,
}

/// By what passages are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum By {
    /// Their words.
    Bm25,
    /// Their vectors.
    Vectors,
    /// Both.
    Hybrid,
}

impl FindArgs {
    /// A search of an index for so many passages.
    pub fn options(self, index: IndexPlace, k: usize) -> anyhow::Result<SearchOptions> {
        let Self { by, vector_weight, exact, ef, encoder, device, k1, b, source, language, since, before } = self;
        let bm25 = Bm25Config { k1, b };
        if let Some((key, message)) = bm25.fault() {
            bail!("--{key}: {message}");
        }
        if vector_weight.is_some_and(|weight| !weight.is_finite()) {
            bail!("--vector-weight: it has to be a number");
        }
        let by = match by {
            Some(By::Hybrid) => Some(SearchBy::Hybrid { weight: vector_weight }),
            None if vector_weight.is_some() => Some(SearchBy::Hybrid { weight: vector_weight }),
            _ if vector_weight.is_some() => bail!("--vector-weight is for --by hybrid"),
            Some(By::Bm25) => Some(SearchBy::Bm25),
            Some(By::Vectors) => Some(SearchBy::Vectors),
            None => None,
        };
        if ef == Some(0) {
            bail!("--ef: it has to be 1 or more");
        }
        if by == Some(SearchBy::Bm25) && (exact || ef.is_some()) {
            bail!("--exact and --ef are for vectors, and by bm25 there are none");
        }
        let nearest = if exact { NearestBy::All } else { NearestBy::Graph { ef } };
        let filter = Filter { sources: source, languages: language, since, before };
        Ok(SearchOptions { index, k, by, nearest, bm25, encoder, device, filter })
    }
}

impl SearchArgs {
    pub fn run(self, printer: &Printer) -> anyhow::Result<()> {
        let Self { index, question, questions, out, run, negatives, most_negatives, k, find, json } = self;
        let k = k.unwrap_or(if questions.is_some() { 100 } else { 5 });
        if k == 0 {
            bail!("--k: it has to be 1 or more");
        }
        let options = find.options(index, k)?;
        if let Some(questions) = questions {
            let outputs = [("--out", &out), ("--run", &run), ("--negatives", &negatives)];
            for (place, (name, path)) in outputs.iter().enumerate() {
                if path.as_ref() == Some(&questions) {
                    bail!("{name}: it is the file of questions");
                }
                if let (Some(path), Some((other, _))) = (path, outputs[..place].iter().find(|(_, other)| other == path))
                {
                    bail!("{name}: {} is that of {other}", path.display());
                }
            }
            let outputs = SearchOutputs { results: out, run, negatives, most_negatives };
            printer.result(search_all(&options, &questions, &outputs)?);
            return Ok(());
        }
        let found = search(&options, &question.unwrap_or_default())?;
        if found.is_empty() {
            let which = if options.filter.is_none() { "passage" } else { "passage that may be found" };
            let by_words = match options.by {
                Some(by) => by == SearchBy::Bm25,
                None => encoder_entry(&options.index)?.is_none(),
            };
            // by vectors there is something near to whatever is asked
            let what = if by_words { "has a word of the question" } else { "is in the index" };
            printer.note(format_args!("no {which} {what}"));
        }
        for (rank, found) in (1..).zip(&found) {
            if json {
                printer.result(object(rank, found));
            } else {
                printer.result(shown(rank, found));
            }
        }
        Ok(())
    }
}

/// A date as texts of dates begin: a year, and a month and a day behind it, if one wants.
fn date(text: &str) -> Result<String, String> {
    let is_date = text.get(..10).unwrap_or(text).split('-').enumerate().all(|(place, part)| {
        part.len() == if place == 0 { 4 } else { 2 } && part.bytes().all(|letter| letter.is_ascii_digit())
    });
    if is_date { Ok(text.to_owned()) } else { Err("expected a date such as 2026-11-30, 2026-11 or 2026".into()) }
}

fn object(rank: usize, ScoredPassage { score, passage }: &ScoredPassage) -> serde_json::Value {
    json!({
        "rank": rank,
        "score": score,
        "id": passage.id,
        "document": passage.document,
        "begin": passage.begin,
        "end": passage.end,
        "title": passage.title,
        "text": passage.text,
        "source": passage.source,
        "date": passage.date,
        "language": passage.language,
    })
}

fn shown(rank: usize, ScoredPassage { score, passage }: &ScoredPassage) -> String {
    let (text, is_longer) = beginning(&passage.text, SHOWN);
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let title = passage.title.split_whitespace().collect::<Vec<_>>().join(" ");
    let title = if title.is_empty() { title } else { format!("  {title}") };
    format!("{rank:3}  {score:.3}  {}{title}\n     {text}{}", passage.id, if is_longer { " …" } else { "" })
}
