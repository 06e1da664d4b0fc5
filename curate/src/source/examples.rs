//! Examples of a task as documents: the text of one is its JSON object.

use std::{fs::File, io, path::Path, str::Utf8Error};

use datafusion::arrow::{
    array::{Array, ArrayRef, AsArray as _, RecordBatch},
    compute::cast,
    datatypes::{DataType, Float64Type, Int64Type},
};
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use schemas::{
    examples::{
        ExampleFault, ExampleFormat, ExampleReader, ExampleRules, Expressions, Found, Object, Read, objects_of,
    },
    identity::DocumentId,
    prompt::RenderError,
    task::{Split, Task},
};
use serde_json::Value;

use super::{
    batch_rows::Cell,
    format::{SourceFile, SourceFormat},
    raw::{OnDisk, Raw, RawReader, RawRecord, Unpacked, invalid},
    row::{Outcome, Reason, Row},
    windows::Windows,
};
use crate::{
    archive::{Broken, Fault},
    error::{Error, Result},
    files::Version,
};

/// How examples of a task become rows.
const VERSION: Version = Version::new("source/examples", 2);

/// Rows of Parquet that are unpacked together.
const BATCH_ROWS: usize = 256;

/// The examples of a file.
pub enum Examples {
    /// Of any format but Parquet.
    Text {
        /// Reads them.
        reader: Box<ExampleReader>,
        /// The file.
        on_disk: OnDisk,
        /// Where the last row began.
        offset: u64,
        /// Whether nothing more can be read.
        ended: bool,
    },
    /// Of Parquet.
    Rows(Box<ParquetRows>),
}

/// Rows of Parquet, as objects.
pub struct ParquetRows {
    rules: ExampleRules,
    expressions: Expressions,
    reader: ParquetRecordBatchReader,
    number: u64,
    waiting: std::vec::IntoIter<Read>,
}

impl Examples {
    /// Begins to read the file at a path.
    pub fn begin(rules: &ExampleRules, path: &Path, windows: &Windows) -> io::Result<Self> {
        Self::of(rules, SourceFile { file: File::open(path)?, path, windows })
    }

    fn of(rules: &ExampleRules, file: SourceFile<'_>) -> io::Result<Self> {
        let format = rules.format_of(file.path);
        if format == ExampleFormat::Parquet {
            let reader = ParquetRecordBatchReaderBuilder::try_new(file.file).map_err(invalid)?;
            let reader = reader.with_batch_size(BATCH_ROWS).build().map_err(invalid)?;
            let expressions = Expressions::new(rules).map_err(|fault| invalid(fault.message))?;
            let waiting = Vec::new().into_iter();
            return Ok(Self::Rows(Box::new(ParquetRows {
                rules: rules.clone(),
                expressions,
                reader,
                number: 0,
                waiting,
            })));
        }
        let Unpacked { bytes, on_disk } = file.unpacked()?;
        let reader = Box::new(ExampleReader::new(rules.clone(), format, Box::new(bytes))?);
        Ok(Self::Text { reader, on_disk, offset: 0, ended: false })
    }

    /// The next example, or what of the file is lost.
    pub fn next_read(&mut self) -> io::Result<Option<std::result::Result<Read, Lost>>> {
        match self {
            Self::Text { ended: true, .. } => Ok(None),
            Self::Text { reader, on_disk, offset, ended } => match reader.next_row() {
                Ok(read) => Ok(read.map(|read| {
                    *offset = read.offset;
                    Ok(read)
                })),
                Err(error) => {
                    *ended = true;
                    let (fault, bytes) = on_disk.lost(error, *offset)?;
                    Ok(Some(Err(Lost { fault, bytes })))
                }
            },
            Self::Rows(rows) => Ok(rows.next_read()?.map(Ok)),
        }
    }
}

/// The rest of a file, which cannot be read.
pub struct Lost {
    /// What is wrong, and where.
    pub fault: Broken,
    /// Bytes of the file, as it lies on disk.
    pub bytes: u64,
}

impl RawReader for Examples {
    fn next_raw(&mut self) -> io::Result<Option<Raw>> {
        Ok(self.next_read()?.map(|read| match read {
            Ok(read) => Raw::record(read),
            Err(Lost { fault, bytes }) => Raw::Lost { fault, bytes },
        }))
    }
}

impl RawRecord for Read {
    fn size(&self) -> usize {
        match &self.found {
            Found::Example(object) | Found::LeftOut(object) => object.values().map(size).sum(),
            Found::Broken(..) => 0,
        }
    }

