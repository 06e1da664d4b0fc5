//! Questions with what is known of their answers out of a file, a few at a time: `query`, and, as far as they are there, `relevant` (ids of passages
//! or documents), `positive` (the text of a passage that answers) and `answers` (texts, one of which a passage has to contain).
//!
//! Useful for: judging a search; mixtures of pairs, as `curate` writes them, have the first and the third. Not useful for: training on pairs.

use std::path::Path;

use arrow::{array::RecordBatch, datatypes::Schema};
use schemas::{
    columns::{ANSWERS, ID, POSITIVE, QUERY},
    json_lines,
    text_columns::Texts,
};
use serde_json::Value;

use super::{
    read_options::ReadOptions,
    row_forms,
    row_values::{self, Ids, Lists, TextColumn, what},
    rows::Rows,
};
use crate::error::{Error, Result};

/// The column of what is to be found.
const RELEVANT: &str = "relevant";

/// A row.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct QuestionRow {
    /// Its number in the file, from 1: of the row, or of the line.
    pub number: usize,
    /// The column `id`, where there is one.
    pub id: Option<String>,
    /// The question.
    pub query: String,
    /// Ids of passages or documents that answer it.
    pub relevant: Option<Vec<String>>,
    /// The text of a passage that answers it.
    pub positive: Option<String>,
    /// Texts, one of which a passage that answers contains.
    pub answers: Option<Vec<String>>,
}

/// The rows of one file, in their order.
pub struct QuestionRows(Rows);

/// What of a row is read.
const COLUMNS: [&str; 5] = [ID, QUERY, RELEVANT, POSITIVE, ANSWERS];

impl QuestionRows {
    /// Opens a file of Parquet or JSON lines; by its name, which is one of the latter where it says nothing.
    ///
    /// # Errors
    /// When it cannot be read, or has no column `query`.
    pub fn open(path: &Path) -> Result<Self> {
        let columns = |schema: &Schema| match schema.field_with_name(QUERY) {
            Ok(_) => Ok(COLUMNS.to_vec()),
            Err(_) => Err(other_form(&schema.fields().iter().map(|field| field.name().as_str()).collect::<Vec<_>>())),
        };
        Ok(Self(Rows::open(path, ReadOptions::default(), columns)?))
    }

    /// The error of a row by its number.
    #[must_use]
    pub fn fault(&self, number: usize, message: &str) -> Error {
        self.0.fault(number, message)
    }

    /// The next few rows; none at the end.
    ///
    /// # Errors
    /// When a row cannot be read: the file and the row or line are named.
    pub fn next_few(&mut self) -> Result<Option<Vec<QuestionRow>>> {
        self.0.next_few(of_batch, from_line)
    }
}

/// What is wrong with a file or a line that has other columns.
fn other_form(columns: &[&str]) -> String {
    row_forms::other_form(&format!("no `{QUERY}`, which is searched for"), columns, "")
}

fn of_batch(batch: &RecordBatch, first: usize) -> Result<Vec<QuestionRow>, (Option<usize>, String)> {
    let whole = |message: String| (None, message);
    let queries = TextColumn::of(batch, QUERY).map_err(whole)?;
    let ids = Ids::of(batch);
    let has = |name: &str| batch.column_by_name(name).is_some();
    let lists = |name: &'static str| has(name).then(|| Lists::of(batch, name, "texts")).transpose().map_err(whole);
    let (relevant, answers) = (lists(RELEVANT)?, lists(ANSWERS)?);
    let positives = batch.column_by_name(POSITIVE).map(|column| {
        Texts::of(column).ok_or_else(|| format!("column `{POSITIVE}` is of type {}, and not text", column.data_type()))
    });
    let positives = positives.transpose().map_err(whole)?;
    let row = |row: usize| {
        let in_row = |message: String| (Some(row), message);
        let texts = |lists: &Option<Lists>| {
            let lists = lists.as_ref().filter(|lists| !lists.is_null(row));
            lists.map(|lists| lists.texts(row)).transpose().map_err(in_row)
        };
        let positive = positives.as_ref().map_or(Ok(None), |texts| texts.at(row));
        let positive = positive.map_err(|error| in_row(format!("column `{POSITIVE}` is not UTF-8: {error}")))?;
        Ok(QuestionRow {
            number: first + row,
            id: ids.as_ref().map_or(Ok(None), |ids| ids.at(row)).map_err(in_row)?,
            query: queries.at(row).map_err(in_row)?,
            relevant: some(texts(&relevant)?),
            positive: positive.filter(|text| !text.trim().is_empty()).map(str::to_owned),
            answers: some(texts(&answers)?),
        })
    };
    (0..batch.num_rows()).map(row).collect()
}

/// A list with nothing in it says nothing of what answers.
fn some(texts: Option<Vec<String>>) -> Option<Vec<String>> {
    texts.filter(|texts| !texts.is_empty())
}

fn number_as_text(value: Value) -> Value {
    if let Value::Number(number) = &value { Value::String(number.to_string()) } else { value }
}

fn from_line(line: &[u8], number: usize) -> Result<QuestionRow, String> {
    let value = json_lines::value(line, |key| COLUMNS.contains(&key)).map_err(|fault| fault.to_string())?;
    let Value::Object(mut object) = value else { return Err("it is no object".into()) };
    let text = |key: &str, value: Value| match value {
        Value::String(text) => Ok(text),
        other => Err(format!("`{key}` is {}, and no text", what(&other))),
    };
    let Some(query) = object.remove(QUERY) else {
        return Err(other_form(&object.keys().map(String::as_str).collect::<Vec<_>>()));
    };
    // a null is as if it were not there
    object.retain(|_, value| !value.is_null());
    // ids may be numbers
    let written = |value: Value| match value {
        Value::Array(items) => Value::Array(items.into_iter().map(number_as_text).collect()),
        other => other,
    };
    let relevant = object.remove(RELEVANT).map(|value| row_values::texts(RELEVANT, written(value))).transpose()?;
    let answers = object.remove(ANSWERS).map(|value| row_values::texts(ANSWERS, value)).transpose()?;
    let positive = object.remove(POSITIVE).map(|value| text(POSITIVE, value)).transpose()?;
    let positive = positive.filter(|text| !text.trim().is_empty());
    let (relevant, answers) = (some(relevant), some(answers));
    Ok(QuestionRow { number, query: text(QUERY, query)?, relevant, positive, answers, id: row_values::id(&mut object) })
}
