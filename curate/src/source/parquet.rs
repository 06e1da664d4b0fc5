//! Rows of Parquet files as documents.

use std::{fs::File, io};

use datafusion::arrow::{
    array::{Array as _, ArrayRef, AsArray as _, RecordBatch},
    compute::cast,
    datatypes::DataType,
};
use parquet::arrow::{
    ProjectionMask,
    arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder},
};

use super::{
    columns::{Columns, Found, Picked},
    raw::{Raw, RawReader},
};

/// How rows of Parquet become ours.
pub const VERSION: crate::files::Version = crate::files::Version::new("source/parquet", 1);

/// Rows that are unpacked together.
const BATCH_ROWS: usize = 256;

/// The rows of a file: the named columns of each.
pub struct Rows {
    reader: ParquetRecordBatchReader,
    /// For the text, the id, the URL, the date, the title and the language: its column in a batch.
    places: [Option<usize>; 6],
    batch: Option<Cells>,
    /// Rows before the batch.
    before: u64,
    next: usize,
}

/// The columns of a batch, as strings.
struct Cells {
    columns: [Option<ArrayRef>; 6],
    rows: usize,
}

impl Rows {
    /// Opens a file, which must have the column of the text.
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
        let mut roots: Vec<usize> = found.into_iter().flatten().collect();
        roots.sort_unstable();
        roots.dedup();
        // columns keep their order when others are left out
        let places = found.map(|root| root.and_then(|root| roots.iter().position(|known| *known == root)));
        let mask = ProjectionMask::roots(builder.parquet_schema(), roots);
        let reader = builder.with_projection(mask).with_batch_size(BATCH_ROWS).build().map_err(invalid)?;
        Ok(Self { reader, places, batch: None, before: 0, next: 0 })
    }

    fn cells(&self, batch: &RecordBatch) -> io::Result<Cells> {
        let mut columns = [const { None }; 6];
        for (column, place) in columns.iter_mut().zip(self.places) {
            let Some(place) = place else { continue };
            // a number may be an id; what is no string and cannot be one is left out
            *column = match batch.column(place).data_type() {
                DataType::List(_) | DataType::LargeList(_) | DataType::Struct(_) | DataType::Map(..) => None,
                _ => Some(cast(batch.column(place), &DataType::LargeUtf8).map_err(invalid)?),
            };
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
                return Ok(Some(Raw::Picked { offset: self.before + row as u64, picked: Box::new(cells.row(row)) }));
            }
            self.before += self.batch.as_ref().map_or(0, |cells| cells.rows as u64);
            let Some(batch) = self.reader.next() else { return Ok(None) };
            self.batch = Some(self.cells(&batch.map_err(invalid)?)?);
            self.next = 0;
        }
    }
}

impl Cells {
    fn row(&self, row: usize) -> Picked {
        let value = |column: usize| {
            let texts = self.columns[column].as_ref()?.as_string::<i64>();
            texts.is_valid(row).then(|| texts.value(row).to_owned()).filter(|text| !text.is_empty())
        };
        let text = match &self.columns[0] {
            // a null is a row without text
            Some(_) => Found::Text(value(0).unwrap_or_default()),
            None => Found::Other,
        };
        Picked { text, id: value(1), url: value(2), date: value(3), title: value(4), language: value(5) }
    }
}

pub fn invalid(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}