    fn row(&self, source: &str) -> Row {
        row(source, self)
    }
}

/// About how many bytes a value holds.
fn size(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::Array(values) => values.iter().map(size).sum(),
        Value::Object(object) => object.values().map(size).sum(),
        _ => 8,
    }
}

impl SourceFormat for Examples {
    type Options = Box<ExampleRules>;

    const NAME: &'static str = "task";

    fn versions(_: &Self::Options) -> Vec<Version> {
        vec![VERSION]
    }

    fn open(rules: &Self::Options, file: SourceFile<'_>) -> io::Result<Self> {
        Self::of(rules, file)
    }
}

impl ParquetRows {
    fn next_read(&mut self) -> io::Result<Option<Read>> {
        loop {
            if let Some(read) = self.waiting.next() {
                return Ok(Some(read));
            }
            let Some(batch) = self.reader.next() else { return Ok(None) };
            let batch = batch.map_err(invalid)?;
            let mut reads = Vec::new();
            for row in 0..batch.num_rows() {
                let found = match object(&batch, row, &self.rules.fields)? {
                    Ok(object) => objects_of(&self.expressions, &self.rules, object),
                    Err(detail) => vec![Found::Broken(ExampleFault::NotUtf8, detail)],
                };
                let offset = self.number;
                self.number += 1;
                reads.extend(found.into_iter().map(|found| Read { offset, found }));
            }
            self.waiting = reads.into_iter();
        }
    }
}

/// An example of a task: its id and, as JSON, its object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskExample {
    /// The id that it has where the task's name is the source's.
    pub id: String,
    /// The object.
    pub text: String,
}

/// What is no example.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread {
    /// What is wrong, and where.
    pub fault: Broken,
    /// Bytes of the file that are lost, where it is no row but the file, or its rest.
    pub lost: Option<u64>,
}

/// Gives `take` every example of a split of a task, and what is no example, each with its file.
///
/// # Errors
/// When a file cannot be read.
pub fn each_task_example(
    task: &Task,
    split: Split,
    mut take: impl FnMut(&Path, std::result::Result<TaskExample, Unread>),
) -> Result<()> {
    for path in task.files.get(&split).into_iter().flatten() {
        let read = |source| Error::File { action: "read", path: path.clone(), source };
        let mut examples = Examples::begin(&task.rules, path, &Windows::default()).map_err(read)?;
        while let Some(raw) = examples.next_raw().map_err(read)? {
            let Row { id, offset, record, lost, outcome, .. } = raw.row(&task.name);
            match (outcome, id) {
                (Outcome::Text(text), Some(id)) => take(path, Ok(TaskExample { id: id.to_string(), text })),
                (Outcome::Quarantined(fault, detail), _) => {
                    take(path, Err(Unread { fault: Broken { offset, record, fault, detail }, lost }));
                }
                _ => {}
            }
        }
    }
    Ok(())
}

/// The examples that stand in a task's own file.
///
/// # Errors
/// Never for a task that was checked.
pub fn own_examples(task: &Task) -> Result<Vec<TaskExample>> {
    let fault = |message: String| Error::from(RenderError::meaning(task, message));
    let expressions = Expressions::new(&task.rules).map_err(|found| fault(found.message))?;
    let mut examples = Vec::new();
    for (offset, text) in (0..).zip(&task.examples) {
        let object = serde_json::from_str(text).map_err(|error| fault(error.to_string()))?;
        for found in objects_of(&expressions, &task.rules, object) {
            let row = row(&task.name, &Read { offset, found });
            if let (Outcome::Text(text), Some(id)) = (row.outcome, row.id) {
                examples.push(TaskExample { id: id.to_string(), text });
            }
        }
    }
    Ok(examples)
}

/// The row that a reading makes.
fn row(source: &str, read: &Read) -> Row {
    let row = Row { offset: read.offset, ..Row::default() };
    let (object, left_out) = match &read.found {
        Found::Example(object) => (object, false),
        Found::LeftOut(object) => (object, true),
        Found::Broken(fault, detail) => return row.broken(fault_of(*fault), detail.clone()),
    };
    let text = Value::Object(object.clone()).to_string();
    let record = match object.get("id") {
        Some(Value::String(id)) => Some(id.clone()),
        Some(Value::Number(id)) => Some(id.to_string()),
        _ => None,
    };
    let id = DocumentId::of(source, record.as_deref().unwrap_or_default(), "", text.as_bytes());
    let row = Row { id: Some(id), record, bytes: text.len() as u64, ..row };
    if left_out { Row { outcome: Outcome::Dropped(Reason::LeftOut), ..row } } else { row.with_text(text) }
}

