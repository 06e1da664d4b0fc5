//! Rows of retrieval out of a file, a few at a time: a `query`, the passage that answers it (`positive`), and, as far as they are there, passages
//! that do not (`negatives`) and texts of which a passage that answers contains one (`answers`).
//!
//! Useful for: mixtures of pairs, as `curate` writes them, and files of other tools with these columns. Not useful for: judging a search, where a
//! passage may be known by its id; see [`super::QuestionRows`].

use std::path::Path;

use arrow::{array::RecordBatch, datatypes::Schema};
use schemas::{
    columns::{ANSWERS, NEGATIVES, POSITIVE, QUERY},
    json_lines,
};
use serde_json::Value;

use super::{
    read_options::ReadOptions,
    row_forms,
    row_values::{self, Lists, TextColumn},
    rows::Rows,
};
use crate::error::Result;

/// A row.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RetrievalRow {
    /// Its number in the file, from 1: of the row, or of the line.
    pub number: usize,
    /// The question.
    pub query: String,
    /// The passage that answers it.
    pub positive: String,
    /// Passages that do not; none where there are none.
    pub negatives: Vec<String>,
    /// Texts, one of which a passage that answers contains; none where they are not known.
    pub answers: Vec<String>,
}

/// The rows of one file, in their order.
pub struct RetrievalRows(Rows);

/// What of a row is read.
const COLUMNS: [&str; 4] = [QUERY, POSITIVE, NEGATIVES, ANSWERS];

impl RetrievalRows {
    /// Opens a file of Parquet or JSON lines; by its name, which is one of the latter where it says nothing.
    ///
    /// # Errors
    /// When it cannot be read, or lacks `query` or `positive`.
    pub fn open(path: &Path, options: ReadOptions) -> Result<Self> {
        let columns = |schema: &Schema| {
            if [QUERY, POSITIVE].iter().all(|name| schema.field_with_name(name).is_ok()) {
                return Ok(COLUMNS.to_vec());
            }
            Err(other_form(&schema.fields().iter().map(|field| field.name().as_str()).collect::<Vec<_>>()))
        };
        Ok(Self(Rows::open(path, options, columns)?))
    }

    /// Bytes of the file that are lost, as it is known so far.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.0.lost()
    }

    /// The next few rows, some megabytes of text; none at the end.
    ///
    /// # Errors
    /// When a row cannot be read: the file and the row or line are named.
    pub fn next_few(&mut self) -> Result<Option<Vec<RetrievalRow>>> {
        self.0.next_few(of_batch, from_line)
    }
}

/// What is wrong with a file or a line that has other columns.
fn other_form(columns: &[&str]) -> String {
    let more = "; `curate` writes such rows of tasks in the form `retrieval`";
    row_forms::other_form(&format!("no `{QUERY}` with `{POSITIVE}`"), columns, more)
}

fn of_batch(batch: &RecordBatch, first: usize) -> Result<Vec<RetrievalRow>, (Option<usize>, String)> {
    let whole = |message: String| (None, message);
    let [queries, positives] = [QUERY, POSITIVE].map(|name| TextColumn::of(batch, name).map_err(whole));
    let (queries, positives) = (queries?, positives?);
    let has = |name: &str| batch.column_by_name(name).is_some();
    let lists = |name: &'static str| has(name).then(|| Lists::of(batch, name, "texts")).transpose().map_err(whole);
    let (negatives, answers) = (lists(NEGATIVES)?, lists(ANSWERS)?);
    let row = |row: usize| {
        let in_row = |message: String| (Some(row), message);
        let texts = |lists: &Option<Lists>| match lists.as_ref().filter(|lists| !lists.is_null(row)) {
            Some(lists) => lists.texts(row).map_err(in_row),
            None => Ok(Vec::new()),
        };
        Ok(RetrievalRow {
            number: first + row,
            query: queries.at(row).map_err(in_row)?,
            positive: positives.at(row).map_err(in_row)?,
            negatives: texts(&negatives)?,
            answers: texts(&answers)?,
        })
    };
    (0..batch.num_rows()).map(row).collect()
}

fn from_line(line: &[u8], number: usize) -> Result<RetrievalRow, String> {
    let value = json_lines::value(line, |key| COLUMNS.contains(&key)).map_err(|fault| fault.to_string())?;
    let Value::Object(mut object) = value else { return Err("it is no object".into()) };
    if ![QUERY, POSITIVE].iter().all(|key| object.contains_key(*key)) {
        return Err(other_form(&object.keys().map(String::as_str).collect::<Vec<_>>()));
    }
    let [query, positive] = [QUERY, POSITIVE].map(|key| row_values::text(key, object.remove(key)));
    let mut texts = |key: &str| match object.remove(key) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(value) => row_values::texts(key, value),
    };
    let (negatives, answers) = (texts(NEGATIVES)?, texts(ANSWERS)?);
    Ok(RetrievalRow { number, query: query?, positive: positive?, negatives, answers })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn read(lines: &str) -> Result<Vec<RetrievalRow>> {
        let folder = tempfile::tempdir().expect("the temporary folder can be written");
        let path = folder.path().join("rows.jsonl");
        fs::write(&path, lines).expect("the file can be written");
        let mut rows = RetrievalRows::open(&path, ReadOptions::default())?;
        let mut all = Vec::new();
        while let Some(few) = rows.next_few()? {
            all.extend(few);
        }
        Ok(all)
    }

    /// What may lack is none, as a null is; what has to be there is named, and so is the line.
    #[test]
    fn a_row_has_a_query_and_a_positive() -> Result<()> {
        let lines = concat!(
            r#"{"query": "q", "positive": "p", "negatives": ["n", "m"], "answers": ["a"], "id": 3}"#,
            "\n",
            r#"{"positive": "p", "query": "q", "negatives": null}"#,
        );
        let row = |number, negatives: &[&str], answers: &[&str]| RetrievalRow {
            number,
            query: "q".into(),
            positive: "p".into(),
            negatives: negatives.iter().map(|text| (*text).to_owned()).collect(),
            answers: answers.iter().map(|text| (*text).to_owned()).collect(),
        };
        assert_eq!(read(lines)?, [row(1, &["n", "m"], &["a"]), row(2, &[], &[])]);
        for (line, message) in [
            (r#"{"prompt": "p", "completion": "c"}"#, "line 1: it has no `query` with `positive`"),
            (r#"{"query": "q", "positive": null}"#, "line 1: `positive` is null, and no string"),
            (r#"{"query": "q", "positive": "p", "negatives": [1]}"#, "item 1 of `negatives` is 1, and no string"),
        ] {
            let error = read(line).expect_err("it is refused").to_string();
            assert!(error.contains(message), "{error}");
        }
        Ok(())
    }
}
