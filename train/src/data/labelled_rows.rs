//! Labelled rows out of a file, a few at a time: `sequences`, which is a list of texts, and `label`, which is a whole number.
//!
//! Useful for: mixtures of sequences, as `curate` writes them, and files of other tools with these columns. Not useful for: texts to learn
//! a language from; see [`super::Documents`].

use std::{
    fs::File,
    io::BufRead as _,
    path::{Path, PathBuf},
};

use arrow::{
    array::{Array as _, ArrayRef, AsArray as _, Int64Array, RecordBatch},
    compute::cast,
    datatypes::{DataType, Int64Type},
};
use compression::Unpacked;
use parquet::arrow::{
    ProjectionMask,
    arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder},
};
use schemas::{
    byte_order_mark::without_mark,
    columns::{CHOSEN, COMPLETION, ID, LABEL, PROMPT, QUERY, SEQUENCES, TEXT},
    json_lines,
    text_columns::{TEXT_TYPES, Texts},
};
use serde_json::Value;

use super::{files::Format, read_options::ReadOptions};
use crate::error::{Error, Result};

/// Bytes of text that are in memory together, about.
const CHUNK: usize = 4 << 20;

/// A row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelledRow {
    /// Its number in the file, from 1: of the row, or of the line.
    pub number: usize,
    /// The column `id`, where there is one.
    pub id: Option<String>,
    /// What a head reads, one or more.
    pub sequences: Vec<String>,
    /// The number of the right choice, from 0; none where the row has none.
    pub label: Option<i64>,
}

/// The labelled rows of one file, in their order.
pub struct LabelledRows {
    path: PathBuf,
    options: ReadOptions,
    lost: u64,
    reader: Reader,
}

enum Reader {
    Parquet { rows: ParquetRecordBatchReader, before: usize },
    JsonLines { lines: Unpacked<File>, before: usize },
}

impl LabelledRows {
    /// Opens a file of Parquet or JSON lines; by its name, which is one of the latter where it says nothing.
    ///
    /// # Errors
    /// When it cannot be read, or has no column `sequences`.
    pub fn open(path: &Path, options: ReadOptions) -> Result<Self> {
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

    /// The error of a row by its number.
    #[must_use]
    pub fn fault(&self, number: usize, message: &str) -> Error {
        let unit = match self.reader {
            Reader::Parquet { .. } => "row",
            Reader::JsonLines { .. } => "line",
        };
        Error::Damaged { path: self.path.clone(), message: format!("{unit} {number}: {message}") }
    }

    /// The next few rows, some megabytes of text; none at the end.
    ///
    /// # Errors
    /// When a row cannot be read: the file and the row or line are named.
    pub fn next_few(&mut self) -> Result<Option<Vec<LabelledRow>>> {
        let Self { path, options, lost, reader } = self;
        let damaged = |message: String| Error::Damaged { path: path.clone(), message };
        match reader {
            Reader::Parquet { rows, before } => {
                let Some(batch) = rows.next() else { return Ok(None) };
                let batch = batch.map_err(|error| damaged(format!("after row {before}: {error}")))?;
                let columns = Columns::of(&batch).map_err(&damaged)?;
                let row = |row: usize| {
                    let number = *before + row + 1;
                    columns.row(row, number).map_err(|message| damaged(format!("row {number}: {message}")))
                };
                let found = (0..batch.num_rows()).map(row).collect::<Result<Vec<_>>>()?;
                *before += batch.num_rows();
                Ok(Some(found))
            }
            Reader::JsonLines { lines, before } => {
                let (mut found, mut bytes, mut line) = (Vec::new(), 0, Vec::new());
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
                    let row = from_line(text, *before);
                    let row = row.map_err(|message| damaged(format!("line {before}: {message}")))?;
                    bytes += text.len();
                    found.push(row);
                }
                Ok((!found.is_empty()).then_some(found))
            }
        }
    }
}