fn fault_of(fault: ExampleFault) -> Fault {
    match fault {
        ExampleFault::JsonSyntax => Fault::JsonSyntax,
        ExampleFault::JsonField => Fault::JsonField,
        ExampleFault::CsvRow => Fault::CsvRow,
        ExampleFault::NotUtf8 => Fault::NotUtf8,
        ExampleFault::Pattern => Fault::LinePattern,
        _ => Fault::ExampleMeaning,
    }
}

/// A row, or what of its `fields` is not UTF-8; in other columns that is null.
fn object(batch: &RecordBatch, row: usize, fields: &[String]) -> io::Result<std::result::Result<Object, String>> {
    let schema = batch.schema();
    let mut object = Object::new();
    for (field, column) in schema.fields().iter().zip(batch.columns()) {
        let value = match cell(column, row)? {
            Ok(value) => value,
            Err(error) if fields.contains(field.name()) => {
                return Ok(Err(format!("column `{}` is not UTF-8: {error}", field.name())));
            }
            Err(_) => Value::Null,
        };
        object.insert(field.name().clone(), value);
    }
    Ok(Ok(object))
}

/// A cell as JSON, or the bytes in it that are no text. What is neither text, number, list nor struct is written as a text.
fn cell(column: &ArrayRef, row: usize) -> io::Result<std::result::Result<Value, Utf8Error>> {
    if column.is_null(row) {
        return Ok(Ok(Value::Null));
    }
    let list = |items: ArrayRef| -> io::Result<std::result::Result<Value, Utf8Error>> {
        let items = (0..items.len()).map(|item| cell(&items, item)).collect::<io::Result<Vec<_>>>()?;
        Ok(items.into_iter().collect::<std::result::Result<_, _>>().map(Value::Array))
    };
    let one = column.slice(row, 1);
    Ok(Ok(match column.data_type() {
        DataType::Boolean => Value::Bool(column.as_boolean().value(row)),
        DataType::List(_) => return list(column.as_list::<i32>().value(row)),
        DataType::LargeList(_) => return list(column.as_list::<i64>().value(row)),
        DataType::Struct(fields) => {
            let inner = fields.iter().zip(column.as_struct().columns());
            let inner = inner.map(|(field, column)| Ok((field.name().clone(), cell(column, row)?)));
            let inner = inner.collect::<io::Result<Vec<_>>>()?.into_iter().map(|(name, value)| Ok((name, value?)));
            return Ok(inner.collect::<std::result::Result<Object, _>>().map(Value::Object));
        }
        kind if kind.is_integer() => {
            cast(&one, &DataType::Int64).map_err(invalid)?.as_primitive::<Int64Type>().value(0).into()
        }
        kind if kind.is_floating() => {
            cast(&one, &DataType::Float64).map_err(invalid)?.as_primitive::<Float64Type>().value(0).into()
        }
        DataType::Dictionary(_, values) => return cell(&cast(&one, values).map_err(invalid)?, 0),
        _ => match Cell::of(&one).map_err(invalid)? {
            Some(cell) => return Ok(cell.at(0).map(|text| text.map_or(Value::Null, Value::from))),
            None => Value::Null,
        },
    }))
}

#[cfg(test)]
mod tests {
    use std::{io::Write as _, sync::Arc};

    use datafusion::arrow::array::{ArrayRef, Int32Array, ListArray, StringArray};
    use parquet::arrow::ArrowWriter;

    use super::*;

    fn rules(fields: &[&str]) -> ExampleRules {
        ExampleRules { fields: fields.iter().map(|name| (*name).into()).collect(), ..ExampleRules::default() }
    }

    fn read(rules: &ExampleRules, path: &Path) -> Vec<Row> {
        let mut examples = Examples::begin(rules, path, &Windows::default()).expect("the file begins");
        let raws = std::iter::from_fn(|| examples.next_raw().expect("the file can be read"));
        raws.map(|raw| raw.row("task")).collect()
    }

