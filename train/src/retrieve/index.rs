//! An index that is open to be searched.
//!
//! ```text
//! INDEX/index.json          analysis, how documents are cut, segments with their files' sizes and hashes
//! INDEX/segments/NAME/      see `segment`; NAME follows from what is in it
//! INDEX/graphs/NAME/        see `graph_file`
//! ```

use std::path::Path;

use kernels::similarity::dots;
use rayon::prelude::*;
use system::FolderLock;

use super::{
    analysis::Analysis,
    best::{Found, Hit, best, best_first, best_of_parts},
    bm25::{Bm25, Bm25Config, SearchMemory},
    encoder::EncoderEntry,
    filter::Filter,
    folders::{Kind, segment_folder},
    graph::{GraphMemory, NearestBy, SearchGraph},
    graph_file::{GraphEntry, StoredGraph},
    manifest::{Manifest, SegmentEntry},
    parquet_files::verify,
    passage::{Passage, PassagesConfig},
    postings::Postings,
    segment::{self, Segment},
};
use crate::error::{Error, Result};

/// Scores by vectors that are held together, at most: 64 MiB.
const SCORES: usize = 16 << 20;

/// An index.
#[derive(Debug)]
pub struct Index {
    version: u64,
    segments: Vec<Segment>,
    analysis: Analysis,
    passages: PassagesConfig,
    encoder: Option<EncoderEntry>,
    /// What is known of the graph of its vectors, if it has one.
    entry: Option<GraphEntry>,
    /// That graph, where it was asked for.
    graph: Option<SearchGraph>,
}

/// What of an index is read for a search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum With {
    /// Its words.
    Words,
    /// Those, and the vectors of its passages.
    Vectors,
    /// Those, and the graph of its vectors, if it has one.
    Graph,
}

impl Index {
    /// Opens the index in a folder.
    ///
    /// # Errors
    /// When there is none, or a file of it is damaged: it is named. When it has no vectors, and they are asked for.
    pub fn open(folder: &Path, with: With) -> Result<Self> {
        let mut manifest = Manifest::read(folder)?.ok_or_else(|| no_index(folder))?;
        loop {
            let width = match &manifest.encoder {
                Some(encoder) => (with != With::Words).then_some(encoder.width),
                None if with != With::Words => return Err(no_vectors(folder)),
                None => None,
            };
            let open = |entry: &SegmentEntry| Segment::open(&segment_folder(folder, &entry.name), &entry.files, width);
            let read_graph = |width| {
                let wanted = manifest.graph.as_ref().filter(|_| with == With::Graph);
                wanted
                    .map(|entry| StoredGraph::read(folder, entry, width).map_err(|error| no_graph(folder, &error)))
                    .transpose()
            };
            let segments = manifest.segments.iter().map(open).collect::<Result<Vec<_>>>();
            match segments.and_then(|segments| Ok((segments, read_graph(width.unwrap_or(0))?))) {
                Ok((segments, stored)) => {
                    let Manifest { version, analysis, passages, encoder, graph: entry, .. } = manifest;
                    let graph = stored.map(|stored| SearchGraph::new(stored, &segments));
                    return Ok(Self {
                        version,
                        segments,
                        analysis: Analysis::new(analysis),
                        passages,
                        encoder,
                        entry,
                        graph,
                    });
                }
                Err(error) => match Manifest::read(folder)? {
                    // another version took its place meanwhile
                    Some(next) if next != manifest => manifest = next,
                    _ => return Err(error),
                },
            }
        }
    }

    /// Its segments.
    #[must_use]
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// How its texts become terms.
    #[must_use]
    pub fn analysis(&self) -> &Analysis {
        &self.analysis
    }

    /// How its documents are cut.
    #[must_use]
    pub fn cut(&self) -> PassagesConfig {
        self.passages
    }

    /// What gave its passages their vectors, if something did.
    #[must_use]
    pub fn encoder(&self) -> Option<&EncoderEntry> {
        self.encoder.as_ref()
    }

    /// The graph of its vectors, if it has one.
    #[must_use]
    pub fn graph(&self) -> Option<&GraphEntry> {
        self.entry.as_ref()
    }

    /// What gave the passages of the index in a folder their vectors, if something did.
    ///
    /// # Errors
    /// When there is no index.
    pub fn encoder_of(folder: &Path) -> Result<Option<EncoderEntry>> {
        Ok(Manifest::read(folder)?.ok_or_else(|| no_index(folder))?.encoder)
    }

    /// How often the index in a folder was replaced: another number is another version of it.
    ///
    /// # Errors
    /// When there is no index.
    pub fn version_of(folder: &Path) -> Result<u64> {
        Ok(Manifest::read(folder)?.ok_or_else(|| no_index(folder))?.version)
    }

    /// The version that is open.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Passages.
    #[must_use]
    pub fn count(&self) -> usize {
        self.segments.iter().map(|segment| segment.ids().len()).sum()
    }