/// What is wrong with a file or a line that has other columns, and which program takes those.
fn other_form(columns: &[String]) -> String {
    let has = |name: &str| columns.iter().any(|column| column == name);
    let program = match () {
        () if has(COMPLETION) || has("messages") => "; `train tune` learns from prompts, completions and messages",
        () if has(TEXT) => "; `train pretrain` learns from texts",
        () if has(CHOSEN) => "; that is a mixture of preferences, from which no program learns yet",
        () if has(PROMPT) => "; `train tune` learns from prompts with their completions",
        () if has(QUERY) => "; that is a mixture for retrieval, from which no program learns yet",
        () => "; write sequences with `prompt_styles = [\"gpt1\"]` in a recipe of `curate`",
    };
    let shown: Vec<String> = columns.iter().take(8).map(|column| format!("`{column}`")).collect();
    let shown = if shown.is_empty() { "nothing".to_owned() } else { shown.join(", ") };
    format!("it has no `{SEQUENCES}`, which a classifier reads, but {shown}{program}")
}

fn parquet(path: &Path, file: File) -> Result<Reader> {
    let damaged = |message: String| Error::Damaged { path: path.to_owned(), message };
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|error| damaged(error.to_string()))?;
    if builder.schema().field_with_name(SEQUENCES).is_err() {
        let columns: Vec<String> = builder.schema().fields().iter().map(|field| field.name().clone()).collect();
        return Err(damaged(other_form(&columns)));
    }
    // few rows at a time where rows are long
    let groups = builder.metadata().row_groups();
    let (bytes, rows) = groups.iter().fold((0, 0), |(bytes, rows), group| {
        (bytes + group.total_byte_size().max(0).unsigned_abs(), rows + group.num_rows().max(0).unsigned_abs())
    });
    let together = (CHUNK as u64 * rows / bytes.max(1)).clamp(1, 8192);
    let roots = builder.schema().fields().iter().enumerate();
    let wanted = roots.filter(|(_, field)| [ID, SEQUENCES, LABEL].contains(&field.name().as_str()));
    let wanted: Vec<usize> = wanted.map(|(place, _)| place).collect();
    let mask = ProjectionMask::roots(builder.parquet_schema(), wanted);
    let rows = builder
        .with_projection(mask)
        .with_batch_size(usize::try_from(together).expect("it was clamped"))
        .build()
        .map_err(|error| damaged(error.to_string()))?;
    Ok(Reader::Parquet { rows, before: 0 })
}

/// The columns of a batch.
struct Columns {
    ids: Option<Ids>,
    sequences: ArrayRef,
    labels: Option<Int64Array>,
}

enum Ids {
    Texts(Texts),
    Numbers(Int64Array),
}

impl Columns {
    fn of(batch: &RecordBatch) -> Result<Self, String> {
        let sequences = batch.column_by_name(SEQUENCES).ok_or_else(|| format!("column `{SEQUENCES}` is not there"))?;
        let is_list =
            matches!(sequences.data_type(), DataType::List(_) | DataType::LargeList(_) | DataType::FixedSizeList(_, _));
        if !is_list {
            let kind = sequences.data_type();
            return Err(format!("column `{SEQUENCES}` is of type {kind}, and not a list of texts"));
        }
        let labels = match batch.column_by_name(LABEL) {
            None => None,
            Some(column) => Some(numbers(column).ok_or_else(|| {
                format!("column `{LABEL}` is of type {}, and not of whole numbers", column.data_type())
            })?),
        };
        // an id of another kind is none that could be written down again
        let ids = batch
            .column_by_name(ID)
            .and_then(|column| Texts::of(column).map(Ids::Texts).or_else(|| numbers(column).map(Ids::Numbers)));
        Ok(Self { ids, sequences: ArrayRef::clone(sequences), labels })
    }

