//! Labelled rows out of a file, a few at a time: `sequences`, which is a list of texts, and `label`, which is a whole number.
//!
//! Useful for: mixtures of sequences, as `curate` writes them, and files of other tools with these columns. Not useful for: texts to learn
//! a language from; see [`super::Documents`].

use std::path::Path;

use arrow::{
    array::{Array as _, Int64Array, RecordBatch},
    datatypes::Schema,
};
use schemas::{
    columns::{ID, LABEL, SEQUENCES},
    json_lines,
};
use serde_json::Value;

use super::{
    read_options::ReadOptions,
    row_forms,
    row_values::{self, Ids, Lists, numbers, what},
    rows::Rows,
};
use crate::error::{Error, Result};

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
pub struct LabelledRows(Rows);

/// What of a row is read.
const COLUMNS: [&str; 3] = [ID, SEQUENCES, LABEL];

impl LabelledRows {
    /// Opens a file of Parquet or JSON lines; by its name, which is one of the latter where it says nothing.
    ///
    /// # Errors
    /// When it cannot be read, or has no column `sequences`.
    pub fn open(path: &Path, options: ReadOptions) -> Result<Self> {
        let columns = |schema: &Schema| match schema.field_with_name(SEQUENCES) {
            Ok(_) => Ok(COLUMNS.to_vec()),
            Err(_) => Err(other_form(&schema.fields().iter().map(|field| field.name().as_str()).collect::<Vec<_>>())),
        };
        Ok(Self(Rows::open(path, options, columns)?))
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
    pub fn next_few(&mut self) -> Result<Option<Vec<LabelledRow>>> {
        let of_batch = |batch: &RecordBatch, first: usize| {
            let columns = Columns::of(batch).map_err(|message| (None, message))?;
            let row = |row: usize| columns.row(row, first + row).map_err(|message| (Some(row), message));
            (0..batch.num_rows()).map(row).collect()
        };
        self.0.next_few(of_batch, from_line)
    }
}

/// What is wrong with a file or a line that has other columns.
fn other_form(columns: &[&str]) -> String {
    let otherwise = "; write sequences with `prompt_styles = [\"gpt1\"]` in a recipe of `curate`";
    row_forms::other_form(&format!("no `{SEQUENCES}`, which a classifier reads"), columns, otherwise)
}

/// The columns of a batch.
struct Columns {
    ids: Option<Ids>,
    sequences: Lists,
    labels: Option<Int64Array>,
}

impl Columns {
    fn of(batch: &RecordBatch) -> Result<Self, String> {
        let sequences = Lists::of(batch, SEQUENCES, "texts")?;
        let labels = match batch.column_by_name(LABEL) {
            None => None,
            Some(column) => Some(numbers(column).ok_or_else(|| {
                format!("column `{LABEL}` is of type {}, and not of whole numbers", column.data_type())
            })?),
        };
        Ok(Self { ids: Ids::of(batch), sequences, labels })
    }

    fn row(&self, row: usize, number: usize) -> Result<LabelledRow, String> {
        let id = self.ids.as_ref().map_or(Ok(None), |ids| ids.at(row))?;
        let sequences = self.sequences.texts(row)?;
        let label = self.labels.as_ref().filter(|labels| labels.is_valid(row)).map(|labels| labels.value(row));
        not_empty(LabelledRow { number, id, sequences, label })
    }
}

fn not_empty(row: LabelledRow) -> Result<LabelledRow, String> {
    if row.sequences.is_empty() { Err(format!("`{SEQUENCES}` is empty")) } else { Ok(row) }
}

fn from_line(line: &[u8], number: usize) -> Result<LabelledRow, String> {
    let value = json_lines::value(line, |key| COLUMNS.contains(&key));
    let value = value.map_err(|fault| fault.to_string())?;
    let Value::Object(mut object) = value else { return Err("it is no object".into()) };
    let Some(sequences) = object.remove(SEQUENCES) else {
        return Err(other_form(&object.keys().map(String::as_str).collect::<Vec<_>>()));
    };
    let sequences = row_values::texts(SEQUENCES, sequences)?;
    let label = match object.get(LABEL) {
        None | Some(Value::Null) => None,
        Some(value) => {
            Some(value.as_i64().ok_or_else(|| format!("`{LABEL}` is {}, and no whole number", what(value)))?)
        }
    };
    not_empty(LabelledRow { number, id: row_values::id(&mut object), sequences, label })
}

#[cfg(test)]
mod tests {
    use std::{fs::File, sync::Arc};

    use arrow::{
        array::{
            ArrayRef, FixedSizeListArray, LargeListBuilder, ListBuilder, StringArray, StringBuilder, UInt8Array,
            UInt64Array,
        },
        datatypes::{DataType, Field},
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
            (
                "{\"text\": \"a\"}",
                "it has no `sequences`, which a classifier reads, but `text`: its rows are texts, which `train pretrain` takes",
            ),
            (
                "{\"prompt\": \"a\", \"completion\": \"b\"}",
                "`completion`, `prompt`: its rows are prompts with completions, which `train tune` takes",
            ),
            (
                "{\"prompt\": \"a\", \"chosen\": \"b\", \"rejected\": \"c\"}",
                "answers, which `train reward` and `train dpo` take",
            ),
            ("{\"words\": 1}", "but `words`; write sequences with `prompt_styles"),
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
        assert!(error.contains("but `text`: its rows are texts, which `train pretrain` takes"), "{error}");
        let error = write(vec![("sequences", Arc::clone(&lists[0])), ("label", ids)]).expect_err("no numbers");
        assert!(error.to_string().contains("column `label` is of type Utf8, and not of whole numbers"), "{error}");
        Ok(())
    }
}
