//! Units of work, and the marks that say which of them are done.
//!
//! A unit is a stage and one of its inputs. When its outputs are published, a mark is, with the fingerprint of everything
//! that the outputs follow from. A unit whose mark has the same fingerprint, and whose outputs are still there, is not run
//! again. A crash loses what was in flight and nothing else.
//!
//! Whether outputs are still those that were written is told by size and time, as `make` does; where the time is another, by their
//! hash. What neither shows, such as a disk that gives other bytes, is found when a stage is about to read a file: see
//! [`Marks::forget`]. An input belongs to others, who may change it in place and put its time back: it has to have the same change time and
//! inode, too, or it is hashed. A mark holds its own hash: one that was damaged or edited is none.

use std::{
    fmt::Write as _,
    fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

use schemas::manifest::FileEntry;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::{Xxh3, xxh3_128};

use super::{Version, hash_file, peak_memory, write_whole};
use crate::error::{Error, Result};

/// How rows become the bytes of files.
pub const FILES: Version = Version::new("files/publish", 1);

/// A hash of everything that a unit's outputs follow from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// The hash, as 32 hexadecimal digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Of the code of a stage, that of what it is made of, and its settings, as JSON. How files are written is a part of all.
    pub fn of(stage: Version, parts: &[Version], settings: &impl Serialize) -> Self {
        let mut hasher = Xxh3::new();
        let code = serde_json::to_vec(&(FILES, stage, parts)).expect("versions are JSON");
        let settings = serde_json::to_vec(settings).expect("settings are JSON");
        for part in [&code, &settings] {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        Self(format!("{:032x}", hasher.digest128()))
    }
}

/// An input as it was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    /// The file.
    pub path: PathBuf,
    /// Its size in bytes.
    pub bytes: u64,
    /// When its bytes were last changed, in nanoseconds since 1970. Whoever may write the file can set it.
    pub modified: u128,
    /// When the system last changed anything of it, in nanoseconds since 1970. Nobody can set it. Marks of earlier programs have none.
    #[serde(default)]
    pub changed: u128,
    /// Its number in the file system. Marks of earlier programs have none.
    #[serde(default)]
    pub inode: u64,
    /// SHA-256 of its bytes.
    pub sha256: String,
}

impl Stamp {
    /// Reads and hashes a file.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn of(path: &Path) -> Result<Self> {
        // what is changed while it is hashed differs from this the next time
        let unread = Self::unread(path)?;
        Ok(Self { sha256: hash_file(path)?.sha256, ..unread })
    }

    /// What the system says of a file that is not read.
    fn unread(path: &Path) -> Result<Self> {
        let metadata = fs::metadata(path).map_err(Error::file("read", path))?;
        let changed = i128::from(metadata.ctime()) * 1_000_000_000 + i128::from(metadata.ctime_nsec());
        Ok(Self {
            path: path.to_owned(),
            bytes: metadata.len(),
            modified: modified(&metadata),
            changed: u128::try_from(changed).unwrap_or(0),
            inode: metadata.ino(),
            sha256: String::new(),
        })
    }

    /// The stamp of the file now, if it still has these bytes. It is read only where its size is the same and anything else is not, as in a
    /// folder that was copied.
    fn renewed(&self) -> Option<Self> {
        let now = Self { sha256: self.sha256.clone(), ..Self::unread(&self.path).ok()? };
        let holds = || hash_file(&self.path).is_ok_and(|found| found.sha256 == self.sha256);
        (now == *self || (now.bytes == self.bytes && holds())).then_some(now)
    }
}

/// The time of a file that still has these bytes, else none. It is read only when its size is the same and its time is not.
fn still_holds(path: &Path, bytes: u64, modified: u128, sha256: &str) -> Option<u128> {
    let (size, time) = size_and_time(path).ok()?;
    let holds = size == bytes && (time == modified || hash_file(path).is_ok_and(|now| now.sha256 == sha256));
    holds.then_some(time)
}

fn size_and_time(path: &Path) -> Result<(u64, u128)> {
    let metadata = fs::metadata(path).map_err(Error::file("read", path))?;
    Ok((metadata.len(), modified(&metadata)))
}

fn modified(metadata: &fs::Metadata) -> u128 {
    let time = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    time.map_or(0, |time| time.as_nanos())
}

/// What is known of a unit that is done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Mark {
    /// What the outputs follow from, but for the input file.
    pub fingerprint: Fingerprint,
    /// The file from outside that was read, if one was.
    pub input: Option<Stamp>,
    /// The files that were written, by path within the output folder.
    pub outputs: Vec<FileEntry>,
    /// How long it took. For the report; no output depends on it.
    pub seconds: f64,
}

