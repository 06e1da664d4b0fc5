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
        Bm25, Bm25Config, EncoderEntry, Filter, Found, Hit, Index, IndexPlace, NearestBy, Passage, PassageEncoder as _,
        PassagesConfig, PostgresIndex, ScoredPassage, SearchMemory, With, reciprocal_ranks,
    },
};

/// Passages that each of two rankings gives before they become one, at least.
const DEPTH: usize = 1000;

/// Why an index cannot be searched by vectors.
const NO_VECTORS: &str = "its passages have no vectors: `train index build --encoder` gives them some";

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
    /// An index.
    pub index: IndexPlace,
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
    index: OpenedIndex<'o>,
    encoder: Option<TrainedEncoder>,
}

/// An index, wherever it is.
enum OpenedIndex<'o> {
    Folder(&'o Path, Index),
    Postgres(PostgresIndex),
}

/// Searches in an index: what is worked out once for all questions.
pub(super) struct Searcher<'i> {
    open: &'i OpenIndex<'i>,
    finder: Finder<'i>,
}

/// What finds passages.
enum Finder<'i> {
    Folder(&'i Index, Bm25<'i>),
    Postgres(&'i PostgresIndex),
}

impl<'o> OpenIndex<'o> {
    /// Opens an index, and the encoders, where these are asked for.
    ///
    /// # Errors
    /// When something cannot be read, vectors are asked for that are not there, or the encoders are others.
    pub fn new(options: &'o SearchOptions) -> Result<Self> {
        let by = |entry: Option<&EncoderEntry>| {
            let usual = if entry.is_some() { SearchBy::Hybrid { weight: None } } else { SearchBy::Bm25 };
            options.by.unwrap_or(usual)
        };
        let (by, index, entry) = match &options.index {
            IndexPlace::Folder(folder) => {
                let by = by(Index::encoder_of(folder)?.as_ref());
                // a sum of scores is of all passages
                let of_all = options.nearest == NearestBy::All || matches!(by, SearchBy::Hybrid { weight: Some(_) });
                let vectors = if of_all { With::Vectors } else { With::Graph };
                let index = Index::open(folder, if by == SearchBy::Bm25 { With::Words } else { vectors })?;
                let entry = index.encoder().cloned();
                (by, OpenedIndex::Folder(folder, index), entry)
            }
            IndexPlace::Postgres(address) => {
                let index = PostgresIndex::open(address)?;
                let entry = index.encoder().cloned();
                let by = by(entry.as_ref());
                if by != SearchBy::Bm25 && entry.is_none() {
                    return Err(Error::IndexDatabase { index: address.to_string(), message: NO_VECTORS.into() });
                }
                (by, OpenedIndex::Postgres(index), entry)
            }
        };
        let entry = entry.filter(|_| by != SearchBy::Bm25);
        let encoder = entry.map(|entry| encoder_of(&entry, options.encoder.as_deref(), options.device));
        Ok(Self { options, by, encoder: encoder.transpose()?, index })
    }

    /// Where it is.
    pub fn place(&self) -> &IndexPlace {
        &self.options.index
    }

    /// Passages.
    pub fn count(&self) -> usize {
        match &self.index {
            OpenedIndex::Folder(_, index) => index.count(),
            OpenedIndex::Postgres(index) => index.count(),
        }
    }

    /// How its documents are cut.
    pub fn cut(&self) -> PassagesConfig {
        match &self.index {
            OpenedIndex::Folder(_, index) => index.cut(),
            OpenedIndex::Postgres(index) => index.cut(),
        }
    }

    /// Whether a passage or a document of this id is there.
    ///
    /// # Errors
    /// When a database does not answer.
    pub fn has(&self, id: &str) -> Result<bool> {
        match &self.index {
            OpenedIndex::Folder(_, index) => Ok(index.has(id)),
            OpenedIndex::Postgres(index) => index.has(id),
        }
    }

    /// The passages of some hits, in their order.
    ///
    /// # Errors
    /// When a file cannot be read, or a database does not answer.
    pub fn passages(&self, hits: &[Hit]) -> Result<Vec<Passage>> {
        match &self.index {
            OpenedIndex::Folder(_, index) => index.passages(hits),
            OpenedIndex::Postgres(index) => index.passages(hits),
        }
    }

    /// Whether the version that is open is the newest; one that cannot be read is said when it is opened.
    pub fn is_current(&self) -> bool {
        match &self.index {
            OpenedIndex::Folder(folder, index) => Index::version_of(folder).ok() == Some(index.version()),
            OpenedIndex::Postgres(index) => index.is_current().unwrap_or(false),
        }
    }

