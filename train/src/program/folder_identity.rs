//! What an output folder of several trainings is known by: a file, to which whoever goes on is held.
//!
//! ```text
//! numbers of the configuration; SHA-256 of what its paths lead to -> rounds.json, mix.json ...      the first time
//!                                                                 -> the same, or what differs
//! ```
//!
//! Useful for: rounds of feedback, and sweeps. Not useful for: one training, whose checkpoints know it themselves.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use system::AtomicFile;

use crate::{
    checkpoint::checkpoints,
    error::{Error, Result},
};

/// What stands before a hash.
const HASHED: &str = "SHA-256 ";

/// What a folder is known by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FolderIdentity {
    /// The name of the file that says it.
    file: &'static str,
    /// Keys that may be others when it is gone on with, in words.
    may_change: &'static str,
    /// Key by key: a number, or the hash of what a path leads to.
    entries: BTreeMap<String, String>,
}

impl FolderIdentity {
    /// One that says nothing yet.
    pub fn new(file: &'static str, may_change: &'static str) -> Self {
        Self { file, may_change, entries: BTreeMap::new() }
    }

    /// The same with what a key says.
    pub fn with(mut self, key: &str, value: &impl ToString) -> Self {
        self.entries.insert(key.to_owned(), value.to_string());
        self
    }

    /// The same with the SHA-256 of what the path of a key leads to.
    pub fn with_hash(self, key: &str, sha256: &str) -> Self {
        self.with(key, &format!("{HASHED}{sha256}"))
    }

    /// Keys with what they say, in their order.
    pub fn entries(&self) -> impl Iterator<Item = (&str, &str)> {
        self.entries.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// Whether a folder holds something that knows what it is.
    pub fn is_in(&self, out: &Path) -> bool {
        out.join(self.file).is_file()
    }

    /// Begins in a folder, or makes sure that what is there is this.
    ///
    /// # Errors
    /// Those of [`Self::check`], and when the file cannot be written.
    pub fn hold(&self, out: &Path, resume: bool) -> Result<()> {
        self.check(out, resume)?;
        let path = out.join(self.file);
        if path.is_file() {
            return Ok(());
        }
        fs::create_dir_all(out).map_err(Error::file("make the folder", out))?;
        let json = serde_json::to_vec_pretty(&self.entries).expect("texts are JSON");
        Ok(AtomicFile::write_whole(&path, &json)?)
    }

    /// Makes sure that a folder may be begun or gone on with, and writes nothing.
    ///
    /// - `resume`: whether what is there is to be gone on with
    ///
    /// # Errors
    /// When the folder holds something that is not to be gone on with, or nothing that is, or something else: what differs is named.
    pub fn check(&self, out: &Path, resume: bool) -> Result<()> {
        let path = out.join(self.file);
        let is_there = path.is_file();
        if !resume && (is_there || !checkpoints(out)?.is_empty()) {
            return Err(Error::AlreadyTrained { path: out.to_owned() });
        }
        if !is_there {
            if resume {
                return Err(Error::NoCheckpoint { path: out.to_owned() });
            }
            return Ok(());
        }
        let bytes = fs::read(&path).map_err(Error::file("read", &path))?;
        let before: BTreeMap<String, String> = serde_json::from_slice(&bytes)
            .map_err(|error| Error::Damaged { path: path.clone(), message: error.to_string() })?;
        let differences = self.differences(&before);
        if differences.is_empty() {
            return Ok(());
        }
        Err(Error::OtherBeginning { path, differences, may_change: self.may_change })
    }

    /// What differs from how it was, in words.
    fn differences(&self, before: &BTreeMap<String, String>) -> Vec<String> {
        let keys: BTreeSet<&String> = self.entries.keys().chain(before.keys()).collect();
        let of = |entries: &BTreeMap<String, String>, key: &String| match entries.get(key) {
            None => "nothing".to_owned(),
            Some(value) => match value.strip_prefix(HASHED) {
                Some(hash) => format!("{HASHED}{hash:.12}..."),
                None => value.clone(),
            },
        };
        let differ = keys.into_iter().filter(|key| self.entries.get(*key) != before.get(*key));
        differ.map(|key| format!("`{key}` was {}, and is {}", of(before, key), of(&self.entries, key))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(answers: usize, hash: &str) -> FolderIdentity {
        FolderIdentity::new("rounds.json", "`rounds`")
            .with("label.answers", &answers)
            .with_hash("prompts.mixture", &hash.repeat(64))
    }

    /// The first time it is written; whoever goes on has to be the same, and whoever begins finds it taken.
    #[test]
    fn another_beginning_is_named() -> Result<()> {
        let folder = tempfile::tempdir().expect("the temporary folder can be written");
        let out = folder.path();
        let refused = |identity: &FolderIdentity, resume: bool| {
            identity.hold(out, resume).expect_err("it is refused").to_string()
        };
        assert!(refused(&identity(4, "a"), true).ends_with("holds no checkpoint"));
        identity(4, "a").hold(out, false)?;
        identity(4, "a").hold(out, true)?;
        assert!(refused(&identity(4, "a"), false).contains("already holds a training"));
        let other = identity(5, "b").with_hash("label.labeler", &"c".repeat(64));
        assert_eq!(
            other.differences(&identity(4, "a").entries),
            [
                "`label.answers` was 4, and is 5",
                "`label.labeler` was nothing, and is SHA-256 cccccccccccc...",
                "`prompts.mixture` was SHA-256 aaaaaaaaaaaa..., and is SHA-256 bbbbbbbbbbbb...",
            ]
        );
        assert!(refused(&other, true).contains("rounds.json was begun in another way:\n  `label.answers` was 4"));
        Ok(())
    }
}
