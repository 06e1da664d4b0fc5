//! An index that is open to be searched.
//!
//! ```text
//! INDEX/index.json          analysis, how documents are cut, segments with their files' sizes and hashes
//! INDEX/segments/NAME/      see `segment`; NAME follows from what is in it
//! ```

use std::path::Path;

use system::FolderLock;

use super::{
    analysis::Analysis,
    bm25::{Bm25, Bm25Config, Hit, SearchMemory},
    filter::Filter,
    manifest::{Manifest, SegmentEntry, segment_folder},
    passage::{Passage, PassagesConfig},
    postings::Postings,
    segment::{self, Segment},
};
use crate::error::{Error, Result};

/// An index.
#[derive(Debug)]
pub struct Index {
    segments: Vec<Segment>,
    analysis: Analysis,
    passages: PassagesConfig,
}

/// A passage that was found, by its id.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// Where it stands.
    pub hit: Hit,
    /// Its id.
    pub id: String,
}

impl Index {
    /// Opens the index in a folder.
    ///
    /// # Errors
    /// When there is none, or a file of it is damaged: it is named.
    pub fn open(folder: &Path) -> Result<Self> {
        let mut manifest = Manifest::read(folder)?.ok_or_else(|| no_index(folder))?;
        loop {
            let open = |entry: &SegmentEntry| Segment::open(&segment_folder(folder, &entry.name), &entry.files);
            match manifest.segments.iter().map(open).collect::<Result<Vec<_>>>() {
                Ok(segments) => {
                    let Manifest { analysis, passages, .. } = manifest;
                    return Ok(Self { segments, analysis: Analysis::new(analysis), passages });
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

    /// Passages.
    #[must_use]
    pub fn count(&self) -> usize {
        self.segments.iter().map(|segment| segment.ids().len()).sum()
    }

    /// The document of a passage, by their ids.
    #[must_use]
    pub fn document<'i>(&self, passage: &'i str) -> &'i str {
        match self.passages.words {
            // behind the last colon stands where the passage begins and ends
            Some(_) => passage.rsplit_once(':').map_or(passage, |(document, _)| document),
            None => passage,
        }
    }

    /// Whether a passage or a document of this id is there.
    #[must_use]
    pub fn has(&self, id: &str) -> bool {
        let of_document = format!("{id}:");
        self.segments.iter().any(|segment| {
            let ids = segment.ids();
            let begins = ids.partition_point(|passage| **passage < *of_document);
            ids.binary_search_by(|passage| passage.as_str().cmp(id)).is_ok()
                || ids.get(begins).is_some_and(|passage| self.document(passage) == id)
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
        let is_allowed =
            |part: usize, passage: u32| filter.is_none() || filter.allows(self.segments[part].facts(passage));
        let found = |hit: Hit| Found { hit, id: self.segments[hit.part].ids()[hit.passage as usize].clone() };
        let mut found: Vec<Found> = bm25.search(question, k, is_allowed, memory).into_iter().map(found).collect();
        found.sort_by(|one, other| other.hit.score.total_cmp(&one.hit.score).then_with(|| one.id.cmp(&other.id)));
        found.truncate(k);
        found
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

/// Makes sure that an index is whole: files are those that were written, ids rise and come once, and postings are those of the texts.
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
        segment::verify(&path, &entry.files)?;
        let segment = Segment::open(&path, &entry.files)?;
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
