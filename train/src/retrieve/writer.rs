//! Adding documents to an index, and removing them.
//!
//! ```text
//! rows -> passages -> a segment's worth of them, by id -> segments/NAME -> index.json, by rename
//!      documents that were there before are replaced: their segments are written anew without them
//! ```
//!
//! What was published is in, whatever becomes of the program; a command that is given again replaces what it had added, so that nothing is there
//! twice. An index is built at once: it is published when all of it is there. One program writes at a time, and those that search see one version.
//!
//! Cost: memory for one segment, and some 150 bytes a document.

use std::{
    collections::{BTreeSet, HashMap},
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use kernels::graph::GraphConfig;
use system::FolderLock;
use xxhash_rust::xxh3::xxh3_128;

use super::{
    analysis::{Analysis, AnalysisConfig},
    encoder::{EncoderEntry, PassageEncoder},
    folders::{Kind, segment_folder},
    graph_file::GraphEntry,
    graph_update::GraphUpdate,
    index::{lock, no_index},
    intake::{Added, MOST_BYTES, MOST_PASSAGES, NO_ENCODER, Removed, take_documents, vectors_of},
    manifest::{Manifest, SegmentEntry},
    passage::{Passage, PassagesConfig},
    segment::{self, Row},
};
use crate::error::{Error, Result};

/// Segments that are not full, at most, before they are put together.
const MOST_PARTIAL: usize = 8;

/// An index that is open to be written.
#[derive(Debug)]
pub struct IndexWriter {
    folder: PathBuf,
    manifest: Manifest,
    analysis: Analysis,
    /// What gives passages vectors; none where they have none, or where no passage is added.
    encoder: Option<Box<dyn PassageEncoder>>,
    /// How a graph of its vectors is made; none where it has none.
    graph: Option<GraphConfig>,
    /// The segment that each document is in, by the hash of its id.
    documents: HashMap<u128, Arc<str>>,
    /// Segments of an index that is built, and is not published yet.
    unpublished: Option<Vec<SegmentEntry>>,
    _lock: FolderLock,
}

impl IndexWriter {
    /// Makes an index in a folder. It is there once documents are added.
    ///
    /// - `with_graph`: whether it keeps a graph of its vectors
    ///
    /// # Errors
    /// When there is an index with something in it, something else is there, or the folder cannot be written.
    pub fn create(
        folder: &Path,
        analysis: AnalysisConfig,
        passages: PassagesConfig,
        encoder: Option<Box<dyn PassageEncoder>>,
        with_graph: bool,
    ) -> Result<Self> {
        let mut manifest = Manifest::new(analysis, passages, encoder.as_ref().map(|encoder| encoder.entry().clone()));
        let fault = |message: &str| Error::Data { path: folder.to_owned(), message: message.into() };
        let lock = lock(folder)?;
        match Manifest::read(folder)? {
            Some(manifest) if !manifest.segments.is_empty() => {
                return Err(fault("there is an index: `train index add` adds to it, and another folder takes another"));
            }
            Some(empty) => manifest.version = empty.version,
            None if is_empty(folder)? => {}
            None => return Err(fault("there is something else: an index is made in a folder of its own")),
        }
        let mut writer = Self::with(folder, manifest, encoder, lock)?;
        writer.unpublished = Some(Vec::new());
        writer.graph = with_graph.then(GraphConfig::default);
        Ok(writer)
    }

    /// Opens the index in a folder.
    ///
    /// # Errors
    /// When there is none, another program writes it, or a file of it is damaged; when its vectors are those of another encoder.
    ///
    /// - `encoder`: what gave its passages their vectors; those of an index without one need none, and neither does removing
    pub fn open(folder: &Path, encoder: Option<Box<dyn PassageEncoder>>) -> Result<Self> {
        let read = || Manifest::read(folder)?.ok_or_else(|| no_index(folder));
        // nothing is made where there is no index, and nothing is read that another program may still replace
        read()?;
        let lock = lock(folder)?;
        let mut manifest = read()?;
        if let (Some(there), Some(encoder)) = (&mut manifest.encoder, &encoder) {
            there.hold(encoder.entry())?;
            // where it is now
            there.folder.clone_from(&encoder.entry().folder);
        }
        Self::with(folder, manifest, encoder, lock)
    }

    fn with(
        folder: &Path,
        manifest: Manifest,
        encoder: Option<Box<dyn PassageEncoder>>,
        lock: FolderLock,
    ) -> Result<Self> {
        let (folder, analysis) = (folder.to_owned(), Analysis::new(manifest.analysis));
        let graph = manifest.graph.as_ref().map(GraphEntry::config);
        let documents = HashMap::new();
        let mut writer = Self { folder, manifest, analysis, encoder, graph, documents, unpublished: None, _lock: lock };
        writer.remove_remains();
        writer.find_documents()?;
        Ok(writer)
    }

    /// Finds the segment of each document: those that are known, and whose segment is there, are not read again.
    fn find_documents(&mut self) -> Result<()> {
        let Self { folder, manifest, documents, .. } = self;
        let names: BTreeSet<&str> = manifest.segments.iter().map(|entry| entry.name.as_str()).collect();
        documents.retain(|_, segment| names.contains(&**segment));
        let known: BTreeSet<Arc<str>> = documents.values().cloned().collect();
        for entry in manifest.segments.iter().filter(|entry| !known.contains(entry.name.as_str())) {
            let name: Arc<str> = entry.name.as_str().into();
            segment::read_documents(&segment_folder(folder, &entry.name), |document| {
                documents.insert(xxh3_128(document.as_bytes()), Arc::clone(&name));
            })?;
        }
        Ok(())
    }

    /// Adds the documents of files; a document whose id is there already is replaced, and removed where it has no word any more.
    ///
    /// # Errors
    /// When a row cannot be read, has an id that cannot be said again, or the id of another row that says something else: it is named. What was
    /// published by then stays.
    pub fn add(&mut self, files: &[PathBuf], note: &mut dyn FnMut(&str)) -> Result<Added> {
        let cut = self.manifest.passages;
        let (mut added, empty) =
            take_documents(files, cut, note, |passages, added, note| self.publish(passages, added, note))?;
        if let Some(segments) = self.unpublished.take() {
            let graph = self.graph_of(&segments, note)?;
            self.put(self.manifest.next(segments, graph))?;
        }
        let hashes = empty.iter().map(|document| xxh3_128(document.as_bytes()));
        let emptied: BTreeSet<u128> = hashes.filter(|hash| self.documents.contains_key(hash)).collect();
        added.emptied = emptied.len();
        let left = self.without(&emptied)?;
        self.replace(left)?;
        self.put_together()?;
        self.update_graph(note)?;
        Ok(added)
    }

    /// Removes documents by their ids.
    ///
    /// - `note`: is told how far it is
    ///
    /// # Errors
    /// When a segment cannot be read or written.
    pub fn remove(&mut self, ids: &BTreeSet<String>, note: &mut dyn FnMut(&str)) -> Result<Removed> {
        let hashes: Vec<u128> = ids.iter().map(|id| xxh3_128(id.as_bytes())).collect();
        let known = hashes.iter().filter(|hash| self.documents.contains_key(hash)).count();
        let segments = self.without(&hashes.into_iter().collect())?;
        self.replace(segments)?;
        self.put_together()?;
        self.update_graph(note)?;
        Ok(Removed { documents: known, unknown: ids.len() - known })
    }

    /// Publishes passages as a segment, in the place of what was there of their documents.
    fn publish(&mut self, passages: Vec<Passage>, added: &mut Added, note: &mut dyn FnMut(&str)) -> Result<()> {
        let hashes: BTreeSet<u128> = passages.iter().map(|passage| xxh3_128(passage.document.as_bytes())).collect();
        let rows = self.with_vectors(passages, added, note)?;
        if self.unpublished.is_some() {
            let entry = self.write(rows)?;
            self.unpublished.iter_mut().for_each(|segments| segments.push(entry.clone()));
            return Ok(());
        }
        let replaced = hashes.iter().filter(|hash| self.documents.contains_key(hash)).count();
        let mut segments = self.without(&hashes)?;
        segments.push(self.write(rows)?);
        added.replaced += replaced;
        self.replace(segments)
    }

    /// Passages with their vectors, if those of the index have such.
    fn with_vectors(&self, passages: Vec<Passage>, added: &mut Added, note: &mut dyn FnMut(&str)) -> Result<Vec<Row>> {
        let Some(EncoderEntry { width, .. }) = self.manifest.encoder else {
            let row = |passage| Row { passage, vector: Box::default() };
            return Ok(passages.into_iter().map(row).collect());
        };
        let Some(encoder) = &self.encoder else {
            return Err(Error::Data { path: self.folder.clone(), message: NO_ENCODER.into() });
        };
        let vectors = vectors_of(&**encoder, &passages, added, note)?;
        let row = |(passage, vector): (Passage, &[f32])| Row { passage, vector: vector.into() };
        Ok(passages.into_iter().zip(vectors.chunks(width)).map(row).collect())
    }

    fn width(&self) -> Option<usize> {
        self.manifest.encoder.as_ref().map(|encoder| encoder.width)
    }

    /// The segments without some documents: those that had one are written anew.
    fn without(&self, documents: &BTreeSet<u128>) -> Result<Vec<SegmentEntry>> {
        let touched: BTreeSet<&str> =
            documents.iter().filter_map(|hash| self.documents.get(hash)).map(|name| &**name).collect();
        let mut segments = Vec::with_capacity(self.manifest.segments.len());
        for entry in &self.manifest.segments {
            if !touched.contains(entry.name.as_str()) {
                segments.push(entry.clone());
                continue;
            }
            let mut left = Vec::new();
            let folder = segment_folder(&self.folder, &entry.name);
            segment::read_all(&folder, entry.passages, self.width(), |row| {
                if !documents.contains(&xxh3_128(row.passage.document.as_bytes())) {
                    left.push(row);
                }
            })?;
            if !left.is_empty() {
                segments.push(self.write(left)?);
            }
        }
        Ok(segments)
    }

    /// Puts segments that are not full together, where there are many.
    fn put_together(&mut self) -> Result<()> {
        let is_partial = |entry: &&SegmentEntry| entry.passages < MOST_PASSAGES / 2 && entry.bytes < MOST_BYTES / 2;
        if self.manifest.segments.iter().filter(is_partial).count() <= MOST_PARTIAL {
            return Ok(());
        }
        let (partial, mut segments): (Vec<SegmentEntry>, Vec<SegmentEntry>) =
            self.manifest.segments.iter().cloned().partition(|entry| is_partial(&entry));
        let (mut rows, mut bytes) = (Vec::new(), 0);
        for entry in partial {
            segment::read_all(&segment_folder(&self.folder, &entry.name), entry.passages, self.width(), |row| {
                bytes += row.passage.bytes();
                rows.push(row);
            })?;
            if rows.len() >= MOST_PASSAGES / 2 || bytes >= MOST_BYTES / 2 {
                segments.push(self.write(std::mem::take(&mut rows))?);
                bytes = 0;
            }
        }
        if !rows.is_empty() {
            segments.push(self.write(rows)?);
        }
        self.replace(segments)
    }

    /// Writes a segment; it is no part of the index yet.
    fn write(&self, mut rows: Vec<Row>) -> Result<SegmentEntry> {
        rows.sort_unstable_by(|one, other| one.passage.id.cmp(&other.passage.id));
        let write = |folder: &Path| segment::write(folder, &rows, &self.analysis);
        let (name, files) = Kind::Segment.publish(&self.folder, self.manifest.version + 1, write)?;
        let bytes = rows.iter().map(|row| row.passage.bytes()).sum();
        Ok(SegmentEntry { name, passages: rows.len(), bytes, files })
    }

    /// Lets the graph of vectors keep up with segments, if there is one.
    fn update_graph(&mut self, note: &mut dyn FnMut(&str)) -> Result<()> {
        let segments = self.manifest.segments.clone();
        let graph = self.graph_of(&segments, note)?;
        self.publish_version(segments, graph)
    }

    /// The graph of an index of some segments; it is no part of the index yet.
    fn graph_of(&self, segments: &[SegmentEntry], note: &mut dyn FnMut(&str)) -> Result<Option<GraphEntry>> {
        let (Some(config), Some(width)) = (self.graph, self.width()) else { return Ok(None) };
        let update = GraphUpdate { index: &self.folder, version: self.manifest.version + 1, segments, width };
        update.run(self.manifest.graph.as_ref(), config, note).map(Some)
    }

    /// Publishes a version of other segments, and removes what is no part of it.
    fn replace(&mut self, segments: Vec<SegmentEntry>) -> Result<()> {
        let graph = self.manifest.graph.clone();
        self.publish_version(segments, graph)
    }

    /// Publishes a version of other segments, or another graph, and removes what is no part of it.
    fn publish_version(&mut self, segments: Vec<SegmentEntry>, graph: Option<GraphEntry>) -> Result<()> {
        if segments == self.manifest.segments && graph == self.manifest.graph {
            return Ok(());
        }
        self.put(self.manifest.next(segments, graph))
    }

    /// Publishes a version, and removes what is no part of it.
    fn put(&mut self, manifest: Manifest) -> Result<()> {
        manifest.publish(&self.folder)?;
        self.manifest = manifest;
        self.remove_remains();
        self.find_documents()
    }

    /// Removes what is no part of the index.
    fn remove_remains(&self) {
        let Self { folder, manifest, .. } = self;
        Kind::Segment.remove_others(folder, |name| manifest.segments.iter().any(|entry| entry.name == name));
        Kind::Graph.remove_others(folder, |name| manifest.graph.as_ref().is_some_and(|graph| graph.is_in(name)));
    }
}

/// Whether nothing is in a folder but the file that locks it, and what a build that was stopped has left.
fn is_empty(folder: &Path) -> Result<bool> {
    let entries = fs::read_dir(folder).map_err(Error::file("list", folder))?;
    let is_left =
        |path: &Path| Kind::ALL.into_iter().any(|kind| kind.parent(folder) == path && kind.has_own_alone(folder));
    Ok(entries.flatten().all(|entry| entry.file_name() == ".lock" || is_left(&entry.path())))
}
