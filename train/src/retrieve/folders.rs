//! The folders of an index's parts: each is written beside the others and appears by rename, and is removed once it is no part any more.

use std::{
    fs,
    path::{Path, PathBuf},
};

use schemas::manifest::FileEntry;
use system::sync_folder;
use xxhash_rust::xxh3::Xxh3;

use crate::error::{Error, Result};

/// What a folder in the folder of an index holds: each has one of its own, whose name follows from what is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Segment,
    Graph,
}

impl Kind {
    pub const ALL: [Self; 2] = [Self::Segment, Self::Graph];

    /// The folder of all of them.
    pub fn parent(self, index: &Path) -> PathBuf {
        index.join(match self {
            Self::Segment => "segments",
            Self::Graph => "graphs",
        })
    }

    /// The folder of one.
    pub fn folder(self, index: &Path, name: &str) -> PathBuf {
        self.parent(index).join(name)
    }

    /// Writes one; it is no part of the index yet.
    ///
    /// - `version`: the one that it comes with
    /// - `write`: writes its files into a folder
    /// - returns: its name, and its files
    ///
    /// # Errors
    /// When something cannot be written.
    pub fn publish(
        self,
        index: &Path,
        version: u64,
        write: impl FnOnce(&Path) -> Result<Vec<FileEntry>>,
    ) -> Result<(String, Vec<FileEntry>)> {
        let parent = self.parent(index);
        let partial = parent.join(PARTIAL);
        if partial.exists() {
            fs::remove_dir_all(&partial).map_err(Error::file("remove", &partial))?;
        }
        fs::create_dir_all(&partial).map_err(Error::file("make the folder", &partial))?;
        let files = write(&partial)?;
        let mut hash = Xxh3::new();
        files.iter().for_each(|file| hash.update(file.sha256.as_bytes()));
        let name = format!("{version:08}-{:032x}", hash.digest128());
        let folder = parent.join(&name);
        // what a kill left of a version that was never published
        if folder.exists() {
            fs::remove_dir_all(&folder).map_err(Error::file("remove", &folder))?;
        }
        fs::rename(&partial, &folder).map_err(Error::file("rename to", &folder))?;
        sync_folder(&parent)?;
        Ok((name, files))
    }

    /// Whether nothing else lies beside them.
    pub fn has_own_alone(self, index: &Path) -> bool {
        let Ok(entries) = fs::read_dir(self.parent(index)) else { return false };
        entries.flatten().all(|entry| is_name(&entry.file_name().to_string_lossy()))
    }

    /// Removes those that are no part of the index: of versions before, and what a kill left. One that cannot be removed is tried again by the next
    /// writer.
    pub fn remove_others(self, index: &Path, is_part: impl Fn(&str) -> bool) {
        for entry in fs::read_dir(self.parent(index)).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if is_name(&name) && !is_part(&name) {
                let _ = fs::remove_dir_all(entry.path());
            }
        }
    }
}

/// Whether a folder is called as those are that come with a version, or what is written of one.
fn is_name(name: &str) -> bool {
    let parts = name.split_once('-').unwrap_or_default();
    let is_of =
        |part: &str, is_digit: fn(&char) -> bool| part.len() >= 8 && part.chars().all(|letter| is_digit(&letter));
    name == PARTIAL
        || (is_of(parts.0, char::is_ascii_digit) && parts.1.len() == 32 && is_of(parts.1, char::is_ascii_hexdigit))
}

/// The name of the folder in which one is written.
const PARTIAL: &str = ".partial";

/// The folder of a segment.
pub(super) fn segment_folder(index: &Path, name: &str) -> PathBuf {
    Kind::Segment.folder(index, name)
}
