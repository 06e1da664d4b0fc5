//! Batches of columns, row by row: what formats that are stored by column share.

use std::{io, str::Utf8Error, sync::Arc};

use datafusion::arrow::{
    array::{Array as _, ArrayRef, AsArray as _, RecordBatch},
    compute::cast,
    datatypes::{DataType, Schema},
    error::ArrowError,
};
use schemas::text_columns::{TEXT_TYPES, Texts, is_text};

use super::{
    columns::{Columns, Found, Picked, TableRow},
    raw::{Raw, invalid},
};
use crate::{
    archive::{Broken, Fault},
    files::list,
};

/// The rows of batches: the named columns of each.
pub struct BatchRows {
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

impl BatchRows {
    /// The rows of a table, which must have the column of the text, and that must be one.
    ///
    /// - returns: the rows, and which columns of the table a batch has to hold, in their order
    pub fn new(schema: &Schema, columns: &Columns) -> io::Result<(Self, Vec<usize>)> {
        let Columns { text, id, url, date, title, language } = columns;
        let names = [text, id, url, date, title, language];
        let found = names.map(|name| schema.index_of(name).ok());
        if found[0].is_none() {
            let known: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
            return Err(invalid(format!("there is no column `{text}`; there are {}", list(&known))));
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
        Ok((Self { names, text, places, batch: None, before: 0, next: 0 }, roots))
    }

    /// The next row; `more` reads the batch that follows.
    pub fn next_raw(&mut self, mut more: impl FnMut() -> io::Result<Option<RecordBatch>>) -> io::Result<Option<Raw>> {
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
            let Some(batch) = more()? else { return Ok(None) };
            self.batch = Some(self.cells(&batch)?);
            self.next = 0;
        }
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
    pub fn of(column: &ArrayRef) -> Result<Option<Self>, ArrowError> {
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
