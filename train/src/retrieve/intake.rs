//! Documents out of files, as passages with their vectors, some at a time: what every store of an index takes in.

use std::{
    collections::{BTreeSet, HashMap},
    fmt,
    ops::Range,
    path::PathBuf,
};

use xxhash_rust::xxh3::{Xxh3, xxh3_128};

use super::{
    encoder::PassageEncoder,
    passage::{Passage, PassagesConfig},
};
use crate::{
    data::{SourceRow, SourceRows},
    error::{Error, Result},
};

/// Passages that are taken in together, at most: those of a segment.
pub(super) const MOST_PASSAGES: usize = 1 << 17;

/// Bytes of their texts, about, at most.
pub(super) const MOST_BYTES: usize = 128 << 20;

/// Why passages cannot be added to an index whose passages have vectors.
pub(super) const NO_ENCODER: &str = "its passages have vectors, and no encoder is there that could give some to others";

/// Passages that an encoder is given together.
const ENCODED: usize = 1024;

/// Passages with vectors between two lines that say how far it is.
const TOLD: usize = 16 * ENCODED;

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

/// Takes the documents of files, and gives their passages on, as many as fit into a segment each time.
///
/// - `publish`: takes passages; what has the id of a document that is there takes its place
/// - returns: what became of them, but for what `publish` counts, and the ids of rows that have no word
///
/// # Errors
/// When a row cannot be read, has an id that cannot be said again, or the id of another row that says something else: it is named. What was
/// published by then stays.
pub(super) fn take_documents(
    files: &[PathBuf],
    cut: PassagesConfig,
    note: &mut dyn FnMut(&str),
    mut publish: impl FnMut(Vec<Passage>, &mut Added, &mut dyn FnMut(&str)) -> Result<()>,
) -> Result<(Added, BTreeSet<String>)> {
    let mut added = Added::default();
    // what the row of each document says, by their hashes
    let mut seen: HashMap<u128, u128> = HashMap::new();
    let mut empty = BTreeSet::new();
    let (mut passages, mut bytes) = (Vec::new(), 0);
    for path in files {
        let mut rows = SourceRows::open(path)?;
        while let Some(few) = rows.next_few()? {
            for row in few {
                let (number, hash) = (row.number, row_hash(&row));
                let document = document_id(&row, hash).map_err(|message| rows.fault(number, &message))?;
                match seen.insert(xxh3_128(document.as_bytes()), hash) {
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
                let own = passages_of(cut, &row, &document);
                if own.is_empty() {
                    added.empty += 1;
                    empty.insert(document);
                    continue;
                }
                added.documents += 1;
                added.passages += own.len();
                bytes += own.iter().map(Passage::bytes).sum::<usize>();
                passages.extend(own);
                if passages.len() >= MOST_PASSAGES || bytes >= MOST_BYTES {
                    publish(std::mem::take(&mut passages), &mut added, note)?;
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
        publish(passages, &mut added, note)?;
    }
    Ok((added, empty))
}

/// The passages of a row; none where it has no word.
fn passages_of(cut: PassagesConfig, row: &SourceRow, document: &str) -> Vec<Passage> {
    let is_cut = cut.words.is_some();
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
    cut.cut(&row.text).into_iter().map(passage).collect()
}

/// The vectors of passages, with their titles before them: `[passages, width]`.
///
/// # Errors
/// When the encoder cannot read them, or gives what is no number: the passage is named.
pub(super) fn vectors_of(
    encoder: &dyn PassageEncoder,
    passages: &[Passage],
    added: &mut Added,
    note: &mut dyn FnMut(&str),
) -> Result<Vec<f32>> {
    let width = encoder.entry().width;
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
    Ok(vectors)
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
