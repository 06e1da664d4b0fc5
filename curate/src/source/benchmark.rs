//! Benchmarks: files of examples that must not stand in training data.

use std::{fs::File, io::Read as _, path::PathBuf};

use schemas::{
    byte_order_mark,
    examples::{ExampleRules, Found, Read},
    json_lines,
    paths::unpacked_name,
    task::{Split, Task},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    each_line,
    examples::{Examples, Lost},
    unpacked,
    windows::Windows,
};
use crate::{
    error::{Error, Result},
    files::hash_file,
};

/// A benchmark: its name and the files of its examples.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Benchmark {
    /// The name.
    pub name: String,
    /// The files, sorted.
    pub files: Vec<ExampleFile>,
    /// The keys of JSON objects whose strings are looked for; all by default.
    pub fields: Option<Vec<String>>,
    /// For the data of a task: what its examples are made of; their fields are looked for.
    pub rules: Option<ExampleRules>,
}

/// A file of examples. The hash makes facts by another one stale.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ExampleFile {
    /// The file.
    pub path: PathBuf,
    /// SHA-256 of its bytes.
    pub sha256: String,
    /// What an example is.
    pub kind: ExampleKind,
}

/// What an example of a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExampleKind {
    /// A line of JSON.
    JsonLine,
    /// An object that has strings, anywhere in a file that is one JSON value.
    JsonObject,
    /// A line of text.
    Line,
}

/// An example: its place and its strings.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Example {
    /// The line, or the number of the object, from 1.
    pub place: u64,
    /// Its strings: those of `fields` in their order, else in the order of the keys' names.
    pub strings: Vec<String>,
}

impl ExampleFile {
    /// A file whose name says what its examples are: `.json` is one value, `.jsonl` and `.ndjson` are lines of JSON, and of any other
    /// file each line is an example. A further ending such as `.gz` says nothing.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn new(path: PathBuf) -> Result<Self> {
        let sha256 = hash_file(&path)?.sha256;
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
        let kind = match unpacked_name(&name).rsplit_once('.') {
            Some((_, "json")) => ExampleKind::JsonObject,
            Some((_, "jsonl" | "ndjson")) => ExampleKind::JsonLine,
            _ => ExampleKind::Line,
        };
        Ok(Self { path, sha256, kind })
    }
}

impl Benchmark {
    /// The examples of a task, of which the task's fields count: those for validation and testing, or all where none are set aside.
    ///
    /// # Errors
    /// When its data cannot be read.
    pub fn of_task(name: String, task: &Task) -> Result<Self> {
        let is_held_out = |split: Split| split != Split::Train;
        let any = task.files.keys().any(|split| is_held_out(*split));
        let wanted = task.files.iter().filter(|(split, _)| is_held_out(**split) || !any).flat_map(|(_, files)| files);
        let files = wanted.cloned().map(ExampleFile::new).collect::<Result<Vec<_>>>()?;
        Ok(Self { name, files, fields: None, rules: Some(task.rules.clone()) })
    }

    /// Gives `take` every example of a file.
    ///
    /// # Errors
    /// When the file cannot be read, a line of JSON is none, or no example has a text: a download that failed finds nothing in any document.
    pub fn examples(&self, file: &ExampleFile, mut take: impl FnMut(&Example)) -> Result<()> {
        let mut is_empty = true;
        self.each_example(file, |example| {
            is_empty &= example.strings.iter().all(|text| text.trim().is_empty());
            take(example);
        })?;
        if is_empty { Err(Error::NoExample { path: file.path.clone() }) } else { Ok(()) }
    }

    fn each_example(&self, file: &ExampleFile, mut take: impl FnMut(&Example)) -> Result<()> {
        let fields = self.fields.as_deref();
        let mut example = Example::default();
        if let Some(rules) = &self.rules {
            return of_task(rules, file, &mut example, take);
        }
        if file.kind == ExampleKind::JsonObject {
            let read = |source| Error::File { action: "read", path: file.path.clone(), source };
            let mut bytes = Vec::new();
            let mut input = unpacked(File::open(&file.path).map_err(read)?).map_err(read)?;
            byte_order_mark::pass_over(&mut input).and_then(|_| input.read_to_end(&mut bytes)).map_err(read)?;
            let value = json_lines::value(&bytes, |_| false)
                .map_err(|fault| Error::Damaged { path: file.path.clone(), message: fault.to_string() })?;
            objects(&value, fields, &mut example, &mut take);
            return Ok(());
        }
        each_line(&file.path, |place, text| {
            example.place = place;
            example.strings.clear();
            if file.kind == ExampleKind::Line {
                example.strings.push(text.to_owned());
            } else {
                // strings alone are looked for
                let value = json_lines::value(text.as_bytes(), |_| false).map_err(|fault| fault.to_string())?;
                match (&value, fields) {
                    (Value::Object(object), Some(fields)) => {
                        let wanted = fields.iter().filter_map(|field| object.get(field));
                        wanted.for_each(|value| strings(value, &mut example.strings));
                    }
                    (value, _) => strings(value, &mut example.strings),
                }
            }
            take(&example);
            Ok(())
        })
    }
}

