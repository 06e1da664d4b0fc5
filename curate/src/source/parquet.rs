//! Rows of Parquet files as documents.

use std::{fs::File, io};

use parquet::arrow::{
    ProjectionMask,
    arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder},
};
use schemas::toml_file::TomlError;

use super::{
    SourceRecipe,
    batch_rows::BatchRows,
    columns::Columns,
    copy::Copying,
    format::{ListedFormat, SourceFile, SourceFormat},
    raw::{Raw, RawReader, invalid},
};
use crate::files::{NamedFiles, Version};

/// How rows of Parquet become ours.
const VERSION: Version = Version::new("source/parquet", 1);

/// Rows that are unpacked together.
const BATCH_ROWS: usize = 256;

/// The rows of a file: the named columns of each.
pub struct Rows {
    reader: ParquetRecordBatchReader,
    rows: BatchRows,
}

impl Rows {
    /// Opens a file, which must have the column of the text, and that must be one.
    pub fn new(file: File, columns: &Columns) -> io::Result<Self> {
        let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(invalid)?;
        let (rows, roots) = BatchRows::new(builder.schema(), columns)?;
        let mask = ProjectionMask::roots(builder.parquet_schema(), roots);
        let reader = builder.with_projection(mask).with_batch_size(BATCH_ROWS).build().map_err(invalid)?;
        Ok(Self { reader, rows })
    }
}

impl RawReader for Rows {
    fn next_raw(&mut self) -> io::Result<Option<Raw>> {
        let Self { reader, rows } = self;
        rows.next_raw(|| reader.next().transpose().map_err(invalid))
    }
}

impl SourceFormat for Rows {
    type Options = Columns;

    const NAME: &'static str = "parquet";

    const PLACE: &'static str = "row";

    fn versions(_: &Columns) -> Vec<Version> {
        vec![VERSION]
    }

    fn open(columns: &Columns, file: SourceFile<'_>) -> io::Result<Self> {
        Self::new(file.file, columns)
    }

    fn copying(columns: &Columns) -> Option<Copying<'_>> {
        Some(Copying::Rows { text: &columns.text })
    }
}

impl ListedFormat for Rows {
    fn options(recipe: &SourceRecipe, _: &str, _: &NamedFiles<'_>) -> Result<Columns, TomlError> {
        Ok(recipe.columns.columns())
    }
}

#[cfg(test)]
mod tests {
    use std::{io::Write as _, sync::Arc};

    use datafusion::arrow::array::{
        ArrayRef, BinaryArray, FixedSizeBinaryArray, Int64Array, ListArray, RecordBatch, StringDictionaryBuilder,
        TimestampSecondArray,
    };
    use datafusion::arrow::datatypes::{Int16Type, Int32Type};
    use parquet::arrow::ArrowWriter;

    use super::*;
    use crate::source::row::Outcome;

    fn rows(columns: Vec<(&str, ArrayRef)>) -> io::Result<Vec<Raw>> {
        let batch = RecordBatch::try_from_iter(columns).expect("the columns are of one length");
        let mut file = tempfile::tempfile().expect("the temporary folder can be written");
        let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), None).expect("the schema can be written");
        writer.write(&batch).expect("memory can be written");
        file.write_all(&writer.into_inner().expect("memory can be written")).expect("the file can be written");
        let mut rows = Rows::new(file, &Columns::default())?;
        std::iter::from_fn(|| rows.next_raw().transpose()).collect()
    }

    fn picked(raw: &Raw) -> (String, Option<String>) {
        let row = raw.row("table");
        match row.outcome {
            Outcome::Text(text) => (text, row.record),
            Outcome::Dropped(_) => (String::new(), row.record),
            Outcome::Quarantined(fault, detail) => (format!("{} {fault} {detail}", row.offset), row.record),
        }
    }

    /// Bytes that are text are read, a row whose bytes are none is known by its place; what is nested names nothing.
    #[test]
    fn binary_columns_are_read_where_they_are_text() {
        let texts = BinaryArray::from(vec![Some("öl".as_bytes()), Some(b"\xff\xfe\x00"), None]);
        let ids = FixedSizeBinaryArray::try_from_iter([[0x5a_u8; 16], [1; 16], [2; 16]].into_iter()).expect("16 bytes");
        let links = ListArray::from_iter_primitive::<Int32Type, _, _>([Some([Some(1)]), None, None]);
        let columns: Vec<(&str, ArrayRef)> =
            vec![("url", Arc::new(links)), ("text", Arc::new(texts)), ("id", Arc::new(ids))];
        let rows = rows(columns).expect("the file can be read");
        assert_eq!(picked(&rows[0]), ("öl".into(), Some("5a5a5a5a-5a5a-5a5a-5a5a-5a5a5a5a5a5a".into())));
        let broken = "1 not_utf8 column `text` is not UTF-8: invalid utf-8 sequence of 1 bytes from index 0";
        assert_eq!(picked(&rows[1]), (broken.into(), None));
        assert_eq!(picked(&rows[2]), (String::new(), Some("02020202-0202-0202-0202-020202020202".into())));
    }

    #[test]
    fn dictionaries_numbers_and_times_are_names() {
        let mut texts = StringDictionaryBuilder::<Int16Type>::new();
        texts.extend([Some("a"), None, Some("a")]);
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("text", Arc::new(texts.finish())),
            ("id", Arc::new(Int64Array::from(vec![7, 8, 9]))),
            ("date", Arc::new(TimestampSecondArray::from(vec![0, 1, 2]))),
        ];
        let found = rows(columns).expect("the file can be read");
        let found: Vec<_> = found.iter().map(picked).collect();
        let row = |text: &str, id: &str| (text.to_owned(), Some(id.to_owned()));
        assert_eq!(found, [row("a", "7"), row("", "8"), row("a", "9")]);
    }

    #[test]
    fn a_column_that_is_no_text_is_named_with_its_type() {
        let numbers: ArrayRef = Arc::new(Int64Array::from(vec![7]));
        let error = rows(vec![("text", numbers)]).expect_err("a number is no text").to_string();
        assert!(error.contains("column `text` is of type Int64, and not text: a string"), "{error}");
    }
}