    fn written(name: &str, content: &[u8]) -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().expect("the temporary folder can be written");
        let path = folder.path().join(name);
        File::create(&path).and_then(|mut file| file.write_all(content)).expect("the folder can be written");
        (folder, path)
    }

    fn text(row: &Row) -> String {
        match &row.outcome {
            Outcome::Text(text) => text.clone(),
            Outcome::Dropped(reason) => reason.name().to_owned(),
            Outcome::Quarantined(fault, detail) => format!("{fault}: {detail}"),
        }
    }

    /// The same two examples in every format are the same two documents.
    #[test]
    fn formats_differ_and_examples_do_not() {
        let squad = r#"{"data":[{"title":"T","paragraphs":[{"context":"C","qas":[
            {"id":"1","question":"a","answers":[]},{"id":"2","question":"b \"c\"","answers":[]}]}]}]}"#;
        let pattern = Some("^(?<id>[0-9]) (?<question>.*)$".to_owned());
        let columns = Some(vec!["id".to_owned(), "question".to_owned()]);
        let plain = rules(&["id", "question"]);
        let formats = [
            (
                "a.jsonl",
                "{\"question\":\"a\",\"id\":\"1\"}\n\n{\"id\":\"2\",\"question\":\"b \\\"c\\\"\"}\n",
                plain.clone(),
            ),
            (
                "a.json",
                "[{\"question\":\"a\",\"id\":\"1\"},{\"id\":\"2\",\"question\":\"b \\\"c\\\"\"}]",
                plain.clone(),
            ),
            ("a.csv", "id,question\n1,a\n2,\"b \"\"c\"\"\"\n", plain.clone()),
            ("a.tsv", "1\ta\n2\tb \"c\"\n", ExampleRules { columns, ..plain.clone() }),
            ("a.txt", "1 a\n2 b \"c\"\n", ExampleRules { pattern, ..plain.clone() }),
        ];
        let expected = ["{\"id\":\"1\",\"question\":\"a\"}", "{\"id\":\"2\",\"question\":\"b \\\"c\\\"\"}"];
        for (name, content, rules) in formats {
            let (_folder, path) = written(name, content.as_bytes());
            let rows = read(&rules, &path);
            assert_eq!(rows.iter().map(text).collect::<Vec<_>>(), expected, "{name}");
            assert_eq!(rows[1].record.as_deref(), Some("2"), "{name}");
        }
        let (_folder, path) = written("a.json", squad.as_bytes());
        let rows = read(&ExampleRules { format: Some(ExampleFormat::Squad), ..plain }, &path);
        assert!(text(&rows[1]).contains("\"question\":\"b \\\"c\\\"\""), "{}", text(&rows[1]));
    }

    #[test]
    fn columns_of_parquet_become_fields() {
        let ids: ArrayRef = Arc::new(Int32Array::from(vec![7]));
        let answers =
            ListArray::from_iter_primitive::<datafusion::arrow::datatypes::Int32Type, _, _>([Some([Some(1), None])]);
        let texts: ArrayRef = Arc::new(StringArray::from(vec![Some("why?")]));
        let columns = [("id", ids), ("answers", Arc::new(answers) as ArrayRef), ("question", texts)];
        let batch = RecordBatch::try_from_iter(columns).expect("the columns are of one length");
        let mut bytes = Vec::new();
        let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), None).expect("the schema can be written");
        writer.write(&batch).and_then(|()| writer.close().map(|_| ())).expect("memory can be written");
        let (_folder, path) = written("a.parquet", &bytes);
        let rows = read(&rules(&["question"]), &path);
        let texts: Vec<String> = rows.iter().map(text).collect();
        assert_eq!(texts, ["{\"answers\":[1,null],\"id\":7,\"question\":\"why?\"}"]);
    }

    /// Items are examples of their own; what is not wanted is dropped with a word, what makes no sense is a fault.
    #[test]
    fn every_item_comes_to_its_end() {
        let pairs = ExampleRules {
            each: Some("pairs".into()),
            filter: Some("item[1] > 0".into()),
            answer: Some("item[1] - 1".into()),
            choices: Some(schemas::examples::Choices::Fixed(vec!["one".into(), "two".into()])),
            ..rules(&["pairs"])
        };
        let (_folder, path) =
            written("a.jsonl", b"{\"pairs\":[[\"a\",1],[\"b\",0],[\"c\",9]]}\n{\"pair\":[]}\n{\"pairs\":3}\n");
        let texts: Vec<String> = read(&pairs, &path).iter().map(text).collect();
        assert_eq!(texts[0], "{\"item\":[\"a\",1],\"pairs\":[[\"a\",1],[\"b\",0],[\"c\",9]]}");
        assert_eq!(texts[1], "left_out");
        assert_eq!(texts[2], "example_meaning: the answer \"8\" is none of the choices [\"one\", \"two\"]");
        assert_eq!(texts[3], "json_field: there is no `pairs`");
        assert_eq!(texts[4], "json_field: `each` gives no list");
    }
}
