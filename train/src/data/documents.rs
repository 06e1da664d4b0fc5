//! Documents out of a file, a few at a time.

use std::{
    fs::File,
    io::BufRead as _,
    path::{Path, PathBuf},
};

use arrow::array::RecordBatch;
use compression::Unpacked;
use parquet::arrow::{
    ProjectionMask,
    arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder},
};
use schemas::{
    byte_order_mark::without_mark,
    columns::{COMPLETION, PROMPT, TEXT},
    json_lines::{Field, fields},
    text_columns::{TEXT_TYPES, Texts},
};

use super::{files::Format, read_options::ReadOptions};
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
    options: ReadOptions,
    lost: u64,
    reader: Reader,
}

enum Reader {
    Parquet { rows: ParquetRecordBatchReader, columns: &'static [&'static str], before: usize },
    JsonLines { lines: Unpacked<File>, before: usize },
}

const NO_COLUMNS: &str = "it has neither a column `text` nor `prompt` and `completion`";

impl Documents {
    /// Opens a file of Parquet or JSON lines; by its name, which is one of the latter where it says nothing.
    ///
    /// # Errors
    /// When it cannot be read, or has neither a column `text` nor `prompt` and `completion`.
    pub fn open(path: &Path) -> Result<Self> {
        Self::open_with(path, ReadOptions::default())
    }

    /// The same, with options.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_with(path: &Path, options: ReadOptions) -> Result<Self> {
        let file = File::open(path).map_err(Error::file("read", path))?;
        let reader = match Format::of(path).unwrap_or(Format::JsonLines) {
            Format::Parquet => parquet(path, file)?,
            Format::JsonLines => {
                let lines = options.open(file).map_err(Error::file("read", path))?;
                Reader::JsonLines { lines, before: 0 }
            }
        };
        Ok(Self { path: path.to_owned(), options, lost: 0, reader })
    }

    /// Bytes of the file that are lost, as it is known so far.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.lost
    }

    /// The next few documents, some megabytes of text; none at the end.
    ///
    /// # Errors
    /// When a row cannot be read: the file and the row or line are named.
    pub fn next_few(&mut self) -> Result<Option<Vec<Document>>> {
        let Self { path, options, lost, reader } = self;
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
                while bytes < CHUNK && *lost == 0 {
                    line.clear();
                    match lines.read_until(b'\n', &mut line) {
                        Ok(0) => break,
                        Ok(_) => {}
                        Err(error) => {
                            *lost = options.lost(path, error)?;
                            break;
                        }
                    }
                    *before += 1;
                    let text = if *before == 1 { without_mark(&line) } else { Ok(&line[..]) };
                    let text = text.map_err(|message| damaged(format!("line {before}: {message}")))?.trim_ascii();
                    if text.is_empty() {
                        continue;
                    }
                    let document = from_line(text).map_err(|message| damaged(format!("line {before}: {message}")))?;
                    bytes += document.bytes();
                    documents.push(document);
                }
                Ok((!documents.is_empty()).then_some(documents))
            }
        }
    }
}

fn parquet(path: &Path, file: File) -> Result<Reader> {
    let damaged = |message: String| Error::Damaged { path: path.to_owned(), message };
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|error| damaged(error.to_string()))?;
    let has = |column: &&str| builder.schema().field_with_name(column).is_ok();
    let candidates: [&'static [&'static str]; 2] = [&[TEXT], &[PROMPT, COMPLETION]];
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
        let kind = || (0, name, format!("is of type {}, and not text: {TEXT_TYPES}", column.data_type()));
        Texts::of(column).ok_or_else(kind)
    };
    let (prompts, name) = match *columns {
        [prompt, completion] => (Some((column(prompt)?, prompt)), completion),
        _ => (None, columns[0]),
    };
    let texts = column(name)?;
    let at = |texts: &Texts, row: usize, name: &'c str| match texts.at(row) {
        Ok(text) => Ok(text.map(str::to_owned)),
        Err(error) => Err((row, name, format!("is not UTF-8: {error}"))),
    };
    let row = |row: usize| {
        let text = at(&texts, row, name)?.ok_or_else(|| (row, name, "is null".to_owned()))?;
        let prompt = match &prompts {
            Some((prompts, name)) => at(prompts, row, name)?.unwrap_or_default(),
            None => String::new(),
        };
        Ok(Document { prompt, text })
    };
    (0..batch.num_rows()).map(row).collect()
}

