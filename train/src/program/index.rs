//! Indexes that are written: with the encoders that give passages vectors, where there are such.

use std::{collections::BTreeSet, fmt, path::PathBuf};

use super::{
    searcher::{encoder_entry, encoder_of},
    trained_encoder::TrainedEncoder,
};
use crate::{
    checkpoint::Which,
    device::DeviceName,
    error::{Error, Result},
    retrieve::{
        Added, AnalysisConfig, EncoderEntry, Index, IndexPlace, IndexWriter, PassageEncoder, PassagesConfig,
        PostgresIndex, PostgresWriter, Removed, With, check as check_folder, check_postgres,
    },
};

/// What gives passages vectors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncoderOptions {
    /// The folder of a training of encoders.
    pub folder: Option<PathBuf>,
    /// Which checkpoint of it.
    pub which: Which,
    /// Where encoders run.
    pub device: DeviceName,
    /// Whether an index that is made keeps a graph of vectors.
    pub with_graph: bool,
}

/// Makes an index of documents.
///
/// - `note`: is told how far it is
///
/// # Errors
/// When something is in the way, a file cannot be read or written, or a row is at fault: it is named.
pub fn build(
    place: &IndexPlace,
    (analysis, passages): (AnalysisConfig, PassagesConfig),
    encoder: &EncoderOptions,
    files: &[PathBuf],
    note: &mut dyn FnMut(&str),
) -> Result<Added> {
    let EncoderOptions { folder: of_encoder, which, device, with_graph } = encoder;
    let encoder = of_encoder.as_ref().map(|folder| TrainedEncoder::load(folder, *which, *device)).transpose()?;
    let encoder = encoder.map(|encoder| Box::new(encoder) as Box<dyn PassageEncoder>);
    match place {
        IndexPlace::Folder(folder) => {
            IndexWriter::create(folder, analysis, passages, encoder, *with_graph)?.add(files, note)
        }
        IndexPlace::Postgres(address) => {
            PostgresWriter::create(address, analysis, passages, encoder, *with_graph)?.add(files, note)
        }
    }
}

/// Adds documents to an index.
///
/// - `encoder`: where the encoders are that gave its passages vectors, if that is no longer where they were; the checkpoint is the one that did
/// - `note`: is told how far it is
///
/// # Errors
/// When a file cannot be read or written, a row is at fault, or the encoders are others: it is named.
pub fn add(
    place: &IndexPlace,
    encoder: &EncoderOptions,
    files: &[PathBuf],
    note: &mut dyn FnMut(&str),
) -> Result<Added> {
    let moved = encoder.folder.as_deref();
    let entry = encoder_entry(place)?;
    if entry.is_none() && moved.is_some() {
        let message = "its passages have no vectors: build another index by these encoders".to_owned();
        return Err(Error::Data { path: place.to_string().into(), message });
    }
    let encoder = entry.map(|entry| encoder_of(&entry, moved, encoder.device)).transpose()?;
    let encoder = encoder.map(|encoder| Box::new(encoder) as Box<dyn PassageEncoder>);
    match place {
        IndexPlace::Folder(folder) => IndexWriter::open(folder, encoder)?.add(files, note),
        IndexPlace::Postgres(address) => PostgresWriter::open(address, encoder)?.add(files, note),
    }
}

/// Removes documents from an index by their ids.
///
/// - `note`: is told how far it is
///
/// # Errors
/// When a file cannot be read or written, or a database refuses it.
pub fn remove(place: &IndexPlace, ids: &BTreeSet<String>, note: &mut dyn FnMut(&str)) -> Result<Removed> {
    match place {
        IndexPlace::Folder(folder) => IndexWriter::open(folder, None)?.remove(ids, note),
        IndexPlace::Postgres(address) => PostgresWriter::open(address, None)?.remove(ids),
    }
}

/// Makes sure that an index is whole. Returns its passages.
///
/// # Errors
/// When it is not: what is wrong is named.
pub fn check(place: &IndexPlace) -> Result<usize> {
    match place {
        IndexPlace::Folder(folder) => check_folder(folder),
        IndexPlace::Postgres(address) => check_postgres(address),
    }
}

/// What is in an index.
#[derive(Debug, Clone, PartialEq)]
pub struct IndexInfo {
    /// Passages.
    pub passages: usize,
    /// How documents are cut.
    pub cut: PassagesConfig,
    /// Terms of all passages, a repeated one each time.
    pub terms: u64,
    /// How texts become terms.
    pub analysis: AnalysisConfig,
    /// What gave passages their vectors, if something did.
    pub encoder: Option<EncoderEntry>,
    /// How many vectors a graph is of, where there is one, and how many of the nearest a search finds by it, where that was measured.
    pub graph: Option<(usize, Option<f64>)>,
    /// Segments of an index in a folder.
    pub segments: Option<usize>,
}

/// Says what is in an index.
///
/// # Errors
/// When it cannot be read.
pub fn info(place: &IndexPlace) -> Result<IndexInfo> {
    Ok(match place {
        IndexPlace::Folder(folder) => {
            let index = Index::open(folder, With::Words)?;
            let lengths = index.segments().iter().flat_map(|segment| segment.postings().lengths());
            IndexInfo {
                passages: index.count(),
                cut: index.cut(),
                terms: lengths.map(|length| u64::from(*length)).sum(),
                analysis: index.analysis().config(),
                encoder: index.encoder().cloned(),
                graph: index.graph().map(|graph| (graph.points, graph.recall)),
                segments: Some(index.segments().len()),
            }
        }
        IndexPlace::Postgres(address) => {
            let index = PostgresIndex::open(address)?;
            IndexInfo {
                passages: index.count(),
                cut: index.cut(),
                terms: index.terms(),
                analysis: index.analysis().config(),
                encoder: index.encoder().cloned(),
                graph: index.has_graph().then_some((index.count(), None)),
                segments: None,
            }
        }
    })
}

/// In a line.
impl fmt::Display for IndexInfo {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { passages, cut, terms, analysis: AnalysisConfig { stemmer, stop_words }, encoder, graph, segments } =
            self;
        write!(formatter, "{passages} passages, ")?;
        match cut {
            PassagesConfig { words: None, .. } => write!(formatter, "documents as they are")?,
            PassagesConfig { words: Some(words), overlap } => {
                write!(formatter, "of {words} words, {overlap} of them in common")?;
            }
        }
        let stems = stemmer.map_or("they are".to_owned(), |language| format!("stems of {language}"));
        write!(formatter, "; {terms} words as {stems}")?;
        if *stop_words {
            write!(formatter, ", without English stop words")?;
        }
        if let Some(EncoderEntry { folder, step, width, .. }) = encoder {
            write!(formatter, "; vectors of {width} numbers by {} after {step} steps", folder.display())?;
        }
        if let Some((points, recall)) = graph {
            let recall = recall.map_or_else(String::new, |recall| format!(", recall@10 {recall:.3}"));
            write!(formatter, "; a graph of {points} of them{recall}")?;
        }
        segments.map_or(Ok(()), |segments| write!(formatter, "; {segments} segments"))
    }
}
