//! The ids of one file's documents on disk, in a shape of our own.
//!
//! ```text
//! ids          2 bytes each where all fit, else 4; little-endian; every document but a conversation ends with the end of a text
//! documents    20 bytes each: where its ids end (8), how many are its prompt's (4), the hash of its text (8)
//! runs         4 bytes each, of conversations alone: the number of the document, how many runs it has, and their lengths
//! summary      JSON: format, tokenizer, source, width, counts, and XXH3-128 of all before it
//! length       of the summary (8), and the word `tamistok`
//! ```
//!
//! The summary stands at the end so that ids can be written as they come. A file is checked as a whole when it is opened, and read
//! by offset from then on: batches need few ids at a time and in no order, the system keeps those in memory that are
//! used, and a corpus may be larger than memory. Of each document, 20 bytes are held.

use std::{
    fs::File,
    io::{BufReader, Read as _, Seek as _, SeekFrom, Write as _},
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use serde::{Deserialize, Serialize};
use system::AtomicFile;
use xxhash_rust::xxh3::Xxh3;

use super::runs::Conversations;
use crate::error::{Error, Result};

/// The version of the format; another is made again.
const FORMAT: u32 = 2;
const WORD: &[u8; 8] = b"tamistok";
const ENTRY: usize = 20;
/// Bytes of a number in the part on conversations.
const WORD_SIZE: usize = 4;

/// What a file of ids was made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Made {
    /// The tokenizer's fingerprint.
    pub tokenizer: String,
    /// SHA-256 of the documents' file.
    pub source: String,
}

