//! What is known of the files of a run: their hashes, whether they have been read since they were found done, and the code they follow from.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use schemas::manifest::FileEntry;

use crate::{
    decide::DuplicateIndex,
    files::{
        Layout, Version, Written,
        units::{Mark, Stamp},
    },
};

/// Files that a unit published: path, rows where it has some, size and hash.
pub type Files = Vec<(PathBuf, Option<u64>, Written)>;

/// The files of a run, and those that it reads.
#[derive(Debug)]
pub struct Made {
    layout: Layout,
    /// What earlier runs have kept: the hashes of its files are known without reading them.
    indexes: Vec<DuplicateIndex>,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    /// Files that were written, by path within the output folder.
    outputs: BTreeMap<String, FileEntry>,
    /// Files from outside that were read, each with the records in it.
    inputs: BTreeMap<PathBuf, (Stamp, Option<u64>)>,
    /// The units whose files were found done, and have not been read since, by the files' paths.
    unread: BTreeMap<String, UnitName>,
    /// Versions of the code that gave the outputs.
    versions: BTreeMap<&'static str, u32>,
    /// Units that were found done, and that were run.
    found: u64,
    ran: u64,
}

/// A unit by its stage and its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitName {
    /// The stage.
    pub stage: String,
    /// The unit's name within the stage.
    pub unit: String,
}

/// A file that nobody has read since it was written elsewhere.
pub struct Unread {
    /// The file.
    pub path: PathBuf,
    /// The hash of its bytes, as they were written.
    pub sha256: String,
    /// The unit of this run that wrote it; none for a file of an index.
    pub unit: Option<UnitName>,
}

impl Made {
    /// No file yet.
    pub fn new(layout: &Layout, indexes: &[DuplicateIndex]) -> Self {
        Self { layout: layout.clone(), indexes: indexes.to_vec(), known: Mutex::default() }
    }

    /// Notes the code that outputs follow from.
    pub fn follows_from<'v>(&self, versions: impl IntoIterator<Item = &'v Version>) {
        self.known().versions.extend(versions.into_iter().map(|version| (version.name(), version.number())));
    }

    /// Notes a unit that was found done: its files count as made, and as unread.
    pub fn found(&self, name: &UnitName, mark: &Mark) {
        let mut known = self.known();
        known.found += 1;
        known.unread.extend(mark.outputs.iter().map(|file| (file.path.clone(), name.clone())));
        known.take(mark);
    }

    /// Notes a unit that was run.
    pub fn ran(&self, mark: &Mark) {
        let mut known = self.known();
        known.ran += 1;
        for file in &mark.outputs {
            known.unread.remove(&file.path);
        }
        known.take(mark);
    }

    /// Notes files that no unit makes.
    pub fn add(&self, files: &Files) {
        let entries = self.entries(files);
        self.known().outputs.extend(entries.into_iter().map(|file| (file.path.clone(), file)));
    }

    /// Notes how many records were read from a file from outside.
    pub fn count_records(&self, stamp: &Stamp, records: u64) {
        self.known().inputs.insert(stamp.path.clone(), (stamp.clone(), Some(records)));
    }

    /// A path within the output folder.
    pub fn name_of(&self, path: &Path) -> String {
        self.layout.relative(path)
    }

    /// Published files as the manifest lists them.
    pub fn entries(&self, files: &Files) -> Vec<FileEntry> {
        let entry = |(path, rows, written): &(PathBuf, Option<u64>, Written)| FileEntry {
            path: self.name_of(path),
            rows: *rows,
            bytes: written.bytes,
            sha256: written.sha256.clone(),
        };
        files.iter().map(entry).collect()
    }

    /// Whether this run has made a file, or found it done.
    pub fn holds(&self, path: &Path) -> bool {
        self.known().outputs.contains_key(&self.name_of(path))
    }

    /// The hash of a file as it was written, or as it was read by this run; none of one that this run has not come to yet.
    pub fn sha256_of(&self, path: &Path) -> Option<String> {
        let known = self.known();
        let own = known.outputs.get(&self.name_of(path)).map(|file| file.sha256.clone());
        let read = || known.inputs.get(path).map(|(stamp, _)| stamp.sha256.clone());
        let indexed = || self.indexes.iter().find_map(|index| index.sha256_of(path)).map(str::to_owned);
        own.or_else(read).or_else(indexed)
    }

    /// What a file has to be when it is read for the first time; nothing where this run has written it, or has read it before. Files of indexes
    /// are read anew each time.
    pub fn take_unread(&self, path: &Path) -> Option<Unread> {
        let mut known = self.known();
        let name = self.name_of(path);
        if let Some(unit) = known.unread.remove(&name) {
            let sha256 = known.outputs.get(&name)?.sha256.clone();
            return Some(Unread { path: path.to_owned(), sha256, unit: Some(unit) });
        }
        drop(known);
        let sha256 = self.indexes.iter().find_map(|index| index.sha256_of(path))?;
        Some(Unread { path: path.to_owned(), sha256: sha256.to_owned(), unit: None })
    }

    /// The files that were found done, and have not been read since.
    pub fn unread(&self) -> Vec<PathBuf> {
        self.known().unread.keys().map(|name| self.layout.out().join(name)).collect()
    }

    /// All files that this run has made or found done, in the order of their paths within the output folder.
    pub fn outputs(&self) -> Vec<FileEntry> {
        self.known().outputs.values().cloned().collect()
    }

    /// Where the outputs stand whose path within the output folder is among the wanted.
    pub fn paths(&self, is_wanted: impl Fn(&str) -> bool) -> Vec<PathBuf> {
        let known = self.known();
        let wanted = known.outputs.keys().filter(|path| is_wanted(path));
        wanted.map(|path| self.layout.out().join(path)).collect()
    }

    /// The files from outside that were read, in the order of their paths.
    pub fn inputs(&self) -> Vec<FileEntry> {
        let entry = |(stamp, rows): &(Stamp, Option<u64>)| FileEntry {
            path: stamp.path.display().to_string(),
            rows: *rows,
            bytes: stamp.bytes,
            sha256: stamp.sha256.clone(),
        };
        self.known().inputs.values().map(entry).collect()
    }

    /// Bytes of some files from outside, as far as they were read.
    pub fn bytes_of<'p>(&self, paths: impl IntoIterator<Item = &'p PathBuf>) -> u64 {
        let known = self.known();
        paths.into_iter().filter_map(|path| known.inputs.get(path)).map(|(stamp, _)| stamp.bytes).sum()
    }

    /// The code that the outputs follow from: the number of each version by its name.
    pub fn versions(&self) -> BTreeMap<&'static str, u32> {
        self.known().versions.clone()
    }

    /// How many units were found done, and how many were run.
    pub fn counts(&self) -> [u64; 2] {
        let known = self.known();
        [known.found, known.ran]
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn take(&mut self, mark: &Mark) {
        for file in &mark.outputs {
            self.outputs.insert(file.path.clone(), file.clone());
        }
        if let Some(stamp) = &mark.input {
            self.inputs.insert(stamp.path.clone(), (stamp.clone(), None));
        }
    }
}