    /// Whether a passage or a document of this id is there.
    #[must_use]
    pub fn has(&self, id: &str) -> bool {
        let of_document = format!("{id}:");
        self.segments.iter().any(|segment| {
            let ids = segment.ids();
            let begins = ids.partition_point(|passage| **passage < *of_document);
            ids.binary_search_by(|passage| passage.as_str().cmp(id)).is_ok()
                || ids[begins..]
                    .iter()
                    .take_while(|passage| passage.starts_with(&of_document))
                    .any(|passage| self.passages.document(passage) == id)
        })
    }

    /// A search by BM25.
    #[must_use]
    pub fn bm25(&self, config: Bm25Config) -> Bm25<'_> {
        Bm25::new(self.segments.iter().map(Segment::postings), &self.analysis, config)
    }

    /// The best passages for a question by BM25, best first; of equal ones those whose ids come first, in whatever segments they are.
    ///
    /// - `k`: passages, at most
    #[must_use]
    pub fn search(
        &self,
        bm25: &Bm25<'_>,
        question: &str,
        k: usize,
        filter: &Filter,
        memory: &mut SearchMemory,
    ) -> Vec<Found> {
        let hits = bm25.search(question, k, |part, passage| self.is_allowed(filter, part, passage), memory);
        self.named(hits, k)
    }

    /// The passages whose vectors are most like those of questions, best first; of equal ones those whose ids come first.
    ///
    /// - `queries`: `[questions, width]`
    /// - `k`: passages of a question, at most
    #[must_use]
    pub fn nearest(&self, queries: &[f32], k: usize, filter: &Filter, by: NearestBy) -> Vec<Vec<Found>> {
        let (Some(graph), NearestBy::Graph { ef }) = (&self.graph, by) else {
            return self.nearest_of_all(queries, k, filter);
        };
        let is_allowed = |part, passage| self.is_allowed(filter, part, passage);
        let allowed = graph.allowed(filter.is_none(), is_allowed);
        let width = self.width();
        let found = queries.par_chunks(width).map_init(GraphMemory::default, |memory, query| {
            let hits = graph.nearest(&self.segments, query, (k, ef), (&allowed, is_allowed), memory)?;
            Some(self.named(best_of_parts(hits, k), k))
        });
        let found: Vec<Option<Vec<Found>>> = found.collect();
        let others = queries.chunks(width).zip(&found).filter(|(_, found)| found.is_none());
        let others: Vec<f32> = others.flat_map(|(query, _)| query).copied().collect();
        let mut others = self.nearest_of_all(&others, k, filter).into_iter();
        found.into_iter().map(|found| found.or_else(|| others.next()).unwrap_or_default()).collect()
    }

    fn width(&self) -> usize {
        self.encoder.as_ref().map_or(1, |encoder| encoder.width)
    }

    /// The same, where all are compared.
    fn nearest_of_all(&self, queries: &[f32], k: usize, filter: &Filter) -> Vec<Vec<Found>> {
        let width = self.width();
        let longest = self.segments.iter().map(|segment| segment.ids().len()).max().unwrap_or(0).max(1);
        let together = (SCORES / longest).max(1);
        let mut all = Vec::with_capacity(queries.len() / width);
        let mut scores = Vec::new();
        for queries in queries.chunks(together * width) {
            let count = queries.len() / width;
            let mut hits: Vec<Vec<Hit>> = vec![Vec::new(); count];
            for (part, segment) in self.segments.iter().enumerate() {
                let passages = segment.ids().len();
                scores.resize(count * passages, 0.0);
                dots(segment.vectors(), width, queries, &mut scores[..count * passages]);
                hits.par_iter_mut().zip(scores[..count * passages].par_chunks(passages)).for_each(|(hits, scores)| {
                    let is_allowed = |passage| self.is_allowed(filter, part, passage);
                    best(scores, k, f32::NEG_INFINITY, is_allowed, |passage, score| {
                        hits.push(Hit { part, passage, score });
                    });
                });
            }
            all.extend(hits.into_par_iter().map(|hits| self.named(best_of_parts(hits, k), k)).collect::<Vec<_>>());
        }
        all
    }

    /// The passages with the highest sums of both scores, that of BM25 and `weight` times the similarity of vectors, best first; of equal ones those
    /// whose ids come first.
    ///
    /// - `query`: `[width]`
    /// - `k`: passages, at most
    #[must_use]
    pub fn by_both(
        &self,
        bm25: &Bm25<'_>,
        (question, query, weight): (&str, &[f32], f32),
        k: usize,
        filter: &Filter,
        memory: &mut SearchMemory,
    ) -> Vec<Found> {
        let mut hits = Vec::new();
        let mut sums = Vec::new();
        bm25.scores(question, memory, |part, scores| {
            sums.resize(scores.len(), 0.0);
            dots(self.segments[part].vectors(), query.len(), query, &mut sums);
            sums.iter_mut().zip(scores).for_each(|(sum, score)| *sum = weight * *sum + score);
            let is_allowed = |passage| self.is_allowed(filter, part, passage);
            best(&sums, k, f32::NEG_INFINITY, is_allowed, |passage, score| hits.push(Hit { part, passage, score }));
        });
        self.named(best_of_parts(hits, k), k)
    }

    fn is_allowed(&self, filter: &Filter, part: usize, passage: u32) -> bool {
        filter.is_none() || filter.allows(self.segments[part].facts(passage))
    }

    /// Passages with their ids, best first; of equal ones those whose ids come first.
    fn named(&self, hits: Vec<Hit>, k: usize) -> Vec<Found> {
        let found = |hit: Hit| Found { hit, id: self.segments[hit.part].ids()[hit.passage as usize].clone() };
        best_first(hits.into_iter().map(found).collect(), k)
    }

    /// The passages of some hits, in their order.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn passages(&self, hits: &[Hit]) -> Result<Vec<Passage>> {
        let mut found: Vec<Option<Passage>> = vec![None; hits.len()];
        for (part, segment) in self.segments.iter().enumerate() {
            let mut own: Vec<(u32, usize)> = (0..hits.len())
                .filter(|place| hits[*place].part == part)
                .map(|place| (hits[place].passage, place))
                .collect();
            own.sort_unstable();
            let mut numbers: Vec<u32> = own.iter().map(|(number, _)| *number).collect();
            numbers.dedup();
            let passages = segment.passages(&numbers)?;
            for (number, place) in own {
                let read = numbers.binary_search(&number).expect("it was asked for");
                found[place] = Some(passages[read].clone());
            }
        }
        Ok(found.into_iter().map(|passage| passage.expect("each hit is in a segment")).collect())
    }
}