    fn row(&self, row: usize, number: usize) -> Result<LabelledRow, String> {
        let id = match &self.ids {
            None => None,
            Some(Ids::Texts(texts)) => {
                let text = texts.at(row).map_err(|error| format!("column `{ID}` is not UTF-8: {error}"))?;
                text.map(str::to_owned)
            }
            Some(Ids::Numbers(ids)) => ids.is_valid(row).then(|| ids.value(row).to_string()),
        };
        let list = &self.sequences;
        if list.is_null(row) {
            return Err(format!("column `{SEQUENCES}` is null"));
        }
        let items = match list.data_type() {
            DataType::List(_) => list.as_list::<i32>().value(row),
            DataType::LargeList(_) => list.as_list::<i64>().value(row),
            _ => list.as_fixed_size_list().value(row),
        };
        let texts = Texts::of(&items).ok_or_else(|| {
            format!("column `{SEQUENCES}` has items of type {}, and not texts: {TEXT_TYPES}", items.data_type())
        })?;
        let text = |item: usize| match texts.at(item) {
            Ok(Some(text)) => Ok(text.to_owned()),
            Ok(None) => Err(format!("item {} of column `{SEQUENCES}` is null", item + 1)),
            Err(error) => Err(format!("item {} of column `{SEQUENCES}` is not UTF-8: {error}", item + 1)),
        };
        let sequences = (0..items.len()).map(text).collect::<Result<Vec<_>, _>>()?;
        let label = self.labels.as_ref().filter(|labels| labels.is_valid(row)).map(|labels| labels.value(row));
        not_empty(LabelledRow { number, id, sequences, label })
    }
}

/// A column of whole numbers; one of nulls has none.
fn numbers(column: &ArrayRef) -> Option<Int64Array> {
    let kind = column.data_type();
    if !kind.is_integer() && *kind != DataType::Null {
        return None;
    }
    Some(cast(column, &DataType::Int64).ok()?.as_primitive::<Int64Type>().clone())
}

fn not_empty(row: LabelledRow) -> Result<LabelledRow, String> {
    if row.sequences.is_empty() { Err(format!("`{SEQUENCES}` is empty")) } else { Ok(row) }
}

fn from_line(line: &[u8], number: usize) -> Result<LabelledRow, String> {
    let value = json_lines::value(line, |key| [ID, SEQUENCES, LABEL].contains(&key));
    let value = value.map_err(|fault| fault.to_string())?;
    let Value::Object(mut object) = value else { return Err("it is no object".into()) };
    let items = match object.remove(SEQUENCES) {
        Some(Value::Array(items)) => items,
        Some(other) => return Err(format!("`{SEQUENCES}` is {}, and no list of texts", what(&other))),
        None => return Err(other_form(&object.keys().cloned().collect::<Vec<_>>())),
    };
    let text = |(place, item): (usize, Value)| match item {
        Value::String(text) => Ok(text),
        other => Err(format!("item {} of `{SEQUENCES}` is {}, and no string", place + 1, what(&other))),
    };
    let sequences = items.into_iter().enumerate().map(text).collect::<Result<Vec<_>, _>>()?;
    let label = match object.get(LABEL) {
        None | Some(Value::Null) => None,
        Some(value) => {
            Some(value.as_i64().ok_or_else(|| format!("`{LABEL}` is {}, and no whole number", what(value)))?)
        }
    };
    let id = match object.remove(ID) {
        Some(Value::String(id)) => Some(id),
        Some(Value::Number(id)) => Some(id.to_string()),
        _ => None,
    };
    not_empty(LabelledRow { number, id, sequences, label })
}