/// What is known of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    /// Ids until its end, it and those before it.
    pub end: u64,
    /// Ids of its prompt.
    pub prompt: u32,
    /// XXH3-64 of its text.
    pub hash: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Summary {
    format: u32,
    made: Made,
    width: usize,
    ids: u64,
    documents: u64,
    /// Numbers of the part on conversations, which the first format did not have.
    #[serde(default)]
    runs: u64,
    /// Bytes of the documents' file that were lost; not there where none were.
    #[serde(default, skip_serializing_if = "is_zero")]
    lost: u64,
    xxh3: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// What was lost is a part of what the hash is of.
fn hash_lost(hash: &mut Xxh3, lost: u64) {
    if lost > 0 {
        hash.update(&lost.to_le_bytes());
    }
}

/// A file of ids that is being written; it appears at its path when it is whole.
pub(super) struct TokenFileWriter {
    file: AtomicFile,
    hash: Box<Xxh3>,
    vocab_size: usize,
    width: usize,
    ids: u64,
    entries: Vec<u8>,
    conversations: Conversations,
    buffer: Vec<u8>,
}

impl TokenFileWriter {
    /// Begins a file of ids below `vocab_size`.
    pub(super) fn create(path: &Path, vocab_size: usize) -> Result<Self> {
        Ok(Self {
            file: AtomicFile::create(path)?,
            hash: Box::default(),
            vocab_size,
            width: if vocab_size <= 1 << 16 { 2 } else { 4 },
            ids: 0,
            entries: Vec::new(),
            conversations: Conversations::default(),
            buffer: Vec::new(),
        })
    }

    /// Adds a document, whose first `prompt` ids are its prompt's.
    ///
    /// # Errors
    /// When the file cannot be written, or an id is beyond the vocabulary.
    pub(super) fn push(&mut self, ids: &[u32], prompt: usize, hash: u64) -> Result<()> {
        self.buffer.clear();
        for id in ids {
            if *id as usize >= self.vocab_size {
                let message = format!("id {id} is beyond its {} tokens", self.vocab_size);
                return Err(Error::Tokenizer(message));
            }
            self.buffer.extend_from_slice(&id.to_le_bytes()[..self.width]);
        }
        self.ids += ids.len() as u64;
        self.entries.extend_from_slice(&self.ids.to_le_bytes());
        self.entries.extend_from_slice(&u32::try_from(prompt).unwrap_or(u32::MAX).to_le_bytes());
        self.entries.extend_from_slice(&hash.to_le_bytes());
        self.hash.update(&self.buffer);
        self.file.write_all(&self.buffer).map_err(Error::file("write", self.file.path()))
    }

    /// Adds a conversation.
    ///
    /// - `runs`: how its ids are without loss and with it, in turn; they add up to all of them
    ///
    /// # Errors
    /// As [`Self::push`].
    pub(super) fn push_conversation(&mut self, ids: &[u32], runs: &[u32], hash: u64) -> Result<()> {
        let number = u32::try_from(self.entries.len() / ENTRY).expect("a file has fewer documents");
        self.conversations.push(number, runs);
        self.push(ids, runs.first().map_or(0, |prompt| *prompt as usize), hash)
    }

    /// Ends the file and gives it its name.
    ///
    /// - `lost`: bytes of the documents' file that could not be read
    pub(super) fn finish(mut self, made: Made, lost: u64) -> Result<()> {
        let runs = self.conversations.words();
        self.entries.extend(runs.iter().flat_map(|word| word.to_le_bytes()));
        self.hash.update(&self.entries);
        hash_lost(&mut self.hash, lost);
        let summary = Summary {
            format: FORMAT,
            made,
            width: self.width,
            ids: self.ids,
            documents: ((self.entries.len() - size_of_val(&runs[..])) / ENTRY) as u64,
            runs: runs.len() as u64,
            lost,
            xxh3: format!("{:032x}", self.hash.digest128()),
        };
        let mut tail = serde_json::to_vec(&summary).expect("a summary is JSON");
        tail.extend_from_slice(&(tail.len() as u64).to_le_bytes());
        tail.extend_from_slice(WORD);
        let written = self.file.write_all(&self.entries).and_then(|()| self.file.write_all(&tail));
        written.map_err(Error::file("write", self.file.path()))?;
        Ok(self.file.publish()?)
    }
}

/// A file of ids that is whole. Copies share it.
#[derive(Debug, Clone)]
pub(super) struct TokenFile {
    ids: Arc<Ids>,
    entries: Arc<[Entry]>,
    conversations: Arc<Conversations>,
    lost: u64,
}

/// The ids of a file.
#[derive(Debug)]
pub(super) struct Ids {
    path: PathBuf,
    file: File,
    width: usize,
}

impl TokenFile {
    /// Opens a file, and makes sure that it was made of what it should be and holds what was written.
    ///
    /// # Errors
    /// When it is missing, cut short, changed, or made of something else: [`Error::Damaged`] says which.
    pub(super) fn open(path: &Path, made: &Made) -> Result<Self> {
        let damaged = |message: String| Error::Damaged { path: path.to_owned(), message };
        let read = Error::file("read", path);
        let mut file = File::open(path).map_err(read)?;
        let summary = summary(&mut file, path)?;
        if summary.made != *made || summary.format != FORMAT || !matches!(summary.width, 2 | 4) {
            return Err(damaged("it was made by another tokenizer, of another file, or by another program".into()));
        }

        file.rewind().map_err(Error::file("read", path))?;
        let mut reader = BufReader::with_capacity(1 << 20, &file);
        let mut hash = Xxh3::new();
        let mut left = summary.ids * summary.width as u64;
        let mut buffer = vec![0; 1 << 20];
        while left > 0 {
            let count = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
            reader.read_exact(&mut buffer[..count]).map_err(Error::file("read", path))?;
            hash.update(&buffer[..count]);
            left -= count as u64;
        }
        let mut entries = Vec::new();
        for _ in 0..summary.documents {
            let mut bytes = [0; ENTRY];
            reader.read_exact(&mut bytes).map_err(Error::file("read", path))?;
            hash.update(&bytes);
            entries.push(entry(bytes));
        }
        let mut runs = Vec::new();
        for _ in 0..summary.runs {
            let mut bytes = [0; WORD_SIZE];
            reader.read_exact(&mut bytes).map_err(Error::file("read", path))?;
            hash.update(&bytes);
            runs.push(u32::from_le_bytes(bytes));
        }
        hash_lost(&mut hash, summary.lost);
        let found = format!("{:032x}", hash.digest128());
        if found != summary.xxh3 {
            return Err(damaged("its bytes are not those that were written".into()));
        }
        let conversations = Conversations::from_words(&runs)
            .ok_or_else(|| damaged("its runs of ids with loss are not whole".into()))?
            .into();
        let ids = Arc::new(Ids { path: path.to_owned(), file, width: summary.width });
        Ok(Self { ids, entries: entries.into(), conversations, lost: summary.lost })
    }

    /// What is known of its documents, in their order.
    pub(super) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The runs of those that are conversations.
    pub(super) fn conversations(&self) -> &Conversations {
        &self.conversations
    }

    /// Bytes of the documents' file that were lost.
    pub(super) fn lost(&self) -> u64 {
        self.lost
    }

    /// Its ids, for whoever has taken note of the documents.
    pub(super) fn ids(&self) -> Arc<Ids> {
        Arc::clone(&self.ids)
    }
}

impl Ids {
    /// Reads `ids.len()` ids from place `from` on.
    ///
    /// # Errors
    /// When the file cannot be read there.
    pub(super) fn read(&self, from: u64, ids: &mut [u32]) -> Result<()> {
        let mut bytes = vec![0; ids.len() * self.width];
        let offset = from * self.width as u64;
        self.file.read_exact_at(&mut bytes, offset).map_err(Error::file("read", &self.path))?;
        for (id, bytes) in ids.iter_mut().zip(bytes.chunks_exact(self.width)) {
            let mut whole = [0; 4];
            whole[..self.width].copy_from_slice(bytes);
            *id = u32::from_le_bytes(whole);
        }
        Ok(())
    }
}

/// The summary at the end of a file, whose counts agree with the file's length.
fn summary(file: &mut File, path: &Path) -> Result<Summary> {
    let cut = || Error::Damaged { path: path.to_owned(), message: "it has no end: it was cut short".into() };
    let size = file.metadata().map_err(Error::file("read", path))?.len();
    let mut last = [0; 16];
    let before_last = size.checked_sub(16).ok_or_else(cut)?;
    file.seek(SeekFrom::Start(before_last))
        .and_then(|_| file.read_exact(&mut last))
        .map_err(Error::file("read", path))?;
    let (length, word) = last.split_at(8);
    if word != WORD {
        return Err(cut());
    }
    let length = u64::from_le_bytes(length.try_into().expect("eight bytes"));
    let start = before_last.checked_sub(length).ok_or_else(cut)?;
    let mut json = vec![0; usize::try_from(length).map_err(|_| cut())?];
    file.seek(SeekFrom::Start(start)).and_then(|_| file.read_exact(&mut json)).map_err(Error::file("read", path))?;
    let summary: Summary = serde_json::from_slice(&json).map_err(|_| cut())?;
    let ids = summary.ids.checked_mul(summary.width as u64);
    let entries = summary.documents.checked_mul(ENTRY as u64);
    let runs = summary.runs.checked_mul(WORD_SIZE as u64);
    let all = ids.zip(entries).zip(runs);
    match all.and_then(|((ids, entries), runs)| ids.checked_add(entries)?.checked_add(runs)) {
        Some(expected) if expected == start => Ok(summary),
        _ => Err(cut()),
    }
}

fn entry(bytes: [u8; ENTRY]) -> Entry {
    let (end, rest) = bytes.split_at(8);
    let (prompt, hash) = rest.split_at(4);
    Entry {
        end: u64::from_le_bytes(end.try_into().expect("eight bytes")),
        prompt: u32::from_le_bytes(prompt.try_into().expect("four bytes")),
        hash: u64::from_le_bytes(hash.try_into().expect("eight bytes")),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn made() -> Made {
        Made { tokenizer: "t".into(), source: "s".into() }
    }

    fn write(path: &Path, vocab_size: usize) -> Result<()> {
        let mut writer = TokenFileWriter::create(path, vocab_size)?;
        writer.push(&[1, 2, 3], 1, 7)?;
        writer.push(&[65_535], 0, 8)?;
        writer.finish(made(), 0)
    }

    #[test]
    fn ids_come_back_in_both_widths() -> Result<()> {
        let folder = tempfile::tempdir().expect("the temporary folder can be written");
        let path = folder.path().join("ids");
        for vocab_size in [65_536, 65_537] {
            write(&path, vocab_size)?;
            let file = TokenFile::open(&path, &made())?;
            assert_eq!(file.entries(), [Entry { end: 3, prompt: 1, hash: 7 }, Entry { end: 4, prompt: 0, hash: 8 }]);
            let mut ids = [0; 3];
            file.ids().read(1, &mut ids)?;
            assert_eq!(ids, [2, 3, 65_535]);
        }
        Ok(())
    }

    /// A disk that lost or changed a byte must not be trained on; what was lost of the documents is among these bytes, and
    /// what is learnt of a conversation.
    #[test]
    fn no_byte_can_be_lost_or_changed() -> Result<()> {
        let folder = tempfile::tempdir().expect("the temporary folder can be written");
        let path = folder.path().join("ids");
        let mut writer = TokenFileWriter::create(&path, 65_536)?;
        writer.push(&[1, 2, 3], 1, 7)?;
        writer.push_conversation(&[4, 5, 6, 7], &[1, 1, 0, 2], 9)?;
        writer.finish(made(), 5)?;
        let file = TokenFile::open(&path, &made())?;
        assert_eq!((file.lost(), file.conversations().of(0)), (5, None));
        assert_eq!(file.conversations().of(1), Some(&[1, 1, 0, 2][..]));
        assert_eq!(file.entries()[1], Entry { end: 7, prompt: 1, hash: 9 });
        let sound = fs::read(&path).expect("it was written");
        for place in 0..sound.len() {
            fs::write(&path, &sound[..place]).expect("it can be cut");
            assert!(TokenFile::open(&path, &made()).is_err(), "cut at {place}");
            let mut changed = sound.clone();
            changed[place] ^= 1;
            fs::write(&path, changed).expect("it can be changed");
            assert!(TokenFile::open(&path, &made()).is_err(), "changed at {place}");
        }
        fs::write(&path, sound).expect("it can be mended");
        let other = Made { source: "other".into(), ..made() };
        assert!(TokenFile::open(&path, &other).expect_err("it is another's").to_string().contains("of another file"));
        Ok(())
    }
}
