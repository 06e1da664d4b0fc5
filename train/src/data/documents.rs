//! Documents out of a file, a few at a time.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::{Path, PathBuf},
};

use arrow::array::{Array as _, ArrayRef, AsArray as _, RecordBatch};
use parquet::arrow::{
    ProjectionMask,
    arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder},
};
use serde::Deserialize;

use super::files::{Compression, Format};
use crate::error::{Error, Result};

/// Bytes of text that are in memory together, about.
const CHUNK: usize = 4 << 20;

/// A row: a text, or a prompt and what follows on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// What is read and not learnt to say; empty for a text.
    pub prompt: String,
    /// The column `text` or `completion`.
    pub text: String,
}

impl Document {
    /// Bytes of text.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.prompt.len() + self.text.len()
    }
}

/// The documents of one file, in their order.
pub struct Documents {
    path: PathBuf,
    reader: Reader,
}

enum Reader {
    Parquet { rows: ParquetRecordBatchReader, columns: &'static [&'static str], before: usize },
    JsonLines { lines: Box<dyn BufRead + Send>, before: usize },
}

/// A line of JSON; what else it says does not matter.
#[derive(Deserialize)]
struct Line {
    text: Option<String>,
    prompt: Option<String>,
    completion: Option<String>,
}

const NO_COLUMNS: &str = "it has neither a column `text` nor `prompt` and `completion`";

impl Documents {
    /// Opens a file of Parquet or JSON lines; by its name, which is one of the latter where it says nothing.
    ///
    /// # Errors
    /// When it cannot be read, or has neither a column `text` nor `prompt` and `completion`.
    pub fn open(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(Error::file("read", path))?;
        let reader = match Format::of(path).unwrap_or(Format::JsonLines(Compression::Plain)) {
            Format::Parquet => parquet(path, file)?,
            Format::JsonLines(compression) => {
                let lines = unpacked(file, compression).map_err(Error::file("read", path))?;
                Reader::JsonLines { lines, before: 0 }
            }
        };
        Ok(Self { path: path.to_owned(), reader })
    }

    /// The next few documents, some megabytes of text; none at the end.
    ///
    /// # Errors
    /// When a row cannot be read: the file and the row or line are named.
    pub fn next_few(&mut self) -> Result<Option<Vec<Document>>> {
        let Self { path, reader } = self;
        let damaged = |message: String| Error::Damaged { path: path.clone(), message };
        match reader {
            Reader::Parquet { rows, columns, before } => {
                let Some(batch) = rows.next() else { return Ok(None) };
                let batch = batch.map_err(|error| damaged(format!("after row {before}: {error}")))?;
                let documents = from_columns(&batch, columns).map_err(|fault| {
                    let (row, column, message) = fault;
                    damaged(format!("row {}: column `{column}` {message}", *before + row + 1))
                })?;
                *before += batch.num_rows();
                Ok(Some(documents))
            }
            Reader::JsonLines { lines, before } => {
                let (mut documents, mut bytes, mut line) = (Vec::new(), 0, Vec::new());
                while bytes < CHUNK {
                    line.clear();
                    if lines.read_until(b'\n', &mut line).map_err(Error::file("read", &*path))? == 0 {
                        break;
                    }
                    *before += 1;
                    if line.trim_ascii().is_empty() {
                        continue;
                    }
                    let document = from_line(&line).map_err(|message| damaged(format!("line {before}: {message}")))?;
                    bytes += document.bytes();
                    documents.push(document);
                }
                Ok((!documents.is_empty()).then_some(documents))
            }
        }
    }
}

fn buffered(reader: impl Read + Send + 'static) -> Box<dyn BufRead + Send> {
    Box::new(BufReader::with_capacity(1 << 18, reader))
}

/// The lines of a file, whatever they are packed by; several gzip members or Zstandard frames are one after the other.
fn unpacked(file: File, compression: Compression) -> io::Result<Box<dyn BufRead + Send>> {
    Ok(match compression {
        Compression::Plain => buffered(file),
        Compression::Gzip => buffered(flate2::read::MultiGzDecoder::new(BufReader::new(file))),
        Compression::Zstandard => buffered(zstd::stream::read::Decoder::new(file)?),
    })
}

fn parquet(path: &Path, file: File) -> Result<Reader> {
    let damaged = |message: String| Error::Damaged { path: path.to_owned(), message };
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|error| damaged(error.to_string()))?;
    let has = |column: &&str| builder.schema().field_with_name(column).is_ok();
    let candidates: [&'static [&'static str]; 2] = [&["text"], &["prompt", "completion"]];
    let columns = candidates.into_iter().find(|columns| columns.iter().all(has));
    let columns = columns.ok_or_else(|| damaged(NO_COLUMNS.into()))?;

    // few rows at a time where rows are long
    let groups = builder.metadata().row_groups();
    let (bytes, rows) = groups.iter().fold((0, 0), |(bytes, rows), group| {
        (bytes + group.total_byte_size().max(0).unsigned_abs(), rows + group.num_rows().max(0).unsigned_abs())
    });
    let together = (CHUNK as u64 * rows / bytes.max(1)).clamp(1, 8192);
    let mask = ProjectionMask::columns(builder.parquet_schema(), columns.iter().copied());
    let rows = builder
        .with_projection(mask)
        .with_batch_size(usize::try_from(together).expect("it was clamped"))
        .build()
        .map_err(|error| damaged(error.to_string()))?;
    Ok(Reader::Parquet { rows, columns, before: 0 })
}