/// What a value is, in words.
fn what(value: &Value) -> String {
    match value {
        Value::Null => "null".into(),
        Value::Array(_) => "a list".into(),
        Value::Object(_) => "an object".into(),
        Value::String(_) => "a string".into(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::{
        array::{
            FixedSizeListArray, LargeListBuilder, ListBuilder, StringArray, StringBuilder, UInt8Array, UInt64Array,
        },
        datatypes::Field,
    };
    use parquet::arrow::ArrowWriter;

    use super::*;

    fn read_at(path: &Path) -> Result<Vec<LabelledRow>> {
        let mut rows = LabelledRows::open(path, ReadOptions::default())?;
        let mut all = Vec::new();
        while let Some(few) = rows.next_few()? {
            all.extend(few);
        }
        Ok(all)
    }

    fn read(lines: &str) -> Result<Vec<LabelledRow>> {
        let folder = tempfile::tempdir().expect("the temporary folder can be written");
        let path = folder.path().join("rows.jsonl");
        std::fs::write(&path, lines).expect("the file can be written");
        read_at(&path)
    }

    fn row(number: usize, id: Option<&str>, sequences: &[&str], label: Option<i64>) -> LabelledRow {
        let sequences = sequences.iter().map(|text| (*text).to_owned()).collect();
        LabelledRow { number, id: id.map(str::to_owned), sequences, label }
    }

    #[test]
    fn lines_have_sequences_and_labels() -> Result<()> {
        let lines = "{\"id\": \"x\", \"sequences\": [\"a\", \"b\"], \"label\": 1, \"more\": NaN}\n\n{\"sequences\": [\"c\"], \"id\": 7}\n";
        assert_eq!(read(lines)?, [row(1, Some("x"), &["a", "b"], Some(1)), row(3, Some("7"), &["c"], None)]);
        for (line, message) in [
            ("{\"sequences\": \"a\"}", "line 1: `sequences` is a string, and no list of texts"),
            ("{\"sequences\": []}", "line 1: `sequences` is empty"),
            ("{\"sequences\": [\"a\", null]}", "line 1: item 2 of `sequences` is null, and no string"),
            ("{\"sequences\": [\"a\"], \"label\": 0.5}", "line 1: `label` is 0.5, and no whole number"),
            ("{\"sequences\": [\"a\"], \"label\": \"good\"}", "line 1: `label` is a string, and no whole number"),
            ("{\"text\": \"a\"}", "it has no `sequences`, which a classifier reads, but `text`; `train pretrain`"),
            ("{\"prompt\": \"a\", \"completion\": \"b\"}", "`train tune` learns from prompts"),
        ] {
            let error = read(line).expect_err("it is none").to_string();
            assert!(error.contains(message), "{error}");
        }
        Ok(())
    }

    /// Lists and numbers of any type of Arrow are read alike; a row that cannot be is named.
    #[test]
    fn columns_are_read_in_any_type() -> Result<()> {
        let folder = tempfile::tempdir().expect("the temporary folder can be written");
        let path = folder.path().join("rows.parquet");
        let write = |columns: Vec<(&str, ArrayRef)>| {
            let batch = RecordBatch::try_from_iter_with_nullable(
                columns.into_iter().map(|(name, column)| (name, column, true)),
            );
            let batch = batch.expect("columns of one length");
            let file = File::create(&path).expect("the file can be made");
            let mut writer = ArrowWriter::try_new(file, batch.schema(), None).expect("the schema can be written");
            writer.write(&batch).and_then(|()| writer.close()).expect("the file can be written");
            read_at(&path)
        };
        let mut short = ListBuilder::new(StringBuilder::new());
        let mut long = LargeListBuilder::new(StringBuilder::new());
        for text in ["a", "b"] {
            short.append_value([Some(text), Some("z")]);
            long.append_value([Some(text), Some("z")]);
        }
        let items = Arc::new(StringArray::from(vec!["a", "z", "b", "z"]));
        let fixed = FixedSizeListArray::new(Arc::new(Field::new("item", DataType::Utf8, true)), 2, items, None);
        let lists: [ArrayRef; 3] = [Arc::new(short.finish()), Arc::new(long.finish()), Arc::new(fixed)];
        let ids: ArrayRef = Arc::new(StringArray::from(vec![Some("x"), None]));
        for (list, labels) in lists.iter().zip([
            Arc::new(UInt8Array::from(vec![1, 0])) as ArrayRef,
            Arc::new(UInt64Array::from(vec![1, 0])),
            Arc::new(Int64Array::from(vec![1, 0])),
        ]) {
            let found = write(vec![("label", labels), ("sequences", Arc::clone(list)), ("id", Arc::clone(&ids))])?;
            assert_eq!(found, [row(1, Some("x"), &["a", "z"], Some(1)), row(2, None, &["b", "z"], Some(0))]);
        }
        let mut with_null = ListBuilder::new(StringBuilder::new());
        with_null.append_value([Some("a")]);
        with_null.append_null();
        let error = write(vec![("sequences", Arc::new(with_null.finish()))]).expect_err("it has none").to_string();
        assert!(error.contains("rows.parquet is damaged: row 2: column `sequences` is null"), "{error}");
        let error = write(vec![("text", Arc::clone(&ids))]).expect_err("it is a text mixture").to_string();
        assert!(error.contains("but `text`; `train pretrain` learns from texts"), "{error}");
        let error = write(vec![("sequences", Arc::clone(&lists[0])), ("label", ids)]).expect_err("no numbers");
        assert!(error.to_string().contains("column `label` is of type Utf8, and not of whole numbers"), "{error}");
        Ok(())
    }
}
