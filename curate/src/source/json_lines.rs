//! JSON lines as documents.

use std::{
    io::{self, BufRead as _},
    sync::Arc,
};

use schemas::{
    byte_order_mark::without_mark,
    json_lines::{Field, LineFault, LineFaultKind, fields, is_cut},
    toml_file::TomlError,
};

use super::{
    SourceRecipe,
    columns::{Columns, Found, Picked},
    copy::Copying,
    format::{ListedFormat, SourceFile, SourceFormat},
    raw::{Raw, RawReader, RawRecord, Unpacked, invalid},
    row::Row,
};
use crate::{
    archive::Fault,
    files::{NamedFiles, Version},
};

/// How JSON lines become rows.
const VERSION: Version = Version::new("source/json_lines", 2);

/// The lines of a file.
pub struct Lines {
    input: Unpacked,
    columns: Arc<Columns>,
    offset: u64,
    ended: bool,
}

impl Lines {
    fn new(input: Unpacked, columns: &Columns) -> Self {
        Self { input, columns: Arc::new(columns.clone()), offset: 0, ended: false }
    }
}

/// A line, without its line break.
#[derive(Debug)]
struct Line {
    /// Where it begins in the unpacked file.
    offset: u64,
    bytes: Vec<u8>,
    columns: Arc<Columns>,
}

impl RawRecord for Line {
    fn size(&self) -> usize {
        self.bytes.len()
    }

    fn row(&self, source: &str) -> Row {
        row(source, &self.columns, self.offset, &self.bytes)
    }
}

impl RawReader for Lines {
    fn next_raw(&mut self) -> io::Result<Option<Raw>> {
        while !self.ended {
            let offset = self.offset;
            let mut bytes = Vec::new();
            match self.input.bytes.read_until(b'\n', &mut bytes) {
                Ok(0) => self.ended = true,
                Ok(count) => {
                    self.offset += count as u64;
                    let is_last = bytes.last() != Some(&b'\n');
                    if offset == 0 {
                        let text = without_mark(&bytes).map_err(invalid)?;
                        bytes.drain(..bytes.len() - text.len());
                    }
                    if is_last && is_cut(&bytes) {
                        self.ended = true;
                        let detail = format!("the file ends within the line of JSON that begins at byte {offset}");
                        return Ok(Some(self.input.on_disk.cut(Fault::JsonClipped, offset, detail)));
                    }
                    bytes.truncate(bytes.trim_ascii_end().len());
                    // a blank line is no record
                    if !bytes.is_empty() {
                        let columns = Arc::clone(&self.columns);
                        return Ok(Some(Raw::record(Line { offset, bytes, columns })));
                    }
                }
                Err(error) => {
                    self.ended = true;
                    return self.input.on_disk.fault(error, offset).map(Some);
                }
            }
        }
        Ok(None)
    }
}

impl SourceFormat for Lines {
    type Options = Columns;

    const NAME: &'static str = "jsonl";

    fn versions(_: &Columns) -> Vec<Version> {
        vec![VERSION]
    }

    fn open(columns: &Columns, file: SourceFile<'_>) -> io::Result<Self> {
        Ok(Self::new(file.unpacked()?, columns))
    }

    fn copying(columns: &Columns) -> Option<Copying<'_>> {
        Some(Copying::Lines { text: &columns.text })
    }
}

impl ListedFormat for Lines {
    fn options(recipe: &SourceRecipe, _: &str, _: &NamedFiles<'_>) -> Result<Columns, TomlError> {
        Ok(recipe.columns.columns())
    }
}

/// Reads an object.
fn row(source: &str, columns: &Columns, offset: u64, line: &[u8]) -> Row {
    let row = Row { offset, bytes: line.len() as u64, ..Row::default() };
    match picked(columns, line) {
        Ok(picked) => picked.document(source, row, &columns.text),
        Err(fault) => row.broken(fault_of(fault.kind), fault.to_string()),
    }
}

fn fault_of(kind: LineFaultKind) -> Fault {
    match kind {
        LineFaultKind::Syntax => Fault::JsonSyntax,
        LineFaultKind::Field => Fault::JsonField,
        LineFaultKind::NotUtf8 => Fault::NotUtf8,
    }
}