/// Every example that a task makes of a file, with the strings of its fields.
fn of_task(
    rules: &ExampleRules,
    file: &ExampleFile,
    example: &mut Example,
    mut take: impl FnMut(&Example),
) -> Result<()> {
    let read = |source| Error::File { action: "read", path: file.path.clone(), source };
    let mut examples = Examples::begin(rules, &file.path, &Windows::default()).map_err(read)?;
    while let Some(read) = examples.next_read().map_err(read)? {
        example.place += 1;
        let object = match read.map(|Read { found, .. }| found) {
            Ok(Found::Example(object) | Found::LeftOut(object)) => object,
            Ok(Found::Broken(_, detail)) => return Err(broken(file, example.place, &detail)),
            Err(Lost { fault, .. }) => return Err(broken(file, example.place, &fault.detail)),
        };
        example.strings.clear();
        let wanted = rules.fields.iter().filter_map(|field| object.get(field));
        wanted.for_each(|value| strings(value, &mut example.strings));
        take(example);
    }
    Ok(())
}

fn broken(file: &ExampleFile, number: u64, detail: &str) -> Error {
    Error::Damaged { path: file.path.clone(), message: format!("example {number}: {detail}") }
}

/// Every string of a value: of lists in their order, of objects in the order of their keys' names.
fn strings(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) => found.push(text.clone()),
        Value::Array(values) => values.iter().for_each(|value| strings(value, found)),
        Value::Object(object) => object.values().for_each(|value| strings(value, found)),
        _ => {}
    }
}

/// The strings of a value that holds no object: itself, or those of a list.
fn own_strings(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) => found.push(text.clone()),
        Value::Array(values) => values.iter().for_each(|value| own_strings(value, found)),
        _ => {}
    }
}

/// Every object of a value that has strings of its own, outer before inner.
fn objects(value: &Value, fields: Option<&[String]>, example: &mut Example, take: &mut impl FnMut(&Example)) {
    match value {
        Value::Object(object) => {
            example.strings.clear();
            let own = object.iter().filter(|(key, _)| fields.is_none_or(|fields| fields.contains(key)));
            own.for_each(|(_, value)| own_strings(value, &mut example.strings));
            if !example.strings.is_empty() {
                example.place += 1;
                take(example);
            }
            object.values().for_each(|value| objects(value, fields, example, take));
        }
        Value::Array(values) => values.iter().for_each(|value| objects(value, fields, example, take)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn examples(name: &str, content: &str, fields: Option<Vec<String>>) -> Result<Vec<(u64, String)>> {
        let folder = tempfile::tempdir().expect("the temporary folder can be written");
        let path = folder.path().join(name);
        std::fs::write(&path, content).expect("the folder can be written");
        let benchmark = Benchmark { name: "test".into(), files: vec![ExampleFile::new(path)?], fields, rules: None };
        let mut found = Vec::new();
        benchmark.examples(&benchmark.files[0], |example| found.push((example.place, example.strings.join("|"))))?;
        Ok(found)
    }

    #[test]
    fn names_of_files_say_what_an_example_is() -> Result<()> {
        let lines = "{\"question\": \"Why?\", \"choices\": [\"A\", \"B\"], \"label\": 1}\n\n{\"question\": \"How?\"}\n";
        assert_eq!(examples("a.jsonl", lines, None)?, [(1, "A|B|Why?".into()), (3, "How?".into())]);
        let question = Some(vec!["question".to_owned()]);
        assert_eq!(examples("a.jsonl", lines, question)?, [(1, "Why?".into()), (3, "How?".into())]);
        let nested = r#"{"data": [{"context": "C", "qas": [{"question": "Q", "answers": [{"text": ["A", "B"]}]}]}]}"#;
        assert_eq!(examples("a.json", nested, None)?, [(1, "C".into()), (2, "Q".into()), (3, "A|B".into())]);
        assert_eq!(examples("a.tsv", "Q\t1\nR\t0\n", None)?, [(1, "Q\t1".into()), (2, "R\t0".into())]);
        Ok(())
    }

    /// Marks before the first byte, halves of pairs and numbers that are none change no example.
    #[test]
    fn examples_are_read_as_they_come() -> Result<()> {
        let line = "\u{feff}{\"question\": \"Why\\ud83d\", \"score\": NaN}\r\n";
        for name in ["a.jsonl", "a.json"] {
            assert_eq!(examples(name, line, None)?, [(1, "Why\u{fffd}".into())], "{name}");
        }
        assert_eq!(examples("a.txt", "\u{feff}Why?\r\n", None)?, [(1, "Why?".into())]);
        Ok(())
    }

    #[test]
    fn a_file_without_an_example_is_named() {
        let question = Some(vec!["question".to_owned()]);
        for (name, content, fields) in [
            ("none.jsonl", "", None),
            ("none.txt", "\n \n\n", None),
            ("none.json", "[1, 2, 3]", None),
            ("none.jsonl", "{\"question\": \"\"}\n", None),
            ("none.jsonl", "{\"prompt\": \"Why?\"}\n", question),
        ] {
            let error = examples(name, content, fields).expect_err(content).to_string();
            assert!(error.contains(name) && error.contains("holds no example"), "{content:?}: {error}");
        }
    }

    #[test]
    fn a_broken_line_is_named() {
        let error =
            examples("broken.jsonl", "{\"question\": \"Why?\"}\n{\"question\": \n", None).expect_err("it is cut");
        let error = error.to_string();
        assert!(error.contains("broken.jsonl") && error.contains("line 2"), "{error}");
    }
}
