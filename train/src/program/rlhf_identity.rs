//! What rounds of feedback are known by: `rounds.json`, to which whoever goes on is held.
//!
//! ```text
//! numbers of the configuration; SHA-256 of what its paths lead to -> rounds.json      the first time
//!                                                                 -> the same, or what differs
//! ```
//!
//! Useful for: rounds, which are days of people's work. Not useful for: a training of a round, whose checkpoints know it themselves.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use serde::{Deserialize, Serialize};
use system::AtomicFile;

use crate::{
    checkpoint::checkpoints,
    error::{Error, Result},
};

/// The name of the file.
const FILE: &str = "rounds.json";

/// What stands before a hash.
const HASHED: &str = "SHA-256 ";

/// What rounds are known by, key by key: a number, or the hash of what a path leads to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct RoundsIdentity(BTreeMap<String, String>);

impl RoundsIdentity {
    /// The same with what a key says.
    pub fn with(mut self, key: &str, value: &impl ToString) -> Self {
        self.0.insert(key.to_owned(), value.to_string());
        self
    }

    /// The same with the SHA-256 of what the path of a key leads to.
    pub fn with_hash(self, key: &str, sha256: &str) -> Self {
        self.with(key, &format!("{HASHED}{sha256}"))
    }

    /// Keys with what they say, in their order.
    pub fn entries(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// Begins rounds in a folder, or makes sure that those which are there are these.
    ///
    /// - `resume`: whether those that are there are to be gone on with
    ///
    /// # Errors
    /// When the folder holds something that is not to be gone on with, or nothing that is, or other rounds: what differs is named.
    pub fn hold(&self, out: &Path, resume: bool) -> Result<()> {
        let path = out.join(FILE);
        let is_there = path.is_file();
        if !resume && (is_there || !checkpoints(out)?.is_empty()) {
            return Err(Error::AlreadyTrained { path: out.to_owned() });
        }
        if !is_there {
            if resume {
                return Err(Error::NoCheckpoint { path: out.to_owned() });
            }
            let json = serde_json::to_vec_pretty(self).expect("texts are JSON");
            return Ok(AtomicFile::write_whole(&path, &json)?);
        }
        let bytes = fs::read(&path).map_err(Error::file("read", &path))?;
        let before: Self = serde_json::from_slice(&bytes)
            .map_err(|error| Error::Damaged { path: path.clone(), message: error.to_string() })?;
        let differences = self.differences(&before);
        if differences.is_empty() {
            return Ok(());
        }
        Err(Error::OtherRounds { path, differences })
    }

    /// What differs from how it was, in words.
    fn differences(&self, before: &Self) -> Vec<String> {
        let keys: BTreeSet<&String> = self.0.keys().chain(before.0.keys()).collect();
        let of = |identity: &Self, key: &String| match identity.0.get(key) {
            None => "nothing".to_owned(),
            Some(value) => match value.strip_prefix(HASHED) {
                Some(hash) => format!("{HASHED}{hash:.12}..."),
                None => value.clone(),
            },
        };
        let differ = keys.into_iter().filter(|key| self.0.get(*key) != before.0.get(*key));
        differ.map(|key| format!("`{key}` was {}, and is {}", of(before, key), of(self, key))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(answers: usize, hash: &str) -> RoundsIdentity {
        RoundsIdentity::default().with("label.answers", &answers).with_hash("prompts.mixture", &hash.repeat(64))
    }

    /// The first time it is written; whoever goes on has to be the same, and whoever begins finds it taken.
    #[test]
    fn other_rounds_are_named() -> Result<()> {
        let folder = tempfile::tempdir().expect("the temporary folder can be written");
        let out = folder.path();
        let refused = |identity: &RoundsIdentity, resume: bool| {
            identity.hold(out, resume).expect_err("it is refused").to_string()
        };
        assert!(refused(&identity(4, "a"), true).ends_with("holds no checkpoint"));
        identity(4, "a").hold(out, false)?;
        identity(4, "a").hold(out, true)?;
        assert!(refused(&identity(4, "a"), false).contains("already holds a training"));
        let other = identity(5, "b").with_hash("label.labeler", &"c".repeat(64));
        assert_eq!(
            other.differences(&identity(4, "a")),
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