fn from_line(line: &[u8]) -> Result<Document, String> {
    let [text, prompt, completion] = fields(line, [TEXT, PROMPT, COMPLETION]).map_err(|fault| fault.to_string())?;
    let columns = [(TEXT, &text), (COMPLETION, &completion)];
    let null = columns.into_iter().find(|(_, field)| **field == Field::Null).map(|(name, _)| name);
    let given = |field: Field, name: &str| match field {
        Field::Missing | Field::Null => Ok(None),
        field => field.into_text(name).map(Some).map_err(|fault| fault.to_string()),
    };
    if let Some(text) = given(text, TEXT)? {
        return Ok(Document { prompt: String::new(), text });
    }
    match given(completion, COMPLETION)? {
        Some(text) => Ok(Document { prompt: given(prompt, PROMPT)?.unwrap_or_default(), text }),
        None => Err(match null {
            Some(name) => format!("`{name}` is null, and no string"),
            None => NO_COLUMNS.replace("a column ", ""),
        }),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::{
        array::{ArrayRef, BinaryArray, DictionaryArray, Int32Array},
        datatypes::Int32Type,
    };
    use parquet::arrow::ArrowWriter;

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

    /// As other programs write them; curate reads the same.
    #[test]
    fn lines_are_read_as_they_come() -> Result<()> {
        let lines = "\u{feff}{\"text\": \"a\", \"score\": NaN}\r\n{\"text\": \"b\\ud83d\"}\r\n{\"text\": \"c\", \"text\": \"\u{2028}\"}";
        let texts: Vec<String> = read(lines)?.into_iter().map(|document| document.text).collect();
        assert_eq!(texts, ["a", "b\u{fffd}", "\u{2028}"]);
        Ok(())
    }

    /// A category of pandas is text, and so is a binary column that holds some; the row that does not is named.
    #[test]
    fn columns_are_read_in_any_type_of_text() -> Result<()> {
        let folder = tempfile::tempdir().expect("the temporary folder can be written");
        let path = folder.path().join("rows.parquet");
        let read = |prompts: ArrayRef, completions: ArrayRef| {
            let batch =
                RecordBatch::try_from_iter([("prompt", prompts), ("completion", completions)]).expect("one length");
            let file = File::create(&path).expect("the file can be made");
            let mut writer = ArrowWriter::try_new(file, batch.schema(), None).expect("the schema can be written");
            writer.write(&batch).and_then(|()| writer.close()).expect("the file can be written");
            Documents::open(&path)?.next_few()
        };
        let prompts: ArrayRef =
            Arc::new(vec![Some("a"), None, Some("a")].into_iter().collect::<DictionaryArray<Int32Type>>());
        let binary = |last: &'static [u8]| Arc::new(BinaryArray::from(vec![&b"b"[..], b"c", last])) as ArrayRef;
        let found = read(Arc::clone(&prompts), binary("ö".as_bytes()))?.expect("there are rows");
        let found: Vec<(&str, &str)> =
            found.iter().map(|document| (document.prompt.as_str(), document.text.as_str())).collect();
        assert_eq!(found, [("a", "b"), ("", "c"), ("a", "ö")]);
        for (completions, message) in [
            (binary(b"\xff"), "rows.parquet is damaged: row 3: column `completion` is not UTF-8"),
            (Arc::new(Int32Array::from(vec![1, 2, 3])), "column `completion` is of type Int32, and not text: a string"),
        ] {
            let error = read(Arc::clone(&prompts), completions).expect_err("it is no text").to_string();
            assert!(error.contains(message), "{error}");
        }
        Ok(())
    }

    /// A text and a question in pages with checksums, which the crate does not write: by pyarrow 26,
    /// `write_table(..., compression="none", use_dictionary=False, write_statistics=False, write_page_checksum=True, store_schema=False)`.
    const CHECKED: &[u8] =
        b"PAR1\x15\x00\x15\\\x15\\\x15\xcd\xb0\xfb\xd2\x0c\x1c\x15\x04\x15\x00\x15\x06\x15\x06\x1c\x00\x00\x00\
        \x12\x00\x00\x00to be or not to be\x14\x00\x00\x00that is the question\
        \x15\x04\x19,5\x00\x18\x06schema\x15\x02\x00\x15\x0c%\x00\x18\x04text%\x00L\x1c\x00\x00\x00\
        \x16\x04\x19\x1c\x19\x1c&\x00\x1c\x15\x0c\x19%\x06\x00\x19\
        \x18\x04text\x15\x00\x16\x04\x16\x8e\x01\x16\x8e\x01&\x08I\x1c\x15\x00\x15\x00\x15\x02\x00\
        <\x16L\x19\x06\x19\x06\x00\x00\x00\x16\x8e\x01\x16\x04&\x08\x16\x8e\x01\x00\
        (\x20parquet-cpp-arrow version 26.0.1\x19\x1c\x1c\x00\x00\x00\x8a\x00\x00\x00PAR1";

    /// A letter that is another by one bit is text as good as any: a checksum alone tells.
    #[test]
    fn a_page_that_is_not_what_was_written_is_named() -> Result<()> {
        let folder = tempfile::tempdir().expect("the temporary folder can be written");
        let path = folder.path().join("rows.parquet");
        let read = |bytes: &[u8]| {
            std::fs::write(&path, bytes).expect("the file can be written");
            Documents::open(&path)?.next_few()
        };
        assert_eq!(read(CHECKED)?.expect("there are rows")[1].text, "that is the question");
        let mut other = CHECKED.to_vec();
        other[67] ^= 1;
        let error = read(&other).expect_err("it is another text").to_string();
        assert!(error.contains("rows.parquet is damaged: after row 0") && error.contains("checksum"), "{error}");
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
            ("{\"text\": 1}", "rows.jsonl is damaged: line 3: `text` is a number, and no string"),
            ("{\"text\": null}", "line 3: `text` is null, and no string"),
            ("{\"prompt\": \"a\", \"completion\": null}", "line 3: `completion` is null, and no string"),
            ("{\"text\": NaN}", "line 3: `text` is NaN, and no string"),
            ("{\"words\": \"a\"}", "line 3: it has neither `text` nor `prompt` and `completion`"),
            ("{\"text\": \"a", "line 3: EOF while parsing a string, at column 11"),
        ] {
            let error =
                read(&format!("{{\"text\": \"a\"}}\n\n{line}\n")).expect_err("the line is at fault").to_string();
            assert!(error.contains(message), "{error}");
        }
    }
}
