//! Files of one JSON object a line, which a training that goes on from an earlier place can cut.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use serde::Serialize;
use serde_json::Value;
use xxhash_rust::xxh3::Xxh3;

use crate::{
    checkpoint::LogPlace,
    error::{Error, Result},
};

/// A file of lines; it appears with its first.
pub struct JsonLines {
    path: PathBuf,
    bytes: u64,
    hash: Box<Xxh3>,
}

impl JsonLines {
    /// The file at `path`, of which the lines up to a place are kept.
    ///
    /// # Errors
    /// When the file cannot be read or cut.
    pub fn open(path: &Path, bytes: u64) -> Result<Self> {
        let mut lines = Self { path: path.to_owned(), bytes: 0, hash: Box::default() };
        lines.cut(bytes)?;
        Ok(lines)
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where the file ends, and the hash of what stands in it.
    #[must_use]
    pub fn place(&self) -> LogPlace {
        LogPlace { bytes: self.bytes, xxh3: format!("{:032x}", self.hash.digest128()) }
    }

    /// Adds a line.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn push(&mut self, line: &impl Serialize) -> Result<()> {
        let mut bytes = serde_json::to_vec(line).expect("metrics are JSON");
        bytes.push(b'\n');
        self.append(&bytes)
    }

    fn append(&mut self, bytes: &[u8]) -> Result<()> {
        let file = OpenOptions::new().create(true).append(true).open(&self.path);
        file.and_then(|mut file| file.write_all(bytes)).map_err(Error::file("write", &self.path))?;
        self.bytes += bytes.len() as u64;
        self.hash.update(bytes);
        Ok(())
    }

    /// Cuts the file to its first `bytes` bytes. One that is shorter, or not there, stays.
    ///
    /// # Errors
    /// When it cannot be cut.
    pub fn cut(&mut self, bytes: u64) -> Result<()> {
        let cut = |file: File| {
            let kept = file.metadata()?.len().min(bytes);
            file.set_len(kept)?;
            Ok(kept)
        };
        self.bytes = match OpenOptions::new().write(true).open(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
            file => file.and_then(cut).map_err(Error::file("cut", &self.path))?,
        };
        self.hash.reset();
        if self.bytes > 0 {
            self.hash.update(&fs::read(&self.path).map_err(Error::file("read", &self.path))?);
        }
        Ok(())
    }

    /// Cuts the file to its first `bytes` bytes, but keeps the lines beyond that have the key `kept`.
    ///
    /// # Errors
    /// When it cannot be read, cut or written.
    pub fn cut_but(&mut self, bytes: u64, kept: &str) -> Result<()> {
        if bytes >= self.bytes {
            return Ok(());
        }
        let text = fs::read_to_string(&self.path).map_err(Error::file("read", &self.path))?;
        let tail = usize::try_from(bytes).ok().and_then(|bytes| text.get(bytes..)).unwrap_or_default();
        let has = |line: &&str| serde_json::from_str::<Value>(line).is_ok_and(|line| line.get(kept).is_some());
        let lines: String = tail.lines().filter(has).map(|line| format!("{line}\n")).collect();
        self.cut(bytes)?;
        self.append(lines.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_beyond_a_place_is_cut() -> Result<()> {
        let folder = tempfile::tempdir().expect("the temporary folder can be written");
        let path = folder.path().join("lines.jsonl");
        let mut lines = JsonLines::open(&path, 99)?;
        lines.push(&json!({"step": 1}))?;
        let place = lines.place().bytes;
        for line in [json!({"step": 2}), json!({"step": 2, "spike": 7}), json!({"step": 3})] {
            lines.push(&line)?;
        }
        lines.cut_but(place, "spike")?;
        let text = |path: &Path| fs::read_to_string(path).expect("it was written");
        assert_eq!(text(&path), "{\"step\":1}\n{\"spike\":7,\"step\":2}\n");
        let mut again = JsonLines::open(&path, place)?;
        again.push(&json!({"step": 4}))?;
        assert_eq!(text(&path), "{\"step\":1}\n{\"step\":4}\n");
        Ok(())
    }
}
