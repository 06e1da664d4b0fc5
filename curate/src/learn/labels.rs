//! Files of documents that people have labelled.

use std::path::Path;

use schemas::json_lines::{Field, fields};

use crate::{
    error::{Error, Result},
    files::hash_file,
    source::each_line,
};

/// The documents of a file.
pub struct LabelledFile {
    /// Texts, each with whether it is good.
    pub documents: Vec<(String, bool)>,
    /// SHA-256 of the file's bytes.
    pub sha256: String,
}

impl LabelledFile {
    /// Reads JSON lines, plain or packed as gzip or zstd, of objects with a `text` and a `label`, which is 1 or true for what is good and
    /// 0 or false for what is not; as a string, too, in letters of either case.
    ///
    /// # Errors
    /// When the file cannot be read, a line is none of these, or there is no line.
    pub fn read(path: &Path) -> Result<Self> {
        let mut documents = Vec::new();
        each_line(path, |_, line| {
            let read = fields(line.as_bytes(), ["text", "label"]);
            let [text, label] = read.map_err(|fault| fault.to_string())?;
            let text = text.into_text("text").map_err(|fault| fault.to_string())?;
            documents.push((text, is_good(&label)?));
            Ok(())
        })?;
        if documents.is_empty() {
            let message = "it holds no document with a label".to_owned();
            return Err(Error::Damaged { path: path.to_owned(), message });
        }
        Ok(Self { documents, sha256: hash_file(path)?.sha256 })
    }
}

/// Whether a label says that a text is good. Tables that pass through other programs have labels as strings, or as 1.0 and 0.0.
fn is_good(label: &Field) -> std::result::Result<bool, String> {
    let found = match label {
        Field::Flag(flag) => return Ok(*flag),
        Field::Number(number) => match number.as_f64() {
            Some(1.0) => return Ok(true),
            Some(0.0) => return Ok(false),
            _ => number.to_string(),
        },
        Field::Text(text) => match text.trim().to_ascii_lowercase().as_str() {
            "1" | "true" => return Ok(true),
            "0" | "false" => return Ok(false),
            _ => format!("{text:?}"),
        },
        Field::Missing => return Err("there is no `label`: it is 1 for a good text, and 0 for another".into()),
        other => other.what().to_owned(),
    };
    Err(format!("`label` is 1 or true for a good text, and 0 or false for another; this one is {found}"))
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
        let label = |label: &str| {
            let file = read(&format!("\n{{\"text\": \"a\", \"label\": {label}}}\n"));
            file.map(|file| file.documents[0].1).map_err(|error| error.to_string())
        };
        for (good, other) in
            [("1", "0"), ("true", "false"), ("1.0", "0.0"), ("\"1\"", "\" 0\""), ("\"True\"", "\"FALSE\"")]
        {
            assert_eq!((label(good), label(other)), (Ok(true), Ok(false)));
        }
        for wrong in ["2", "0.5", "\"good\"", "\"\"", "null", "NaN", "[1]"] {
            let error = label(wrong).expect_err("it is no label");
            let found = if wrong == "[1]" { "a list" } else { wrong };
            assert!(error.contains("labels.jsonl is damaged: line 2: `label` is 1 or true"), "{error}");
            assert!(error.ends_with(&format!("this one is {found}")), "{error}");
        }
        let error = read("\n\n").err().expect("there is no label").to_string();
        assert!(error.contains("labels.jsonl is damaged: it holds no document with a label"), "{error}");
        for wrong in ["{\"text\": \"a\"}", "{\"label\": 1}", "{"] {
            let error = read(&format!("\n{wrong}\n")).err().expect("it is no label").to_string();
            assert!(error.contains("labels.jsonl") && error.contains("line 2"), "{error}");
        }
    }
}
