//! Indexes that are written: with the encoders that give passages vectors, where there are such.

use std::path::{Path, PathBuf};

use super::{searcher::encoder_of, trained_encoder::TrainedEncoder};
use crate::{
    checkpoint::Which,
    device::DeviceName,
    error::{Error, Result},
    retrieve::{Added, AnalysisConfig, Index, IndexWriter, PassageEncoder, PassagesConfig},
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
    folder: &Path,
    (analysis, passages): (AnalysisConfig, PassagesConfig),
    encoder: &EncoderOptions,
    files: &[PathBuf],
    note: &mut dyn FnMut(&str),
) -> Result<Added> {
    let EncoderOptions { folder: of_encoder, which, device, with_graph } = encoder;
    let encoder = of_encoder.as_ref().map(|folder| TrainedEncoder::load(folder, *which, *device)).transpose()?;
    let encoder = encoder.map(|encoder| Box::new(encoder) as Box<dyn PassageEncoder>);
    IndexWriter::create(folder, analysis, passages, encoder, *with_graph)?.add(files, note)
}

/// Adds documents to an index.
///
/// - `encoder`: where the encoders are that gave its passages vectors, if that is no longer where they were; the checkpoint is the one that did
/// - `note`: is told how far it is
///
/// # Errors
/// When a file cannot be read or written, a row is at fault, or the encoders are others: it is named.
pub fn add(folder: &Path, encoder: &EncoderOptions, files: &[PathBuf], note: &mut dyn FnMut(&str)) -> Result<Added> {
    let moved = encoder.folder.as_deref();
    let entry = Index::encoder_of(folder)?;
    if entry.is_none() && moved.is_some() {
        let message = "its passages have no vectors: build another index by these encoders".to_owned();
        return Err(Error::Data { path: folder.to_owned(), message });
    }
    let encoder = entry.map(|entry| encoder_of(&entry, moved, encoder.device)).transpose()?;
    let encoder = encoder.map(|encoder| Box::new(encoder) as Box<dyn PassageEncoder>);
    IndexWriter::open(folder, encoder)?.add(files, note)
}