    /// Nothing is asked for a while.
    pub fn rest(&self) {
        if let OpenedIndex::Postgres(index) = &self.index {
            // one that does not answer is said when it is asked again
            let _ = index.rest();
        }
    }

    /// What searches in it.
    pub fn searcher(&self) -> Searcher<'_> {
        let finder = match &self.index {
            OpenedIndex::Folder(_, index) => Finder::Folder(index, index.bm25(self.options.bm25)),
            OpenedIndex::Postgres(index) => Finder::Postgres(index),
        };
        Searcher { open: self, finder }
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
        match self.open.by {
            SearchBy::Bm25 => self.by_words(questions, k),
            SearchBy::Vectors => self.nearest(questions, k),
            SearchBy::Hybrid { weight: None } => {
                let depth = k.max(DEPTH);
                let fused = |(one, other): (Vec<Found>, Vec<Found>)| reciprocal_ranks(&[&one, &other], k);
                let nearest = self.nearest(questions, depth)?;
                Ok(self.by_words(questions, depth)?.into_iter().zip(nearest).map(fused).collect())
            }
            SearchBy::Hybrid { weight: Some(weight) } => self.by_both(questions, weight, k),
        }
    }

    fn by_words(&self, questions: &[&str], k: usize) -> Result<Vec<Vec<Found>>> {
        let SearchOptions { filter, bm25: config, .. } = self.open.options;
        match &self.finder {
            Finder::Folder(index, bm25) => {
                let found =
                    |memory: &mut SearchMemory, question: &&str| index.search(bm25, question, k, filter, memory);
                Ok(questions.par_iter().map_init(SearchMemory::default, found).collect())
            }
            Finder::Postgres(index) => {
                questions.iter().map(|question| index.search(*config, question, k, filter)).collect()
            }
        }
    }

    fn nearest(&self, questions: &[&str], k: usize) -> Result<Vec<Vec<Found>>> {
        let vectors = self.vectors(questions)?;
        let SearchOptions { filter, nearest, .. } = self.open.options;
        match &self.finder {
            Finder::Folder(index, _) => Ok(index.nearest(&vectors, k, filter, *nearest)),
            Finder::Postgres(index) => index.nearest(&vectors, k, filter, *nearest),
        }
    }

    fn by_both(&self, questions: &[&str], weight: f32, k: usize) -> Result<Vec<Vec<Found>>> {
        let vectors = self.vectors(questions)?;
        let width = (vectors.len() / questions.len().max(1)).max(1);
        let SearchOptions { filter, bm25: config, .. } = self.open.options;
        match &self.finder {
            Finder::Folder(index, bm25) => {
                let found = |memory: &mut SearchMemory, (question, vector): (&&str, &[f32])| {
                    index.by_both(bm25, (question, vector, weight), k, filter, memory)
                };
                let asked = questions.par_iter().zip(vectors.par_chunks(width));
                Ok(asked.map_init(SearchMemory::default, found).collect())
            }
            Finder::Postgres(index) => {
                let asked = questions.iter().zip(vectors.chunks(width));
                asked.map(|(question, vector)| index.by_both(*config, (question, vector, weight), k, filter)).collect()
            }
        }
    }

    /// The same with what the passages say.
    ///
    /// # Errors
    /// As [`Self::search`], and when a file cannot be read.
    pub fn passages(&self, questions: &[&str], k: usize) -> Result<Vec<Vec<ScoredPassage>>> {
        let found = self.search(questions, k)?;
        let hits: Vec<Hit> = found.iter().flatten().map(|found| found.hit).collect();
        let passages = self.open.passages(&hits)?.into_iter().zip(hits);
        let mut scored = passages.map(|(passage, hit)| ScoredPassage { score: hit.score, passage });
        Ok(found.iter().map(|found| scored.by_ref().take(found.len()).collect()).collect())
    }

    fn vectors(&self, questions: &[&str]) -> Result<Vec<f32>> {
        self.open.encoder.as_ref().map_or_else(|| Ok(Vec::new()), |encoder| encoder.queries(questions))
    }
}

/// What gave the passages of an index their vectors, if something did.
///
/// # Errors
/// When there is no index.
pub fn encoder_entry(place: &IndexPlace) -> Result<Option<EncoderEntry>> {
    match place {
        IndexPlace::Folder(folder) => Index::encoder_of(folder),
        IndexPlace::Postgres(address) => PostgresIndex::encoder_of(address),
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
