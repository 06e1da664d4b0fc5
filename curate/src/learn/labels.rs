//! Files of documents that people have labelled.

use std::path::Path;

use serde::Deserialize;

use crate::{
    error::Result,
    files::hash_file,
    source::{each_line, json_line},
};

/// The documents of a file.
pub struct LabelledFile {
    /// Texts, each with whether it is good.
    pub documents: Vec<(String, bool)>,
    /// SHA-256 of the file's bytes.
    pub sha256: String,
}

/// A line of the file.
#[derive(Deserialize)]
struct Row {
    text: String,
    label: Given,
}

/// What people call good.
#[derive(Deserialize)]
#[serde(untagged)]
enum Given {
    Flag(bool),
    Number(i64),
}

impl LabelledFile {
    /// Reads JSON lines, plain or packed as gzip or zstd, of objects with a `text` and a `label`, which is 1 or true for what is good and
    /// 0 or false for what is not.
    ///
    /// # Errors
    /// When the file cannot be read, or a line is none of these.
    pub fn read(path: &Path) -> Result<Self> {
        let mut documents = Vec::new();
        each_line(path, |_, line| {
            let row: Row = json_line(line)?;
            let label = match row.label {
                Given::Flag(label) => label,
                Given::Number(number @ (0 | 1)) => number == 1,
                Given::Number(other) => return Err(format!("a label is 0 or 1, and not {other}")),
            };
            documents.push((row.text, label));
            Ok(())
        })?;
        Ok(Self { documents, sha256: hash_file(path)?.sha256 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_that_is_none_is_named_with_its_line() {
        let folder = tempfile::tempdir().expect("the temporary folder can be written");
        let path = folder.path().join("labels.jsonl");
        let read = |content: &str| {
            std::fs::write(&path, content).expect("the folder can be written");
            LabelledFile::read(&path)
        };
        let file =
            read("{\"text\": \"a\", \"label\": 1}\n{\"text\": \"b\", \"label\": false}\n").expect("they are labels");
        assert_eq!(file.documents, [("a".to_owned(), true), ("b".to_owned(), false)]);
        for wrong in ["{\"text\": \"a\", \"label\": 2}", "{\"text\": \"a\"}", "{"] {
            let error = read(&format!("\n{wrong}\n")).err().expect("it is no label").to_string();
            assert!(error.contains("labels.jsonl") && error.contains("line 2"), "{error}");
        }
    }
}
