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
    fmt, fs,
    ops::Range,
    path::{Path, PathBuf},
    sync::Arc,
};

use kernels::graph::GraphConfig;
use system::FolderLock;
use xxhash_rust::xxh3::{Xxh3, xxh3_128};

use super::{
    analysis::{Analysis, AnalysisConfig},
    encoder::{EncoderEntry, PassageEncoder},
    folders::{Kind, segment_folder},
    graph_file::GraphEntry,
    graph_update::GraphUpdate,
    index::{lock, no_index},
    manifest::{Manifest, SegmentEntry},
    passage::{Passage, PassagesConfig},
    segment::{self, Row},
};
use crate::{
    data::{SourceRow, SourceRows},
    error::{Error, Result},
};

/// Passages of a segment, at most.
const MOST_PASSAGES: usize = 1 << 17;

/// Bytes of texts of a segment, about, at most.
const MOST_BYTES: usize = 128 << 20;

/// Passages that an encoder is given together.
const ENCODED: usize = 1024;

/// Passages with vectors between two lines that say how far it is.
const TOLD: usize = 16 * ENCODED;

/// Segments that are not full, at most, before they are put together.
const MOST_PARTIAL: usize = 8;

/// What became of documents that were added.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Added {
    /// Documents that are in the index now.
    pub documents: usize,
    /// Their passages.
    pub passages: usize,
    /// Of them, documents that were there before with another text, or the same.
    pub replaced: usize,
    /// Rows that repeat one before them.
    pub repeated: usize,
    /// Rows without a word.
    pub empty: usize,
    /// Of them, those of documents that had words before, and are there no more.
    pub emptied: usize,
    /// Passages whose vectors are of their beginning alone, since they are longer than the encoder's context.
    pub cut: usize,
}

/// What became of documents that were to be removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Removed {
    /// Documents that were there, and are not any more.
    pub documents: usize,
    /// Ids that were not there.
    pub unknown: usize,
}

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
    /// Makes an index in a folder. It is there once the first documents are added.
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
        let manifest = Manifest::new(analysis, passages, encoder.as_ref().map(|encoder| encoder.entry().clone()));
        let fault = |message: &str| Error::Data { path: folder.to_owned(), message: message.into() };
        let lock = lock(folder)?;
        match Manifest::read(folder)? {
            Some(manifest) if !manifest.segments.is_empty() => {
                return Err(fault("there is an index: `train index add` adds to it, and another folder takes another"));
            }
            Some(_) => manifest.publish(folder)?,
            None if is_empty(folder)? => manifest.publish(folder)?,
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
        let mut added = Added::default();
        // what the row of each document says, by their hashes
        let mut seen: HashMap<u128, u128> = HashMap::new();
        let mut emptied: BTreeSet<u128> = BTreeSet::new();
        let (mut passages, mut bytes) = (Vec::new(), 0);
        for path in files {
            let mut rows = SourceRows::open(path)?;
            while let Some(few) = rows.next_few()? {
                for row in few {
                    let (number, hash) = (row.number, row_hash(&row));
                    let document = document_id(&row, hash).map_err(|message| rows.fault(number, &message))?;
                    let id = xxh3_128(document.as_bytes());
                    match seen.insert(id, hash) {
                        None => {}
                        Some(before) if before == hash => {
                            added.repeated += 1;
                            continue;
                        }
                        Some(_) => {
                            let message =
                                format!("the id {document} is that of a row before it, which says something else");
                            return Err(rows.fault(number, &message));
                        }
                    }
                    let own = self.passages(&row, &document);
                    if own.is_empty() {
                        added.empty += 1;
                        if self.documents.contains_key(&id) {
                            emptied.insert(id);
                        }
                        continue;
                    }
                    added.documents += 1;
                    added.passages += own.len();
                    bytes += own.iter().map(Passage::bytes).sum::<usize>();
                    passages.extend(own);
                    if passages.len() >= MOST_PASSAGES || bytes >= MOST_BYTES {
                        self.publish(std::mem::take(&mut passages), &mut added, note)?;
                        note(&format!("{} documents, {} passages", added.documents, added.passages));
                        bytes = 0;
                    }
                }
            }
            if rows.lost() > 0 {
                note(&format!("{}: {} bytes are lost", path.display(), rows.lost()));
            }
        }
        if !passages.is_empty() {
            self.publish(passages, &mut added, note)?;
        }
        if let Some(segments) = self.unpublished.take() {
            let graph = self.graph_of(&segments, note)?;
            self.publish_version(segments, graph)?;
        }
        added.emptied = emptied.len();
        let left = self.without(&emptied)?;
        self.replace(left)?;
        self.put_together()?;
        self.update_graph(note)?;
        Ok(added)
    }

    /// The passages of a row; none where it has no word.
    fn passages(&self, row: &SourceRow, document: &str) -> Vec<Passage> {
        let ranges = self.manifest.passages.cut(&row.text);
        let is_cut = self.manifest.passages.words.is_some();
        let passage = |range: Range<usize>| Passage {
            id: if is_cut { format!("{document}:{}-{}", range.start, range.end) } else { document.to_owned() },
            document: document.to_owned(),
            begin: range.start as u64,
            end: range.end as u64,
            title: row.title.clone(),
            text: row.text[range].to_owned(),
            source: row.source.clone(),
            date: row.date.clone(),
            language: row.language.clone(),
        };
        ranges.into_iter().map(passage).collect()
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
            let message = "its passages have vectors, and no encoder is there that could give some to others".into();
            return Err(Error::Data { path: self.folder.clone(), message });
        };
        let mut vectors = Vec::with_capacity(passages.len() * width);
        let mut told = 0;
        for few in passages.chunks(ENCODED) {
            let texts: Vec<String> = few.iter().map(Passage::searched).collect();
            let found = encoder.passages(&texts.iter().map(String::as_str).collect::<Vec<_>>())?;
            if let Some(place) = found.numbers.iter().position(|number| !number.is_finite()) {
                let id = &few[place / width].id;
                let message = format!("a number of the vector that it gives passage {id} is not finite");
                return Err(Error::Data { path: encoder.entry().folder.clone(), message });
            }
            vectors.extend(found.numbers);
            added.cut += found.cut;
            let done = vectors.len() / width;
            if done / TOLD > told {
                told = done / TOLD;
                note(&format!("{done} of {} passages have vectors", passages.len()));
            }
        }
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
        let manifest = self.manifest.next(segments, graph);
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

