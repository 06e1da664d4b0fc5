//! Rows of Parquet files as documents.

use std::{fs::File, io, str::Utf8Error, sync::Arc};

use datafusion::arrow::{
    array::{Array as _, ArrayRef, AsArray as _, RecordBatch},
    compute::cast,
    datatypes::DataType,
};
use parquet::arrow::{
    ProjectionMask,
    arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder},
};
use schemas::{
    text_columns::{TEXT_TYPES, Texts, is_text},
    toml_file::TomlError,
};

use super::{
    SourceRecipe,
    columns::{Columns, Found, Picked, TableRow},
    copy::Copying,
    format::{ListedFormat, SourceFile, SourceFormat},
    raw::{Raw, RawReader},
};
use crate::{
    archive::{Broken, Fault},
    files::{NamedFiles, Version},
};

/// How rows of Parquet become ours.
const VERSION: Version = Version::new("source/parquet", 1);

/// Rows that are unpacked together.
const BATCH_ROWS: usize = 256;

/// The rows of a file: the named columns of each.
pub struct Rows {
    reader: ParquetRecordBatchReader,
    names: [String; 6],
    /// The name of the column of the text.
    text: Arc<str>,
    /// For the text, the id, the URL, the date, the title and the language: its column in a batch.
    places: [Option<usize>; 6],
    batch: Option<Cells>,
    /// Rows before the batch.
    before: u64,
    next: usize,
}

/// The columns of a batch.
struct Cells {
    columns: [Option<Cell>; 6],
    rows: usize,
}

/// A column of which each row may name something.
pub enum Cell {
    /// Text.
    Texts(Texts),
    /// Bytes of one number, such as a UUID.
    Bytes(ArrayRef),
}

impl Rows {
    /// Opens a file, which must have the column of the text, and that must be one.
    pub fn new(file: File, columns: &Columns) -> io::Result<Self> {
        let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(invalid)?;
        let Columns { text, id, url, date, title, language } = columns;
        let names = [text, id, url, date, title, language];
        let schema = builder.schema();
        let found = names.map(|name| schema.index_of(name).ok());
        if found[0].is_none() {
            let known: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
            return Err(invalid(format!("there is no column `{text}`; there are `{}`", known.join("`, `"))));
        }
        if let Some(kind) = found[0].map(|place| schema.field(place).data_type()).filter(|kind| !is_text(kind)) {
            return Err(invalid(format!("column `{text}` is of type {kind}, and not text: {TEXT_TYPES}")));
        }
        let (names, text) = (names.map(String::clone), text.as_str().into());
        let mut roots: Vec<usize> = found.into_iter().flatten().collect();
        roots.sort_unstable();
        roots.dedup();
        // columns keep their order when others are left out
        let places = found.map(|root| root.and_then(|root| roots.iter().position(|known| *known == root)));
        let mask = ProjectionMask::roots(builder.parquet_schema(), roots);
        let reader = builder.with_projection(mask).with_batch_size(BATCH_ROWS).build().map_err(invalid)?;
        Ok(Self { reader, names, text, places, batch: None, before: 0, next: 0 })
    }

    fn cells(&self, batch: &RecordBatch) -> io::Result<Cells> {
        let mut columns = [const { None }; 6];
        for (column, place) in columns.iter_mut().zip(self.places) {
            let Some(place) = place else { continue };
            *column = Cell::of(batch.column(place)).map_err(invalid)?;
        }
        Ok(Cells { columns, rows: batch.num_rows() })
    }
}

impl RawReader for Rows {
    fn next_raw(&mut self) -> io::Result<Option<Raw>> {
        loop {
            if let Some(cells) = self.batch.as_ref().filter(|cells| self.next < cells.rows) {
                let row = self.next;
                self.next += 1;
                let offset = self.before + row as u64;
                return Ok(Some(match cells.row(row, &self.names) {
                    Ok(picked) => Raw::record(TableRow { offset, picked, text: Arc::clone(&self.text) }),
                    Err(detail) => Raw::Broken(Broken { offset, record: None, fault: Fault::NotUtf8, detail }),
                }));
            }
            self.before += self.batch.as_ref().map_or(0, |cells| cells.rows as u64);
            let Some(batch) = self.reader.next() else { return Ok(None) };
            self.batch = Some(self.cells(&batch.map_err(invalid)?)?);
            self.next = 0;
        }
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

impl Cells {
    /// The values of a row, or what is not UTF-8 in it.
    fn row(&self, row: usize, names: &[String; 6]) -> Result<Picked, String> {
        let value = |column: usize| -> Result<Option<String>, String> {
            let Some(cell) = &self.columns[column] else { return Ok(None) };
            let text = cell.at(row).map_err(|error| format!("column `{}` is not UTF-8: {error}", names[column]))?;
            Ok(text.filter(|text| !text.is_empty()))
        };
        // a null is a row without text
        let text = Found::Text(value(0)?.unwrap_or_default());
        Ok(Picked { text, id: value(1)?, url: value(2)?, date: value(3)?, title: value(4)?, language: value(5)? })
    }
}

impl Cell {
    /// A column as names: text as it is, numbers and dates as text, bytes of a fixed size as hexadecimal digits. None for what names nothing.
    pub fn of(column: &ArrayRef) -> Result<Option<Self>, datafusion::arrow::error::ArrowError> {
        if let Some(texts) = Texts::of(column) {
            return Ok(Some(Self::Texts(texts)));
        }
        Ok(match column.data_type() {
            DataType::FixedSizeBinary(_) => Some(Self::Bytes(ArrayRef::clone(column))),
            DataType::Dictionary(_, values) => Self::of(&cast(column, values)?)?,
            kind if kind.is_nested() => None,
            _ => Texts::of(&cast(column, &DataType::LargeUtf8)?).map(Self::Texts),
        })
    }

    /// What a row is called; none for a null.
    pub fn at(&self, row: usize) -> Result<Option<String>, Utf8Error> {
        match self {
            Self::Texts(texts) => Ok(texts.at(row)?.map(str::to_owned)),
            Self::Bytes(column) if column.is_null(row) => Ok(None),
            Self::Bytes(column) => Ok(Some(hexadecimal(column.as_fixed_size_binary().value(row)))),
        }
    }
}

/// Bytes as hexadecimal digits; of 16, as a UUID is written (RFC 9562).
fn hexadecimal(bytes: &[u8]) -> String {
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    if bytes.len() == 16 {
        let parts = [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]];
        return parts.join("-");
    }
    digits
}

pub fn invalid(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use datafusion::arrow::array::{
        BinaryArray, FixedSizeBinaryArray, Int64Array, ListArray, StringDictionaryBuilder, TimestampSecondArray,
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
