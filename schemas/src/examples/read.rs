//! The rows of a file of examples.

use std::io::{self, BufRead};

use csv::ByteRecord;
use regex::Regex;
use serde_json::Value;

use super::{ExampleFormat, ExampleRules, Expressions, values::Object};
use crate::{
    byte_order_mark,
    csv_rows::CsvRows,
    json_lines::{self, LineFault, LineFaultKind, Values},
};

/// What is wrong with a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExampleFault {
    /// A line that is no JSON.
    JsonSyntax,
    /// A field is missing, or what stands in its place is no object.
    JsonField,
    /// A row with more or fewer fields than columns.
    CsvRow,
    /// Text that is not UTF-8.
    NotUtf8,
    /// A line that the task's pattern does not match.
    Pattern,
    /// An example that the task's expressions can make nothing of.
    Meaning,
}

/// What became of a row.
#[derive(Debug, Clone, PartialEq)]
pub enum Found {
    /// An example.
    Example(Object),
    /// An example that the task does not want.
    LeftOut(Object),
    /// A row that is no example, and what is wrong with it.
    Broken(ExampleFault, String),
}

/// A row, and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Read {
    /// Where it begins in the unpacked file; in files that are one value, its number from 0.
    pub offset: u64,
    /// What became of it.
    pub found: Found,
}

/// Reads the examples of a file, one after the other.
pub struct ExampleReader {
    rules: ExampleRules,
    expressions: Expressions,
    rows: Rows,
    /// Examples of the row before.
    waiting: std::vec::IntoIter<Read>,
}

enum Rows {
    Lines { input: Box<dyn BufRead + Send>, offset: u64, pattern: Option<Regex> },
    Table { reader: CsvRows<Box<dyn BufRead + Send>>, names: Vec<String>, record: ByteRecord, tabs: bool },
    Objects { objects: std::vec::IntoIter<Value>, mended: bool, number: u64 },
}

impl ExampleReader {
    /// Begins to read unpacked bytes.
    ///
    /// # Errors
    /// When the file cannot be read, is not in UTF-8 by its byte order mark, is no JSON where it should be one value, or the rules do not
    /// hold together.
    pub fn new(rules: ExampleRules, format: ExampleFormat, mut input: Box<dyn BufRead + Send>) -> io::Result<Self> {
        let invalid = |message: String| io::Error::new(io::ErrorKind::InvalidData, message);
        let offset = match format {
            // the reader of tables passes over it by itself, and counts it
            ExampleFormat::Csv | ExampleFormat::Tsv => byte_order_mark::mark_length(&mut input)?,
            _ => byte_order_mark::pass_over(&mut input)?,
        } as u64;
        let rows = match format {
            ExampleFormat::JsonLines => Rows::Lines { input, offset, pattern: None },
            ExampleFormat::Lines => {
                let pattern =
                    rules.pattern.as_deref().ok_or_else(|| invalid("lines are read by a `pattern`".into()))?;
                Rows::Lines { input, offset, pattern: Some(Regex::new(pattern).map_err(io::Error::other)?) }
            }
            ExampleFormat::Csv | ExampleFormat::Tsv => {
                let tabs = format == ExampleFormat::Tsv;
                let mut reader = if tabs { CsvRows::without_quotes(input, b'\t') } else { CsvRows::new(input, b',') };
                let mut record = ByteRecord::new();
                let names = match &rules.columns {
                    Some(columns) => columns.clone(),
                    None => {
                        reader.read(&mut record)?;
                        record.iter().map(name_of).collect::<io::Result<_>>()?
                    }
                };
                Rows::Table { reader, names, record, tabs }
            }
            ExampleFormat::Json | ExampleFormat::Squad => {
                let mut bytes = Vec::new();
                input.read_to_end(&mut bytes)?;
                let Values { value, mended } =
                    json_lines::values(&bytes).map_err(|fault| invalid(fault.to_string()))?;
                let objects = if format == ExampleFormat::Squad { squad(&value) } else { list(value) };
                let objects = objects.map_err(|message| invalid(message.to_owned()))?;
                Rows::Objects { objects: objects.into_iter(), mended, number: 0 }
            }
            ExampleFormat::Parquet => return Err(invalid("Parquet is read by whoever holds its reader".into())),
        };
        let expressions =
            Expressions::new(&rules).map_err(|fault| invalid(format!("`{}`: {}", fault.key, fault.message)))?;
        Ok(Self { rules, expressions, rows, waiting: Vec::new().into_iter() })
    }

    /// The next row, or nothing at the end.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn next_row(&mut self) -> io::Result<Option<Read>> {
        loop {
            if let Some(read) = self.waiting.next() {
                return Ok(Some(read));
            }
            let is_read = |key: &str| self.rules.fields.iter().any(|field| field == key);
            let Some((offset, object)) = self.rows.next_object(&is_read)? else { return Ok(None) };
            let found = match object {
                Ok(object) => objects_of(&self.expressions, &self.rules, object),
                Err((fault, detail)) => vec![Found::Broken(fault, detail)],
            };
            self.waiting = found.into_iter().map(|found| Read { offset, found }).collect::<Vec<_>>().into_iter();
        }
    }
}