/// A row, a column, and what is wrong there.
type Fault<'c> = (usize, &'c str, String);

fn from_columns<'c>(batch: &RecordBatch, columns: &'c [&'c str]) -> Result<Vec<Document>, Fault<'c>> {
    let column = |name: &'c str| {
        let column = batch.column_by_name(name).ok_or_else(|| (0, name, "is not there".to_owned()))?;
        Texts::of(column).ok_or_else(|| (0, name, format!("is of type {}, and not text", column.data_type())))
    };
    let (prompts, name) = match *columns {
        [prompt, completion] => (Some(column(prompt)?), completion),
        _ => (None, columns[0]),
    };
    let texts = column(name)?;
    let row = |row: usize| {
        let text = texts.at(row).ok_or_else(|| (row, name, "is empty".to_owned()))?;
        let prompt = prompts.as_ref().and_then(|prompts| prompts.at(row)).unwrap_or_default();
        Ok(Document { prompt: prompt.to_owned(), text: text.to_owned() })
    };
    (0..batch.num_rows()).map(row).collect()
}

/// A column of text, in any of Arrow's ways to hold one.
struct Texts<'b>(&'b ArrayRef);

impl<'b> Texts<'b> {
    fn of(column: &'b ArrayRef) -> Option<Self> {
        let is_text = column.as_string_opt::<i32>().is_some()
            || column.as_string_opt::<i64>().is_some()
            || column.as_string_view_opt().is_some();
        is_text.then_some(Self(column))
    }

    fn at(&self, row: usize) -> Option<&'b str> {
        if self.0.is_null(row) {
            return None;
        }
        let plain = self.0.as_string_opt::<i32>().map(|texts| texts.value(row));
        let large = || self.0.as_string_opt::<i64>().map(|texts| texts.value(row));
        let view = || self.0.as_string_view_opt().map(|texts| texts.value(row));
        plain.or_else(large).or_else(view)
    }
}

fn from_line(line: &[u8]) -> Result<Document, String> {
    let line: Line = serde_json::from_slice(line.trim_ascii()).map_err(|error| {
        // the line is named already, and within it there is only one
        let message = error.to_string();
        format!("{}, at column {}", message.split(" at line 1").next().unwrap_or(&message), error.column())
    })?;
    match line {
        Line { text: Some(text), .. } => Ok(Document { prompt: String::new(), text }),
        Line { prompt, completion: Some(text), .. } => Ok(Document { prompt: prompt.unwrap_or_default(), text }),
        _ => Err(NO_COLUMNS.replace("a column ", "")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &str) -> Result<Vec<Document>> {
        let folder = tempfile::tempdir().expect("the temporary folder can be written");
        let path = folder.path().join("rows.jsonl");
        std::fs::write(&path, lines).expect("the file can be written");
        let mut documents = Documents::open(&path)?;
        let mut all = Vec::new();
        while let Some(few) = documents.next_few()? {
            all.extend(few);
        }
        Ok(all)
    }

    #[test]
    fn lines_are_texts_or_prompts_with_completions() -> Result<()> {
        let document = |prompt: &str, text: &str| Document { prompt: prompt.into(), text: text.into() };
        let lines =
            "{\"id\": 1, \"text\": \"a\"}\n\n{\"prompt\": \"b\", \"completion\": \"c\"}\n{\"completion\": \"d\"}";
        assert_eq!(read(lines)?, [document("", "a"), document("b", "c"), document("", "d")]);
        Ok(())
    }

    /// Corpora are published packed, often as several members one after the other.
    #[test]
    fn packed_lines_are_those_that_were_packed() -> Result<()> {
        use std::io::Write as _;
        let folder = tempfile::tempdir().expect("the temporary folder can be written");
        let lines: Vec<String> = (0..3).map(|number| format!("{{\"text\": \"{number}\"}}\n")).collect();
        let gzip = |text: &String| {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
            encoder.write_all(text.as_bytes()).and_then(|()| encoder.finish()).expect("memory can be written")
        };
        let zstandard = |text: &String| zstd::encode_all(text.as_bytes(), 1).expect("memory can be written");
        let files = [
            ("a.jsonl.gz", lines.iter().flat_map(gzip).collect()),
            ("a.jsonl.zst", lines.iter().flat_map(zstandard).collect::<Vec<u8>>()),
        ];
        for (name, bytes) in files {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).expect("the file can be written");
            let found = Documents::open(&path)?.next_few()?.expect("there are documents");
            assert_eq!(
                found.iter().map(|document| document.text.as_str()).collect::<Vec<_>>(),
                ["0", "1", "2"],
                "{name}"
            );
        }
        Ok(())
    }

    /// Whoever wrote the file must find the line.
    #[test]
    fn a_line_that_is_none_is_named() {
        for (line, message) in [
            ("{\"text\": 1}", "rows.jsonl is damaged: line 3: invalid type"),
            ("{\"words\": \"a\"}", "line 3: it has neither `text` nor `prompt` and `completion`"),
            ("{\"text\": \"a", "line 3: EOF while parsing a string, at column 11"),
        ] {
            let error =
                read(&format!("{{\"text\": \"a\"}}\n\n{line}\n")).expect_err("the line is at fault").to_string();
            assert!(error.contains(message), "{error}");
        }
    }
}
