//! A search: by words, by vectors, or by both.
//!
//! ```text
//! bm25      question -> terms  -> the passages with the highest scores
//! vectors   question -> vector -> those whose vectors are most like it: of all, or of those that a graph leads to
//! hybrid    both, by their ranks; or by the sum of both scores
//! ```

use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::trained_encoder::TrainedEncoder;
use crate::{
    checkpoint::Which,
    device::DeviceName,
    error::{Error, Result},
    retrieve::{
        Bm25, Bm25Config, EncoderEntry, Filter, Found, Hit, Index, NearestBy, PassageEncoder as _, ScoredPassage,
        SearchMemory, With, reciprocal_ranks,
    },
};

/// Passages that each of two rankings gives before they become one, at least.
const DEPTH: usize = 1000;

/// By what passages are found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum SearchBy {
    /// Their words.
    Bm25,
    /// Their vectors.
    Vectors,
    /// Both, by the ranks that each gives them; or, with a weight, by the score of BM25 and so much of the similarity.
    Hybrid {
        /// The weight of the similarity.
        weight: Option<f32>,
    },
}

/// What is searched, how, and for what.
#[derive(Debug, Clone, PartialEq)]
pub struct SearchOptions {
    /// The folder of an index.
    pub index: PathBuf,
    /// Passages of an answer, at most.
    pub k: usize,
    /// By what; by both where the index has vectors, else by words, if nothing is said.
    pub by: Option<SearchBy>,
    /// How the nearest vectors are found.
    pub nearest: NearestBy,
    /// The constants of BM25.
    pub bm25: Bm25Config,
    /// The folder of the encoders' training, where it is no longer where it was.
    pub encoder: Option<PathBuf>,
    /// Where encoders run.
    pub device: DeviceName,
    /// Which passages may be found.
    pub filter: Filter,
}

/// An index that is open, with the encoders that its vectors are of, where these are asked for.
pub(super) struct OpenIndex<'o> {
    options: &'o SearchOptions,
    by: SearchBy,
    pub index: Index,
    encoder: Option<TrainedEncoder>,
}

/// Searches in an index: what is worked out once for all questions.
pub(super) struct Searcher<'i> {
    open: &'i OpenIndex<'i>,
    bm25: Bm25<'i>,
}

impl<'o> OpenIndex<'o> {
    /// Opens an index, and the encoders, where these are asked for.
    ///
    /// # Errors
    /// When something cannot be read, vectors are asked for that are not there, or the encoders are others.
    pub fn new(options: &'o SearchOptions) -> Result<Self> {
        let entry = Index::encoder_of(&options.index)?;
        let usual = if entry.is_some() { SearchBy::Hybrid { weight: None } } else { SearchBy::Bm25 };
        let by = options.by.unwrap_or(usual);
        if by == SearchBy::Bm25 {
            return Ok(Self { options, by, index: Index::open(&options.index, With::Words)?, encoder: None });
        }
        // a sum of scores is of all passages
        let of_all = options.nearest == NearestBy::All || matches!(by, SearchBy::Hybrid { weight: Some(_) });
        let index = Index::open(&options.index, if of_all { With::Vectors } else { With::Graph })?;
        let encoder = index.encoder().map(|entry| encoder_of(entry, options.encoder.as_deref(), options.device));
        Ok(Self { options, by, encoder: encoder.transpose()?, index })
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        &self.options.index
    }

    /// What searches in it.
    pub fn searcher(&self) -> Searcher<'_> {
        Searcher { open: self, bm25: self.index.bm25(self.options.bm25) }
    }
}

impl Searcher<'_> {
    /// The best passages for each question, best first.
    ///
    /// - `k`: passages of a question, at most
    ///
    /// # Errors
    /// When the encoders cannot read them.
    pub fn search(&self, questions: &[&str], k: usize) -> Result<Vec<Vec<Found>>> {
        let Self { open: OpenIndex { index, by, options: SearchOptions { filter, nearest, .. }, .. }, bm25 } = self;
        let with_bm25 = |k: usize| -> Vec<Vec<Found>> {
            let found = |memory: &mut SearchMemory, question: &&str| index.search(bm25, question, k, filter, memory);
            questions.par_iter().map_init(SearchMemory::default, found).collect()
        };
        Ok(match *by {
            SearchBy::Bm25 => with_bm25(k),
            SearchBy::Vectors => index.nearest(&self.vectors(questions)?, k, filter, *nearest),
            SearchBy::Hybrid { weight: None } => {
                let depth = k.max(DEPTH);
                let nearest = index.nearest(&self.vectors(questions)?, depth, filter, *nearest);
                let fused = |(one, other): (&Vec<Found>, Vec<Found>)| reciprocal_ranks(&[one, &other], k);
                with_bm25(depth).iter().zip(nearest).map(fused).collect()
            }
            SearchBy::Hybrid { weight: Some(weight) } => {
                let vectors = self.vectors(questions)?;
                let width = vectors.len() / questions.len().max(1);
                let found = |memory: &mut SearchMemory, (question, vector): (&&str, &[f32])| {
                    index.by_both(bm25, (question, vector, weight), k, filter, memory)
                };
                let asked = questions.par_iter().zip(vectors.par_chunks(width.max(1)));
                asked.map_init(SearchMemory::default, found).collect()
            }
        })
    }

    /// The same with what the passages say.
    ///
    /// # Errors
    /// As [`Self::search`], and when a file cannot be read.
    pub fn passages(&self, questions: &[&str], k: usize) -> Result<Vec<Vec<ScoredPassage>>> {
        let found = self.search(questions, k)?;
        let hits: Vec<Hit> = found.iter().flatten().map(|found| found.hit).collect();
        let passages = self.open.index.passages(&hits)?.into_iter().zip(hits);
        let mut scored = passages.map(|(passage, hit)| ScoredPassage { score: hit.score, passage });
        Ok(found.iter().map(|found| scored.by_ref().take(found.len()).collect()).collect())
    }

    fn vectors(&self, questions: &[&str]) -> Result<Vec<f32>> {
        self.open.encoder.as_ref().map_or_else(|| Ok(Vec::new()), |encoder| encoder.queries(questions))
    }
}

/// The encoders that gave the passages of an index their vectors.
///
/// - `moved`: where their training's folder is, if that is no longer where it was
///
/// # Errors
/// When they cannot be read, or are others.
pub(super) fn encoder_of(entry: &EncoderEntry, moved: Option<&Path>, device: DeviceName) -> Result<TrainedEncoder> {
    let folder = moved.unwrap_or(&entry.folder);
    let encoder = TrainedEncoder::load(folder, Which::Step(entry.step), device).map_err(|error| {
        let step = entry.step;
        let message = format!(
            "the vectors of the index are by the encoders that were here after {step} steps: {error}. `--encoder` says where they are now, and \
             `--by bm25` searches without them"
        );
        Error::Data { path: folder.to_owned(), message }
    })?;
    entry.hold(encoder.entry())?;
    Ok(encoder)
}
