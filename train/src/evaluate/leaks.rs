//! Which examples leaked into training data, as `curate decontaminate` and `curate run` list them.
//!
//! A line of `facts/contamination/STAGE.jsonl` names a file, and the number of an example in it. A line with an `id` alone names an example by
//! that.
//!
//! Source: Brown et al. 2020 (GPT-3), section 4, for scores on what did not leak.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::task_run::Leaked;
use crate::{
    data::{Lines, ReadOptions},
    error::{Error, Result},
};

/// A line of a list.
#[derive(Debug, Deserialize)]
struct Line {
    id: Option<String>,
    file: Option<PathBuf>,
    place: Option<u64>,
    /// N-grams of it that were cut out of documents; what has none is common, and no leak.
    cut: Option<u64>,
}

impl Leaked {
    /// Reads lists: files of JSON lines, folders of them, or output folders of `curate`.
    ///
    /// # Errors
    /// When one cannot be read, or a line is no entry of a list.
    pub fn read(paths: &[PathBuf]) -> Result<Self> {
        let mut leaked = Self::default();
        for path in paths {
            for path in lists(path)? {
                leaked.read_list(&path)?;
            }
        }
        Ok(leaked)
    }

    fn read_list(&mut self, path: &Path) -> Result<()> {
        let mut lines = Lines::open(path, ReadOptions::default())?;
        while let Some((number, line)) = lines.next_line()? {
            let damaged = |message: String| Error::Damaged {
                path: path.to_owned(),
                message: format!("line {number}: {message}"),
            };
            let line: Line = serde_json::from_str(&line).map_err(|error| damaged(error.to_string()))?;
            match line {
                Line { cut: Some(0), .. } => {}
                Line { file: Some(file), place: Some(place), .. } => {
                    let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
                    self.places.insert((name, place));
                }
                Line { id: Some(id), .. } => drop(self.ids.insert(id)),
                _ => return Err(damaged("it names neither a `file` with a `place`, nor an `id`".to_owned())),
            }
        }
        Ok(())
    }
}

/// The lists that a path stands for.
fn lists(path: &Path) -> Result<Vec<PathBuf>> {
    if path.is_file() {
        return Ok(vec![path.to_owned()]);
    }
    let within = path.join("facts/contamination");
    let folder = if within.is_dir() { &within } else { path };
    let entries = std::fs::read_dir(folder).map_err(Error::file("list", folder))?;
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.map_err(Error::file("list", folder))?.path();
        if path.extension().is_some_and(|extension| extension == "jsonl") {
            found.push(path);
        }
    }
    found.sort();
    if found.is_empty() {
        return Err(Error::Data { path: folder.to_owned(), message: "it has no list of examples (.jsonl)".to_owned() });
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn lists_of_curate_are_read() -> Result<()> {
        let folder = tempfile::tempdir().expect("the temporary folder can be written");
        let lists = folder.path().join("facts/contamination");
        fs::create_dir_all(&lists).expect("it can be made");
        let line = |place: u64, cut: u64| {
            format!(
                "{{\"benchmark\":\"quiz\",\"file\":\"/data/quiz.jsonl\",\"place\":{place},\"ngrams\":9,\"cut\":{cut},\"common\":1}}\n"
            )
        };
        fs::write(lists.join("decontaminate.jsonl"), line(3, 2) + &line(4, 0)).expect("it can be written");
        fs::write(lists.join("decontaminate.json"), "{}").expect("it can be written");
        let own = folder.path().join("own.jsonl");
        fs::write(&own, "{\"id\": \"x\"}\n").expect("it can be written");
        let leaked = Leaked::read(&[folder.path().to_owned(), own.clone()])?;
        assert!(leaked.has("", "quiz.jsonl", 3) && !leaked.has("", "quiz.jsonl", 4) && leaked.has("x", "", 0));
        fs::write(&own, "{\"place\": 1}\n").expect("it can be written");
        let error = Leaked::read(&[own]).expect_err("it names nothing").to_string();
        assert!(error.contains("own.jsonl is damaged: line 1: it names neither"), "{error}");
        Ok(())
    }
}
