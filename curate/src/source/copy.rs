//! Some records of a file, copied as they stand there, but for what is cut out of their texts.

use std::{
    fs::File,
    io::{self, BufRead as _, Write as _},
    ops::Range,
    path::Path,
};

use compression::Packer;
use datafusion::arrow::{
    array::{AsArray as _, BooleanArray, RecordBatch, StringViewArray},
    compute::{cast, filter_record_batch},
    datatypes::DataType,
    error::ArrowError,
};
use parquet::{
    arrow::{ArrowWriter, arrow_reader::ParquetRecordBatchReaderBuilder},
    basic::{Compression, ZstdLevel},
    file::properties::WriterProperties,
};
use schemas::json_lines;
use serde_json::Value;

use super::{Format, raw::Unpacked, windows::Windows};
use crate::{
    error::{Error, Result},
    files::{HashedFile, Written},
    text::cuts::cut,
};

/// How documents that stay are copied.
pub const VERSION: crate::files::Version = crate::files::Version::new("source/copy", 1);

/// Rows of a table that are copied together.
const BATCH_ROWS: usize = 1024;

/// What the records of a format are, where they can be copied one by one.
#[derive(Debug, Clone, Copy)]
pub enum Copying<'a> {
    /// Lines of JSON, each an object.
    Lines {
        /// The key of its text.
        text: &'a str,
    },
    /// Rows of Parquet.
    Rows {
        /// The column of their text.
        text: &'a str,
    },
}

/// A record that is copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Where it begins: a byte, or the number of a row.
    pub offset: u64,
    /// Byte ranges that go out of its text, in order and apart from each other.
    pub cuts: Vec<Range<u32>>,
}

/// Copies the records of `kept`, whose offsets rise, from `from` to `to`: lines byte by byte, rows with all their columns. The copy is
/// packed as the original is, as one member.
///
/// - returns: records that were copied
///
/// # Errors
/// When a file cannot be read or written, or an offset is not that of a record.
pub fn copy_records(
    format: &Format,
    from: &Path,
    kept: impl Iterator<Item = Result<Kept>>,
    to: &Path,
) -> Result<(u64, Written)> {
    match format.copying() {
        Some(Copying::Rows { text }) => copy_rows(from, text, kept, to),
        Some(Copying::Lines { text }) => copy_lines(from, text, kept, to),
        None => unreachable!("{format:?} is not copied by record"),
    }
}

fn copy_lines(from: &Path, text: &str, kept: impl Iterator<Item = Result<Kept>>, to: &Path) -> Result<(u64, Written)> {
    let read = |source| Error::File { action: "read", path: from.to_owned(), source };
    let write = |source| Error::File { action: "write", path: to.to_owned(), source };
    let mut input = Unpacked::open(File::open(from).map_err(read)?, &Windows::default()).map_err(read)?;
    let mut output = Packer::new(HashedFile::create(to)?, input.packing()).map_err(write)?;
    let (mut at, mut copied) = (0, 0);
    let mut line = Vec::new();
    for kept in kept {
        let Kept { offset, cuts } = kept?;
        while at <= offset {
            line.clear();
            let start = at;
            let count = input.bytes.read_until(b'\n', &mut line).map_err(read)?;
            at += count as u64;
            if count == 0 || (start < offset && offset < at) {
                return Err(changed(from, offset));
            }
            if start == offset {
                if cuts.is_empty() {
                    output.write_all(&line).map_err(write)?;
                } else {
                    let shorter = without(&line, text, &cuts).ok_or_else(|| changed(from, offset))?;
                    output.write_all(&shorter).map_err(write)?;
                }
                if line.last() != Some(&b'\n') {
                    output.write_all(b"\n").map_err(write)?;
                }
                copied += 1;
            }
        }
    }
    Ok((copied, output.finish().map_err(write)?.publish()?))
}