/// Whether nothing is in a folder but the file that locks it.
fn is_empty(folder: &Path) -> Result<bool> {
    let entries = fs::read_dir(folder).map_err(Error::file("list", folder))?;
    Ok(entries.flatten().all(|entry| entry.file_name() == ".lock"))
}

/// The hash of what a row says, but for its id.
fn row_hash(row: &SourceRow) -> u128 {
    let SourceRow { title, text, source, date, language, .. } = row;
    let mut hash = Xxh3::new();
    for part in [Some(title), Some(text), source.as_ref(), date.as_ref(), language.as_ref()] {
        hash.update(&part.map_or(u64::MAX, |part| part.len() as u64).to_le_bytes());
        hash.update(part.map_or(&[][..], String::as_bytes));
    }
    hash.digest128()
}

/// The id of a row's document: its own, or its hash; or why it could not be said again.
fn document_id(row: &SourceRow, hash: u128) -> Result<String, String> {
    match &row.id {
        None => Ok(format!("{hash:032x}")),
        Some(id) if id.is_empty() => Err("its id is empty".into()),
        Some(id) if id.trim() != id || id.contains(char::is_control) => {
            Err(format!("its id {id:?} has white space around it, or control characters"))
        }
        Some(id) => Ok(id.clone()),
    }
}

/// In a line.
impl fmt::Display for Added {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { documents, passages, replaced, repeated, empty, emptied, cut } = self;
        write!(formatter, "{documents} documents in {passages} passages")?;
        for (count, what) in [
            (replaced, "were there and are replaced"),
            (repeated, "repeat one before them and are left out"),
            (empty, "have no word and are left out"),
            (emptied, "of these were there and are removed"),
            (cut, "passages are longer than the encoder's context, and their vectors are of their beginning"),
        ] {
            if *count > 0 {
                write!(formatter, "; {count} {what}")?;
            }
        }
        Ok(())
    }
}

/// In a line.
impl fmt::Display for Removed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { documents, unknown } = self;
        write!(formatter, "{documents} documents are removed")?;
        if *unknown > 0 { write!(formatter, "; {unknown} ids were not there") } else { Ok(()) }
    }
}