/// Makes sure that an index is whole: files are those that were written, ids rise and come once, postings are those of the texts, and each point of a
/// graph can be reached.
///
/// # Errors
/// When something is not so, or another program writes the index: it is named.
pub fn check(folder: &Path) -> Result<usize> {
    Manifest::read(folder)?.ok_or_else(|| no_index(folder))?;
    let _lock = lock(folder)?;
    let manifest = Manifest::read(folder)?.ok_or_else(|| no_index(folder))?;
    let analysis = Analysis::new(manifest.analysis);
    let mut all: Vec<String> = Vec::new();
    for entry in &manifest.segments {
        let path = segment_folder(folder, &entry.name);
        let damaged = |message: String| Error::Damaged { path: path.clone(), message };
        verify(&path, &entry.files)?;
        let segment = Segment::open(&path, &entry.files, manifest.encoder.as_ref().map(|encoder| encoder.width))?;
        if segment.ids().len() != entry.passages {
            return Err(damaged(format!(
                "it has {} passages, and {} were written",
                segment.ids().len(),
                entry.passages
            )));
        }
        if let Some([one, next]) = segment.ids().array_windows().find(|[one, next]| one >= next) {
            return Err(damaged(format!("its ids do not rise: {one} stands before {next}")));
        }
        let mut searched = Vec::new();
        segment::read_passages(&path, |passage| searched.push(passage.searched()))?;
        if Postings::new(&searched, &analysis) != *segment.postings() {
            return Err(damaged("its postings are not those of its texts".into()));
        }
        all.extend(segment.ids().iter().cloned());
    }
    if let Some(entry) = &manifest.graph {
        let path = Kind::Graph.folder(folder, &entry.name);
        verify(&path, &entry.files)?;
        let width = manifest.encoder.as_ref().map_or(0, |encoder| encoder.width);
        let unreachable = StoredGraph::read(folder, entry, width)?.graph.unreachable();
        if let Some(point) = unreachable.first() {
            return Err(Error::Damaged { path, message: format!("nothing leads to point {point} of it") });
        }
    }
    let count = all.len();
    all.sort_unstable();
    match all.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(Error::Damaged { path: folder.to_owned(), message: format!("{} is there twice", pair[0]) }),
        None => Ok(count),
    }
}

/// Takes a folder to oneself.
pub(super) fn lock(folder: &Path) -> Result<FolderLock> {
    FolderLock::take(folder)?
        .ok_or_else(|| Error::Data { path: folder.to_owned(), message: "another program writes this index".into() })
}

pub(super) fn no_index(folder: &Path) -> Error {
    Error::Data { path: folder.to_owned(), message: "there is no index: `train index build` makes one".into() }
}

fn no_graph(folder: &Path, error: &Error) -> Error {
    let message = format!(
        "{error}. `--exact` searches without the graph of its vectors, and the next `train index add` or `train index remove` makes it anew"
    );
    Error::Damaged { path: folder.to_owned(), message }
}

fn no_vectors(folder: &Path) -> Error {
    let message = "its passages have no vectors: `train index build --encoder` gives them some".into();
    Error::Data { path: folder.to_owned(), message }
}