fn copy_rows(from: &Path, text: &str, kept: impl Iterator<Item = Result<Kept>>, to: &Path) -> Result<(u64, Written)> {
    let read = |error: &dyn std::fmt::Display| {
        let source = io::Error::new(io::ErrorKind::InvalidData, error.to_string());
        Error::File { action: "read", path: from.to_owned(), source }
    };
    let write = |error: &dyn std::fmt::Display| {
        let source = io::Error::other(error.to_string());
        Error::File { action: "write", path: to.to_owned(), source }
    };
    let file = File::open(from).map_err(Error::file("read", from))?;
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|error| read(&error))?;
    let schema = builder.schema().clone();
    let level = ZstdLevel::try_new(3).expect("3 is a level of zstd");
    let properties = WriterProperties::builder().set_compression(Compression::ZSTD(level)).build();
    let mut output =
        ArrowWriter::try_new(HashedFile::create(to)?, schema, Some(properties)).map_err(|error| write(&error))?;
    let mut coming = kept.peekable();
    let (mut before, mut copied) = (0, 0);
    for batch in builder.with_batch_size(BATCH_ROWS).build().map_err(|error| read(&error))? {
        let batch = batch.map_err(|error| read(&error))?;
        let mut kept = vec![false; batch.num_rows()];
        let mut cuts = Vec::new();
        let end = before + batch.num_rows() as u64;
        while let Some(next) = coming.next_if(|next| next.as_ref().map_or(true, |next| next.offset < end)) {
            let next = next?;
            kept[usize::try_from(next.offset - before).expect("a row of the batch")] = true;
            cuts.push(next.cuts);
            copied += 1;
        }
        let rows = filter_record_batch(&batch, &BooleanArray::from(kept)).map_err(|error| read(&error))?;
        let rows = rows_without(&rows, text, &cuts).map_err(|error| read(&error))?;
        output.write(&rows).map_err(|error| write(&error))?;
        before = end;
    }
    if let Some(next) = coming.next() {
        return Err(changed(from, next?.offset));
    }
    Ok((copied, output.into_inner().map_err(|error| write(&error))?.publish()?))
}

/// A JSON object whose text lacks its cuts; all else is as it stood. None where it has no such text.
fn without(line: &[u8], key: &str, cuts: &[Range<u32>]) -> Option<Vec<u8>> {
    let place = value_of(line, key)?;
    let text = string(&line[place.clone()])?;
    let shorter = serde_json::to_vec(&cut(&text, cuts)).expect("a text is JSON");
    Some([&line[..place.start], &shorter, &line[place.end..]].concat())
}

/// A string of JSON, as it was read before.
fn string(json: &[u8]) -> Option<String> {
    match json_lines::value(json, |_| false) {
        Ok(Value::String(text)) => Some(text),
        _ => None,
    }
}

/// Where the value of a key stands in an object, which is sound JSON but for what is mended where it is read: the last, where a key stands
/// there twice. `serde_json`'s `RawValue` gives no place in a line with a byte order mark, half a surrogate pair in a key, or `NaN`.
fn value_of(line: &[u8], key: &str) -> Option<Range<usize>> {
    let (mut found, mut open, mut depth, mut at) = (None, None, 0, 0);
    let mut is_wanted = false;
    while at < line.len() {
        let begin = at;
        at += 1;
        match line[begin] {
            b'"' => {
                while line.get(at)? != &b'"' {
                    at += if line[at] == b'\\' { 2 } else { 1 };
                }
                at += 1;
                if depth == 1 && open.is_none() {
                    is_wanted = string(&line[begin..at])? == key;
                }
            }
            b':' if depth == 1 => open = Some(at),
            b'{' | b'[' => depth += 1,
            end @ (b'}' | b']' | b',') => {
                if depth == 1
                    && let Some(start) = open.take()
                    && is_wanted
                {
                    let value = line[start..begin].trim_ascii();
                    let blank = line[start..begin].len() - line[start..begin].trim_ascii_start().len();
                    found = Some(start + blank..start + blank + value.len());
                }
                depth -= i32::from(end != b',');
            }
            _ => {}
        }
    }
    found
}

/// Rows whose texts lack their cuts.
fn rows_without(rows: &RecordBatch, key: &str, cuts: &[Vec<Range<u32>>]) -> Result<RecordBatch, ArrowError> {
    if cuts.iter().all(Vec::is_empty) {
        return Ok(rows.clone());
    }
    let place = rows.schema().index_of(key)?;
    let texts = cast(rows.column(place), &DataType::Utf8View)?;
    let shorter = texts.as_string_view().iter().zip(cuts).map(|(text, cuts)| Some(cut(text?, cuts)));
    let shorter: StringViewArray = shorter.collect();
    let mut columns = rows.columns().to_vec();
    columns[place] = cast(&shorter, rows.column(place).data_type())?;
    RecordBatch::try_new(rows.schema(), columns)
}