fn picked(columns: &Columns, line: &[u8]) -> Result<Picked, LineFault> {
    let Columns { text, id, url, date, title, language } = columns;
    let [found, ids, urls, dates, titles, languages] = fields(line, [text, id, url, date, title, language])?;
    let text = match found {
        Field::Missing => Found::Missing,
        found => Found::Text(found.into_text(text)?),
    };
    Ok(Picked {
        text,
        id: present(ids, id)?,
        url: present(urls, url)?,
        date: present(dates, date)?,
        title: present(titles, title)?,
        language: present(languages, language)?,
    })
}

/// A value that may stand for a name: ids and dates are numbers in some corpora.
fn present(field: Field, key: &str) -> Result<Option<String>, LineFault> {
    match field {
        Field::Text(text) => Ok(Some(text).filter(|text| !text.is_empty())),
        Field::Number(number) => Ok(Some(number.to_string())),
        Field::NotANumber(word) => Err(LineFault::of_key(key, &format!("is {word}, which is no JSON: write null"))),
        _ => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use schemas::identity::DocumentId;

    use super::*;
    use crate::source::row::Outcome;

    fn read(line: &str) -> Row {
        row("forum", &Columns::default(), 7, line.as_bytes())
    }

    #[test]
    fn an_id_may_be_a_number() {
        let row = read(r#"{"id": 12, "meta": {"a": [1]}, "text": "Hello."}"#);
        assert_eq!(row.record.as_deref(), Some("12"));
        assert_eq!(row.id, Some(DocumentId::of("forum", "12", "", b"Hello.")));
        assert!(matches!(row.outcome, Outcome::Text(text) if text == "Hello."));
    }

    /// As other programs write them: with a mark before the first line, line breaks of two bytes, separators of Unicode within a text, and
    /// half a pair. A record begins where its line does.
    #[test]
    fn lines_are_read_as_they_come() {
        let lines =
            "\u{feff}{\"text\": \"one\"}\r\n\r\n{\"text\": \"t\u{2028}wo\"}\n{\"text\": \"\\udc00\", \"score\": NaN}";
        let open = |bytes| Lines::new(Unpacked::plain(bytes), &Columns::default());
        let mut reader = open(lines.as_bytes());
        let mut found = Vec::new();
        while let Some(Raw::Record(line)) = reader.next_raw().expect("memory can be read") {
            let row = line.row("forum");
            match row.outcome {
                Outcome::Text(text) => found.push((row.offset, text)),
                other => panic!("expected a text, found {other:?}"),
            }
        }
        assert_eq!(found, [(0, "one".into()), (22, "t\u{2028}wo".into()), (41, "\u{fffd}".into())]);
        let mut other = open(&b"\xff\xfe{\0\"\0"[..]);
        let error = other.next_raw().expect_err("it is not UTF-8").to_string();
        assert!(error.contains("UTF-16LE") && error.contains("iconv"), "{error}");
    }

    #[test]
    fn what_is_no_document_says_why() {
        let fault = |line: &str| match read(line).outcome {
            Outcome::Quarantined(fault, detail) => (fault, detail),
            other => panic!("expected a fault, found {other:?}"),
        };
        assert_eq!(fault(r#"{"text": "cut o"#).0, Fault::JsonSyntax);
        assert_eq!(fault(r#"{"text": "a"} {"#).0, Fault::JsonSyntax);
        assert_eq!(fault(r#"{"body": "a"}"#), (Fault::JsonField, "there is no `text`".into()));
        assert_eq!(fault(r#"{"text": 3}"#), (Fault::JsonField, "`text` is a number, and no string".into()));
        assert_eq!(fault(r#"{"text": "a", "date": NaN}"#).1, "`date` is NaN, which is no JSON: write null");
        assert_eq!(fault("[1, 2]").0, Fault::JsonField);
        assert!(matches!(read(r#"{"text": " "}"#).outcome, Outcome::Dropped(super::super::Reason::NoText)));
    }
}