/// A unit that is done, as its mark says, and what was measured when it ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Done {
    /// The stage.
    pub stage: String,
    /// The unit.
    pub unit: String,
    /// Its mark.
    pub mark: Mark,
    /// The most bytes of memory that the process had held by then, where the system tells.
    pub peak_memory: Option<u64>,
}

/// The marks of a run, one file each, below `OUT/work/marks`.
#[derive(Debug, Clone)]
pub struct Marks {
    out: PathBuf,
}

impl Marks {
    /// The marks of the run in `out`.
    #[must_use]
    pub fn new(out: &Path) -> Self {
        Self { out: out.to_owned() }
    }

    fn path(&self, stage: &str, unit: &str) -> PathBuf {
        self.out.join("work/marks").join(stage).join(format!("{unit}.json"))
    }

    /// The mark of a unit, if it is done and nothing that it follows from has changed.
    #[must_use]
    pub fn fresh(&self, stage: &str, unit: &str, fingerprint: &Fingerprint) -> Option<Mark> {
        let path = self.path(stage, unit);
        // a mark that cannot be read is no mark: the unit runs again
        let mut stored = Stored::read(&path)?;
        let mark = &stored.mark;
        if mark.fingerprint != *fingerprint {
            return None;
        }
        let input = match &mark.input {
            Some(stamp) => Some(stamp.renewed()?),
            None => None,
        };
        let files = mark.outputs.iter().zip(&stored.modified);
        let holds = |(file, time): (&FileEntry, &u128)| {
            still_holds(&self.out.join(&file.path), file.bytes, *time, &file.sha256)
        };
        let times: Vec<u128> = files.map(holds).collect::<Option<_>>()?;
        if times.len() != mark.outputs.len() {
            return None;
        }
        if times != stored.modified || input != stored.mark.input {
            // so that they are not read again the next time
            stored.modified = times;
            stored.mark.input = input;
            stored.write(&path).ok()?;
        }
        Some(stored.mark)
    }

    /// Marks a unit as done, and notes how much memory the process has held at most. For the report; no output depends on it.
    ///
    /// # Errors
    /// When the mark cannot be written, or an output is not there.
    pub fn set(&self, stage: &str, unit: &str, mark: &Mark) -> Result<()> {
        let time = |file: &FileEntry| size_and_time(&self.out.join(&file.path)).map(|(_, time)| time);
        let modified = mark.outputs.iter().map(time).collect::<Result<_>>()?;
        let stored = Stored { mark: mark.clone(), modified, peak_memory: peak_memory() };
        stored.write(&self.path(stage, unit))
    }

    /// Forgets that a unit is done, so that it runs again.
    ///
    /// # Errors
    /// When the mark cannot be removed.
    pub fn forget(&self, stage: &str, unit: &str) -> Result<()> {
        let path = self.path(stage, unit);
        fs::remove_file(&path).map_err(Error::file("remove", &path))
    }

    /// All units that are done, by stage and name. What cannot be read is left out.
    #[must_use]
    pub fn all(&self) -> Vec<Done> {
        let root = self.out.join("work/marks");
        let mut all = Vec::new();
        let mut folders = vec![root.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).into_iter().flatten().filter_map(std::result::Result::ok) {
                let path = entry.path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    all.extend(done(&root, &path));
                }
            }
        }
        all.sort_by(|one, other| (&one.stage, &one.unit).cmp(&(&other.stage, &other.unit)));
        all
    }
}

/// A mark as it stands in its file: JSON in one line, and the hash of that line in the next.
#[derive(Serialize, Deserialize)]
struct Stored {
    mark: Mark,
    /// When each output was last changed, in nanoseconds since 1970.
    modified: Vec<u128>,
    peak_memory: Option<u64>,
}

impl Stored {
    fn write(&self, path: &Path) -> Result<()> {
        let mut line = serde_json::to_string(self).expect("a mark is JSON");
        let hash = xxh3_128(line.as_bytes());
        writeln!(line, "\n\"{hash:032x}\"").expect("writing to a string does not fail");
        write_whole(path, line.as_bytes())?;
        Ok(())
    }

    /// What is not as it was written is nothing.
    fn read(path: &Path) -> Option<Self> {
        let text = fs::read_to_string(path).ok()?;
        let (line, hash) = text.split_once('\n')?;
        let is_whole = hash == format!("\"{:032x}\"\n", xxh3_128(line.as_bytes()));
        is_whole.then(|| serde_json::from_str(line).ok()).flatten()
    }
}

/// The unit whose mark lies at `path`.
fn done(root: &Path, path: &Path) -> Option<Done> {
    let name = path.strip_prefix(root).ok()?.with_extension("");
    let (stage, unit) = name.to_str()?.split_once('/')?;
    let Stored { mark, peak_memory, .. } = Stored::read(path)?;
    Some(Done { stage: stage.to_owned(), unit: unit.to_owned(), mark, peak_memory })
}