/// The error of a file that is not what was read before.
fn changed(path: &Path, offset: u64) -> Error {
    let message = format!("no record begins at byte or row {offset}, where one did when the file was first read");
    Error::Damaged { path: path.to_owned(), message }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use datafusion::arrow::array::{ArrayRef, StringArray};

    use super::*;

    #[expect(clippy::single_range_in_vec_init, reason = "one cut is a list of cuts")]
    #[test]
    fn a_line_stays_as_it_stood_but_for_its_text() {
        let line = br#"{"n": 1.50, "text" : "one, two \"three\"" ,"a": {"text": "x"}, "t\u0065xt": "one ]} four" }"#;
        let shorter = without(line, "text", &[3..6]).expect("there is a text");
        let expected = r#"{"n": 1.50, "text" : "one, two \"three\"" ,"a": {"text": "x"}, "t\u0065xt": "one\n\nfour" }"#;
        assert_eq!(String::from_utf8_lossy(&shorter), expected, "the last of two counts, as it does where it is read");
        assert_eq!(without(br#"{"texts": "one"}"#, "text", &[0..1]), None);
        let line = b"\xef\xbb\xbf{\"a\\ud83d\": NaN, \"text\": \"one\\ud83d two\"}";
        let shorter = without(line, "text", &[0..3]).expect("there is a text");
        let expected = "\u{feff}{\"a\\ud83d\": NaN, \"text\": \"\u{fffd} two\"}";
        assert_eq!(String::from_utf8_lossy(&shorter), expected, "what is read as it is mended is cut so, too");
    }

    /// Cuts are taken out of a text in whatever type its column has, and the column keeps it.
    #[test]
    fn a_column_keeps_its_type() {
        let plain: ArrayRef = Arc::new(StringArray::from(vec![Some("one two"), None, Some("one")]));
        let cuts = [std::iter::once(0..4).collect(), vec![], vec![]];
        let dictionary = |value: DataType| DataType::Dictionary(DataType::Int8.into(), value.into());
        for kind in [
            DataType::Utf8,
            DataType::Binary,
            DataType::BinaryView,
            dictionary(DataType::Utf8),
            dictionary(DataType::LargeUtf8),
        ] {
            let column = cast(&plain, &kind).expect("a text can be all of these");
            let batch = RecordBatch::try_from_iter([("text", column)]).expect("it is one column");
            let shorter = rows_without(&batch, "text", &cuts).expect("it can be cut");
            assert_eq!(shorter.column(0).data_type(), &kind);
            let texts = cast(shorter.column(0), &DataType::Utf8).expect("it is text");
            assert_eq!(texts.as_string::<i32>().iter().collect::<Vec<_>>(), [Some("two"), None, Some("one")], "{kind}");
        }
    }

    /// A file that was changed between two readings gives an error, and no copy that lacks a line.
    #[test]
    fn a_line_that_moved_is_missed() {
        let folder = tempfile::tempdir().expect("the temporary folder can be written");
        let (from, to) = (folder.path().join("from.jsonl"), folder.path().join("to.jsonl"));
        std::fs::write(&from, "one\ntwo\nthree\n").expect("the folder can be written");
        let copy = |offsets: &[u64]| {
            let kept = offsets.iter().map(|offset| Ok(Kept { offset: *offset, cuts: vec![] }));
            copy_lines(&from, "text", kept, &to)
        };
        assert_eq!(copy(&[0, 8]).expect("the lines are there").0, 2);
        assert_eq!(std::fs::read(&to).expect("it was written"), b"one\nthree\n");
        for offsets in [[0, 5], [8, 14]] {
            let error = copy(&offsets).expect_err("no line begins there").to_string();
            assert!(error.contains("from.jsonl") && error.contains(&offsets[1].to_string()), "{error}");
        }
        assert_eq!(std::fs::read(&to).expect("it is still there"), b"one\nthree\n");
    }
}
