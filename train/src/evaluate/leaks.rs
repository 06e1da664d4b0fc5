//! Which examples leaked into training data, as `curate decontaminate` and `curate run` list them.
//!
//! A line of `facts/contamination/STAGE.jsonl` names a file, and the number of an example in it. A line with an `id` alone names an example by
//! that.
//!
//! ```text
//! lists -> places in files, ids -> of the files that are evaluated: the file itself where it is here, else the one of its name
//! ```
//!
//! Useful for: lists of examples that were looked for by their task. Not useful for: lists by a plain file of data, which number its lines,
//! or all objects in it, where an evaluation numbers examples; a list does not say which it has.
//!
//! Source: Brown et al. 2020 (GPT-3), section 4, for scores on what did not leak.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    path::{Path, PathBuf},
};

use serde::Deserialize;

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

/// Lists of examples, whatever is evaluated.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LeakedLists {
    /// The lists.
    pub lists: Vec<PathBuf>,
    /// Numbers of examples, from 1, by the files that the lists name.
    places: BTreeMap<PathBuf, HashSet<u64>>,
    ids: HashSet<String>,
}

/// Examples that leaked, among those that are evaluated.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Leaked {
    /// Numbers of examples, from 1, by the files that are evaluated.
    places: HashMap<PathBuf, HashSet<u64>>,
    ids: HashSet<String>,
}

impl Leaked {
    /// Whether an example is among them.
    #[must_use]
    pub fn has(&self, id: &str, file: &Path, number: u64) -> bool {
        self.ids.contains(id) || self.places.get(file).is_some_and(|places| places.contains(&number))
    }
}

impl LeakedLists {
    /// Reads lists: files of JSON lines, folders of them, or output folders of `curate`.
    ///
    /// # Errors
    /// When one cannot be read, or a line is no entry of a list.
    pub fn read(paths: &[PathBuf]) -> Result<Self> {
        let mut lists = Self::default();
        for path in paths {
            for path in lists_in(path)? {
                lists.read_list(&path)?;
                lists.lists.push(path);
            }
        }
        Ok(lists)
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
                    self.places.entry(file).or_default().insert(place);
                }
                Line { id: Some(id), .. } => drop(self.ids.insert(id)),
                _ => return Err(damaged("it names neither a `file` with a `place`, nor an `id`".to_owned())),
            }
        }
        Ok(())
    }

    /// What of the lists is among the examples of some files: of a file that is here, of itself; of one that is not, of the one that has its
    /// name.
    ///
    /// # Errors
    /// When several files have the name of one that is not here.
    pub fn among(&self, files: &[&Path]) -> Result<Leaked> {
        let same = |file: &Path| file.canonicalize().unwrap_or_else(|_| file.to_owned());
        let known: Vec<(&Path, PathBuf)> = files.iter().map(|file| (*file, same(file))).collect();
        let mut leaked = Leaked { places: HashMap::new(), ids: self.ids.clone() };
        for (listed, numbers) in &self.places {
            let here = listed.canonicalize().ok();
            let is_meant = |(file, known): &&(&Path, PathBuf)| match &here {
                Some(here) => known == here,
                None => file.file_name() == listed.file_name(),
            };
            let meant: Vec<&(&Path, PathBuf)> = known.iter().filter(is_meant).collect();
            let different: BTreeSet<&PathBuf> = meant.iter().map(|(_, known)| known).collect();
            if different.len() > 1 {
                let names: Vec<String> = different.iter().map(|file| file.display().to_string()).collect();
                return Err(Error::Evaluation {
                    what: format!("{} of --leaked", listed.display()),
                    message: format!("it is not here, and which of these it is cannot be told: {}", names.join(", ")),
                });
            }
            for (file, _) in meant {
                leaked.places.entry((*file).to_owned()).or_default().extend(numbers);
            }
        }
        Ok(leaked)
    }
}

/// The lists that a path stands for.
fn lists_in(path: &Path) -> Result<Vec<PathBuf>> {
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

    fn line(file: &Path, place: u64, cut: u64) -> String {
        let file = serde_json::to_string(file).expect("a path is JSON");
        format!(
            "{{\"benchmark\":\"quiz\",\"file\":{file},\"place\":{place},\"ngrams\":9,\"cut\":{cut},\"common\":1}}\n"
        )
    }

    #[test]
    fn lists_of_curate_are_read() -> Result<()> {
        let folder = tempfile::tempdir().expect("the temporary folder can be written");
        let lists = folder.path().join("facts/contamination");
        fs::create_dir_all(&lists).expect("it can be made");
        let elsewhere = Path::new("/nowhere/quiz.jsonl");
        fs::write(lists.join("decontaminate.jsonl"), line(elsewhere, 3, 2) + &line(elsewhere, 4, 0))
            .expect("it can be written");
        fs::write(lists.join("decontaminate.json"), "{}").expect("it can be written");
        let own = folder.path().join("own.jsonl");
        fs::write(&own, "{\"id\": \"x\"}\n").expect("it can be written");
        let found = LeakedLists::read(&[folder.path().to_owned(), own.clone()])?;
        assert_eq!(found.lists, [lists.join("decontaminate.jsonl"), own.clone()]);
        let quiz = Path::new("data/quiz.jsonl");
        let leaked = found.among(&[quiz, Path::new("data/other.jsonl")])?;
        assert!(leaked.has("", quiz, 3) && !leaked.has("", quiz, 4) && leaked.has("x", Path::new(""), 0));
        fs::write(&own, "{\"place\": 1}\n").expect("it can be written");
        let error = LeakedLists::read(&[own]).expect_err("it names nothing").to_string();
        assert!(error.contains("own.jsonl is damaged: line 1: it names neither"), "{error}");
        Ok(())
    }

    /// Two tasks often have a file `test.jsonl` each.
    #[test]
    fn a_file_is_itself_and_not_another_of_its_name() -> Result<()> {
        let folder = tempfile::tempdir().expect("the temporary folder can be written");
        let [one, other] = ["one", "other"].map(|name| folder.path().join(name).join("test.jsonl"));
        for file in [&one, &other] {
            fs::create_dir_all(file.parent().expect("it lies in a folder")).expect("it can be made");
            fs::write(file, "").expect("it can be written");
        }
        let list = folder.path().join("list.jsonl");
        fs::write(&list, line(&one, 1, 1)).expect("it can be written");
        let lists = LeakedLists::read(std::slice::from_ref(&list))?;
        let leaked = lists.among(&[&one, &other])?;
        assert!(leaked.has("", &one, 1) && !leaked.has("", &other, 1));
        assert_eq!(lists.among(&[&other])?, Leaked::default());

        fs::write(&list, line(Path::new("/nowhere/test.jsonl"), 1, 1)).expect("it can be written");
        let lists = LeakedLists::read(&[list])?;
        assert!(lists.among(&[&other])?.has("", &other, 1));
        let error = lists.among(&[&one, &other]).expect_err("it may be either").to_string();
        assert!(error.starts_with("/nowhere/test.jsonl of --leaked: it is not here, and which of these"), "{error}");
        Ok(())
    }
}