#[cfg(test)]
mod tests {
    use super::*;

    const COUNTING: Version = Version::new("test/counting", 1);

    #[test]
    fn a_unit_is_fresh_until_something_changes() -> Result<()> {
        let out = tempfile::tempdir().expect("the temporary folder can be written");
        let input = out.path().join("input");
        write_whole(&input, b"in")?;
        let written = write_whole(&out.path().join("output"), b"result")?;
        let marks = Marks::new(out.path());
        let fingerprint = Fingerprint::of(COUNTING, &[], &3);
        let output = FileEntry { path: "output".into(), rows: None, bytes: written.bytes, sha256: written.sha256 };
        let mark = Mark {
            fingerprint: fingerprint.clone(),
            input: Some(Stamp::of(&input)?),
            outputs: vec![output],
            seconds: 0.5,
        };
        marks.set("stage", "unit", &mark)?;
        assert_eq!(marks.fresh("stage", "unit", &fingerprint).as_ref(), Some(&mark));
        marks.set("stage", "some/unit", &mark)?;
        let all = marks.all();
        assert_eq!(all.iter().map(|done| done.unit.as_str()).collect::<Vec<_>>(), ["some/unit", "unit"]);
        assert!(all.iter().all(|done| done.mark == mark && done.peak_memory != Some(0)));
        assert_eq!(marks.fresh("stage", "unit", &Fingerprint::of(COUNTING, &[], &4)), None);
        let anew = Version::new("test/counting", 2);
        assert_eq!(marks.fresh("stage", "unit", &Fingerprint::of(anew, &[], &3)), None);
        assert_eq!(marks.fresh("stage", "unit", &Fingerprint::of(COUNTING, &[anew], &3)), None);

        // written anew with the same bytes, it is the same input
        write_whole(&input, b"in")?;
        assert!(marks.fresh("stage", "unit", &fingerprint).is_some());
        write_whole(&input, b"IN")?;
        assert!(marks.fresh("stage", "unit", &fingerprint).is_none());
        write_whole(&input, b"in")?;

        // one that was changed in place, and given its time back, is another; as it was, it is hashed once and then known
        let stamp = marks.fresh("stage", "unit", &fingerprint).and_then(|mark| mark.input).expect("it is as it was");
        assert_eq!(stamp, Stamp::of(&input)?);
        let in_place = |bytes: &[u8]| {
            // the system's clock for files is a coarse one
            std::thread::sleep(std::time::Duration::from_millis(30));
            let time = fs::metadata(&input).and_then(|metadata| metadata.modified());
            fs::write(&input, bytes)?;
            fs::File::options().append(true).open(&input)?.set_modified(time?)
        };
        in_place(b"iN").expect("the folder can be written");
        assert_eq!(Stamp::of(&input)?.modified, stamp.modified);
        assert!(marks.fresh("stage", "unit", &fingerprint).is_none());
        in_place(b"in").expect("the folder can be written");
        let renewed = marks.fresh("stage", "unit", &fingerprint).and_then(|mark| mark.input).expect("it is as it was");
        assert_eq!(renewed, Stamp::of(&input)?);
        // the mark of an earlier program, which knew of times alone, is one
        let old = Stamp { changed: 0, inode: 0, ..renewed.clone() };
        marks.set("stage", "unit", &Mark { input: Some(old), ..mark.clone() })?;
        let found = marks.fresh("stage", "unit", &fingerprint).and_then(|mark| mark.input);
        assert_eq!(found, Some(renewed));

        // an output that was written anew with the same bytes is the same; one of the same size is not
        write_whole(&out.path().join("output"), b"result")?;
        assert!(marks.fresh("stage", "unit", &fingerprint).is_some());
        write_whole(&out.path().join("output"), b"resulT")?;
        assert!(marks.fresh("stage", "unit", &fingerprint).is_none());
        write_whole(&out.path().join("output"), b"result")?;
        assert!(marks.fresh("stage", "unit", &fingerprint).is_some());

        // a mark in which a character was changed is none
        let path = out.path().join("work/marks/stage/unit.json");
        let text = fs::read_to_string(&path).expect("the mark is there");
        write_whole(&path, text.replacen("0.5", "0.6", 1).as_bytes())?;
        assert!(marks.fresh("stage", "unit", &fingerprint).is_none());
        write_whole(&path, text.as_bytes())?;
        fs::remove_file(out.path().join("output")).expect("the output is there");
        assert!(marks.fresh("stage", "unit", &fingerprint).is_none());
        Ok(())
    }
}
