//! Documents with what is known of them out of a file, a few at a time: `text`, and `id`, `title`, `source`, `date` and `language` where they are
//! there.
//!
//! Useful for: an index of passages. Not useful for: texts to learn a language from; see [`super::Documents`].

use std::path::Path;

use arrow::{
    array::{Array as _, RecordBatch},
    compute::cast,
    datatypes::{DataType, Schema},
};
use schemas::{
    columns::{DATE, ID, LANGUAGE, SOURCE, TEXT, TITLE},
    json_lines,
    text_columns::Texts,
};
use serde_json::Value;

use super::{
    read_options::ReadOptions,
    row_forms,
    row_values::{TextColumn, what},
    rows::Rows,
};
use crate::error::{Error, Result};

/// A row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceRow {
    /// Its number in the file, from 1: of the row, or of the line.
    pub number: usize,
    /// The column `id`, where there is one.
    pub id: Option<String>,
    /// Its title; empty where it has none.
    pub title: String,
    /// What it says.
    pub text: String,
    /// Where it is from.
    pub source: Option<String>,
    /// When it was written or read.
    pub date: Option<String>,
    /// Its language.
    pub language: Option<String>,
}

/// The rows of one file, in their order.
pub struct SourceRows(Rows);

/// What of a row is read.
const COLUMNS: [&str; 6] = [ID, TITLE, TEXT, SOURCE, DATE, LANGUAGE];

impl SourceRows {
    /// Opens a file of Parquet or JSON lines; by its name, which is one of the latter where it says nothing.
    ///
    /// # Errors
    /// When it cannot be read, or has no column `text`.
    pub fn open(path: &Path) -> Result<Self> {
        let columns = |schema: &Schema| match schema.field_with_name(TEXT) {
            Ok(_) => Ok(COLUMNS.to_vec()),
            Err(_) => Err(other_form(&schema.fields().iter().map(|field| field.name().as_str()).collect::<Vec<_>>())),
        };
        Ok(Self(Rows::open(path, ReadOptions::default(), columns)?))
    }

    /// Bytes of the file that are lost, as it is known so far.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.0.lost()
    }

    /// The error of a row by its number.
    #[must_use]
    pub fn fault(&self, number: usize, message: &str) -> Error {
        self.0.fault(number, message)
    }

    /// The next few rows, some megabytes of text; none at the end.
    ///
    /// # Errors
    /// When a row cannot be read: the file and the row or line are named.
    pub fn next_few(&mut self) -> Result<Option<Vec<SourceRow>>> {
        self.0.next_few(of_batch, from_line)
    }
}

/// What is wrong with a file or a line that has other columns.
fn other_form(columns: &[&str]) -> String {
    row_forms::other_form(&format!("no `{TEXT}`, which passages are made of"), columns, "")
}

fn of_batch(batch: &RecordBatch, first: usize) -> Result<Vec<SourceRow>, (Option<usize>, String)> {
    let texts = TextColumn::of(batch, TEXT).map_err(|message| (None, message))?;
    let [ids, titles, sources, dates, languages] =
        [ID, TITLE, SOURCE, DATE, LANGUAGE].map(|name| Optional::of(batch, name));
    let whole = |column: Result<Optional, String>| column.map_err(|message| (None, message));
    let (ids, titles, sources) = (whole(ids)?, whole(titles)?, whole(sources)?);
    let (dates, languages) = (whole(dates)?, whole(languages)?);
    let row = |row: usize| {
        let in_row = |message: String| (Some(row), message);
        Ok(SourceRow {
            number: first + row,
            id: ids.at(row).map_err(in_row)?,
            title: titles.at(row).map_err(in_row)?.unwrap_or_default(),
            text: texts.at(row).map_err(in_row)?,
            source: sources.at(row).map_err(in_row)?,
            date: dates.at(row).map_err(in_row)?,
            language: languages.at(row).map_err(in_row)?,
        })
    };
    (0..batch.num_rows()).map(row).collect()
}

/// A column that may lack, or have nulls; dates and whole numbers are texts as they are written, such as 2026-11-30.
struct Optional {
    name: &'static str,
    texts: Option<Texts>,
}

impl Optional {
    fn of(batch: &RecordBatch, name: &'static str) -> Result<Self, String> {
        let Some(column) = batch.column_by_name(name) else { return Ok(Self { name, texts: None }) };
        let kind = column.data_type();
        let written = if kind.is_temporal() || kind.is_integer() { cast(column, &DataType::Utf8).ok() } else { None };
        match Texts::of(written.as_ref().unwrap_or(column)) {
            Some(texts) => Ok(Self { name, texts: Some(texts) }),
            None => Err(format!("column `{name}` is of type {kind}, and neither text nor a date or a whole number")),
        }
    }

    fn at(&self, row: usize) -> Result<Option<String>, String> {
        let Self { name, texts } = self;
        let text = texts.as_ref().map_or(Ok(None), |texts| texts.at(row));
        Ok(text.map_err(|error| format!("column `{name}` is not UTF-8: {error}"))?.map(str::to_owned))
    }
}

fn from_line(line: &[u8], number: usize) -> Result<SourceRow, String> {
    let value = json_lines::value(line, |key| COLUMNS.contains(&key)).map_err(|fault| fault.to_string())?;
    let Value::Object(mut object) = value else { return Err("it is no object".into()) };
    let text = match object.remove(TEXT) {
        Some(Value::String(text)) => text,
        Some(other) => return Err(format!("`{TEXT}` is {}, and no text", what(&other))),
        None => return Err(other_form(&object.keys().map(String::as_str).collect::<Vec<_>>())),
    };
    let mut optional = |key: &str| match object.remove(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(Value::Number(number)) => Ok(Some(number.to_string())),
        Some(other) => Err(format!("`{key}` is {}, and neither a text nor a number", what(&other))),
    };
    Ok(SourceRow {
        number,
        id: optional(ID)?,
        title: optional(TITLE)?.unwrap_or_default(),
        text,
        source: optional(SOURCE)?,
        date: optional(DATE)?,
        language: optional(LANGUAGE)?,
    })
}