/// The examples that a row makes.
#[must_use]
pub fn objects_of(expressions: &Expressions, rules: &ExampleRules, object: Object) -> Vec<Found> {
    let items = match expressions.items(object) {
        Ok(items) => items,
        Err(detail) => return vec![Found::Broken(ExampleFault::JsonField, detail)],
    };
    let meaning = |object: Object| match expressions.values(rules, &object) {
        Ok(Some(_)) => Found::Example(object),
        Ok(None) => Found::LeftOut(object),
        Err(detail) => Found::Broken(ExampleFault::Meaning, detail),
    };
    items.into_iter().map(meaning).collect()
}

/// A row as an object, or what is wrong with it.
type Row = Result<Object, (ExampleFault, String)>;

impl Rows {
    fn next_object(&mut self, is_read: &dyn Fn(&str) -> bool) -> io::Result<Option<(u64, Row)>> {
        match self {
            Self::Lines { input, offset, pattern } => {
                let mut line = Vec::new();
                loop {
                    line.clear();
                    let start = *offset;
                    let count = input.read_until(b'\n', &mut line)?;
                    if count == 0 {
                        return Ok(None);
                    }
                    *offset += count as u64;
                    let line = line.trim_ascii_end();
                    // a blank line is no row
                    if !line.is_empty() {
                        return Ok(Some((start, of_line(line, pattern.as_ref(), is_read))));
                    }
                }
            }
            Self::Table { reader, names, record, tabs } => {
                let Some(offset) = reader.read(record)? else { return Ok(None) };
                Ok(Some((offset, of_record(record, names, *tabs))))
            }
            Self::Objects { objects, mended, number } => {
                let Some(value) = objects.next() else { return Ok(None) };
                *number += 1;
                let mut found = Values { value, mended: *mended };
                let settled = found.settle(is_read).map_err(|fault| faulty(&fault));
                Ok(Some((*number - 1, settled.and_then(|()| of_value(found.value)))))
            }
        }
    }
}

/// The name of a column. A line break of two bytes divides rows of tabs as well.
fn name_of(field: &[u8]) -> io::Result<String> {
    let name = std::str::from_utf8(field).map_err(|error| {
        io::Error::new(io::ErrorKind::InvalidData, format!("the name of a column is not UTF-8: {error}"))
    })?;
    Ok(name.trim_end_matches('\r').to_owned())
}

fn of_value(value: Value) -> Row {
    match value {
        Value::Object(object) => Ok(object),
        _ => Err((ExampleFault::JsonField, "this is no object".to_owned())),
    }
}

fn faulty(fault: &LineFault) -> (ExampleFault, String) {
    let kind = match fault.kind {
        LineFaultKind::Syntax => ExampleFault::JsonSyntax,
        LineFaultKind::Field => ExampleFault::JsonField,
        LineFaultKind::NotUtf8 => ExampleFault::NotUtf8,
    };
    (kind, fault.to_string())
}

fn of_line(line: &[u8], pattern: Option<&Regex>, is_read: &dyn Fn(&str) -> bool) -> Row {
    let Some(pattern) = pattern else {
        return json_lines::value(line, is_read).map_err(|fault| faulty(&fault)).and_then(of_value);
    };
    let text = std::str::from_utf8(line).map_err(|error| (ExampleFault::NotUtf8, error.to_string()))?;
    let found =
        pattern.captures(text).ok_or_else(|| (ExampleFault::Pattern, "the pattern does not match".to_owned()))?;
    let group = |name: &str| found.name(name).map(|group| (name.to_owned(), group.as_str().into()));
    Ok(pattern.capture_names().flatten().filter_map(group).collect())
}

/// - `tabs`: whether the last field may still have the first byte of a line break of two
fn of_record(record: &ByteRecord, names: &[String], tabs: bool) -> Row {
    if record.len() != names.len() {
        return Err((
            ExampleFault::CsvRow,
            format!("{} fields, where there are {} columns", record.len(), names.len()),
        ));
    }
    let field = |(place, name): (usize, &String)| {
        let mut bytes = &record[place];
        if tabs && place + 1 == names.len() {
            bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
        }
        let text = std::str::from_utf8(bytes)
            .map_err(|error| (ExampleFault::NotUtf8, format!("column `{name}` is not UTF-8: {error}")))?;
        Ok((name.clone(), Value::from(text)))
    };
    names.iter().enumerate().map(field).collect()
}

fn list(value: Value) -> Result<Vec<Value>, &'static str> {
    match value {
        Value::Array(values) => Ok(values),
        _ => Err("the file is no list of examples"),
    }
}

/// The questions of a file in the form of `SQuAD`: articles, paragraphs, questions.
fn squad(value: &Value) -> Result<Vec<Value>, &'static str> {
    let articles = value["data"].as_array().ok_or("there is no list `data`")?;
    let mut questions = Vec::new();
    for article in articles {
        for paragraph in article["paragraphs"].as_array().ok_or("an article has no list `paragraphs`")? {
            for question in paragraph["qas"].as_array().ok_or("a paragraph has no list `qas`")? {
                let answers = question["answers"].as_array().map_or(&[][..], Vec::as_slice);
                let of_answers =
                    |key: &str| Value::from(answers.iter().map(|answer| answer[key].clone()).collect::<Vec<_>>());
                questions.push(serde_json::json!({
                    "id": question["id"], "title": article["title"], "context": paragraph["context"],
                    "question": question["question"], "answers": of_answers("text"),
                    "answer_starts": of_answers("answer_start"),
                }));
            }
        }
    }
    Ok(questions)
}
