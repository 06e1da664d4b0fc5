//! Rows of CSV and TSV files as documents: link lists, tables of examples.

use std::{io, sync::Arc};

use csv::ByteRecord;
use schemas::{byte_order_mark, csv_rows, toml_file::TomlError};
use serde::{Deserialize, Serialize};

use super::{
    SourceRecipe,
    columns::{Columns, Found, Picked, TableRow},
    format::{ListedFormat, SourceFile, SourceFormat},
    raw::{Bytes, OnDisk, Raw, RawReader, Unpacked},
};
use crate::{
    archive::{Broken, Fault},
    files::{NamedFiles, Version, list},
};

/// How CSV becomes rows.
const VERSION: Version = Version::new("source/csv", 2);

/// How tables are read.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct CsvOptions {
    /// Which columns hold what.
    pub columns: Columns,
    /// What divides the fields: a comma, or a tab.
    pub delimiter: u8,
}

/// The rows of a file whose first row names its columns.
pub struct CsvRows {
    reader: csv_rows::CsvRows<Bytes>,
    on_disk: OnDisk,
    columns: [String; 6],
    /// The name of the column of the text.
    text: Arc<str>,
    /// For the text, the id, the URL, the date, the title and the language: its column.
    places: [Option<usize>; 6],
    /// How many columns there are.
    width: usize,
    record: ByteRecord,
    /// Where the last row began.
    offset: u64,
    ended: bool,
}

impl CsvRows {
    /// Begins to read. Fields are divided by `delimiter`, and may be quoted.
    pub fn new(input: Unpacked, delimiter: u8, columns: &Columns) -> io::Result<Self> {
        let Unpacked { mut bytes, on_disk } = input;
        // that of UTF-8 is passed over by the reader, and counted
        byte_order_mark::mark_length(&mut bytes)?;
        let mut reader = csv_rows::CsvRows::new(bytes, delimiter);
        let mut names = ByteRecord::new();
        reader.read(&mut names)?;
        let Columns { text, id, url, date, title, language } = columns;
        let place = |wanted: &String| names.iter().position(|name| name.trim_ascii() == wanted.as_bytes());
        let places = [text, id, url, date, title, language].map(place);
        if places[0].is_none() {
            let known: Vec<_> = names.iter().map(String::from_utf8_lossy).collect();
            let known: Vec<&str> = known.iter().map(AsRef::as_ref).collect();
            let message = format!("there is no column `{text}`; there are {}", list(&known));
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        }
        let columns = [text, id, url, date, title, language].map(String::clone);
        let (text, width) = (text.as_str().into(), names.len());
        Ok(Self { reader, on_disk, columns, text, places, width, record: names, offset: 0, ended: false })
    }

    fn picked(&self) -> Result<Picked, (Fault, String)> {
        let found = self.record.len();
        if found != self.width {
            return Err((Fault::CsvRow, format!("{found} fields, where the first row names {}", self.width)));
        }
        let value = |place: usize| -> Result<Option<String>, (Fault, String)> {
            let Some(bytes) = self.places[place].map(|column| &self.record[column]) else { return Ok(None) };
            let text = std::str::from_utf8(bytes)
                .map_err(|error| (Fault::NotUtf8, format!("column `{}` is not UTF-8: {error}", self.columns[place])))?;
            Ok(Some(text.trim().to_owned()).filter(|text| !text.is_empty()))
        };
        let text = Found::Text(value(0)?.unwrap_or_default());
        Ok(Picked { text, id: value(1)?, url: value(2)?, date: value(3)?, title: value(4)?, language: value(5)? })
    }
}

impl RawReader for CsvRows {
    fn next_raw(&mut self) -> io::Result<Option<Raw>> {
        if self.ended {
            return Ok(None);
        }
        match self.reader.read(&mut self.record) {
            Ok(None) => Ok(None),
            Ok(Some(offset)) => {
                self.offset = offset;
                Ok(Some(match self.picked() {
                    Ok(picked) => Raw::record(TableRow { offset, picked, text: Arc::clone(&self.text) }),
                    Err((fault, detail)) => Raw::Broken(Broken { offset, record: None, fault, detail }),
                }))
            }
            Err(error) => {
                self.ended = true;
                self.on_disk.fault(error, self.offset).map(Some)
            }
        }
    }
}

impl SourceFormat for CsvRows {
    type Options = CsvOptions;

    const NAME: &'static str = "csv";

    fn versions(_: &CsvOptions) -> Vec<Version> {
        vec![VERSION]
    }

    fn open(options: &CsvOptions, file: SourceFile<'_>) -> io::Result<Self> {
        Self::new(file.unpacked()?, options.delimiter, &options.columns)
    }
}

impl ListedFormat for CsvRows {
    fn options(recipe: &SourceRecipe, key: &str, _: &NamedFiles<'_>) -> Result<CsvOptions, TomlError> {
        let delimiter = if key == "tsv" { b'\t' } else { b',' };
        Ok(CsvOptions { columns: recipe.columns.columns(), delimiter })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::row::{Outcome, Row};

    fn read(text: &'static str, delimiter: u8) -> Vec<Raw> {
        let columns = Columns { text: "title".into(), ..Columns::default() };
        let mut rows = CsvRows::new(Unpacked::plain(text.as_bytes()), delimiter, &columns).expect("it begins");
        std::iter::from_fn(|| rows.next_raw().expect("it reads")).collect()
    }

    fn rows(text: &'static str, delimiter: u8) -> Vec<Row> {
        read(text, delimiter).iter().map(|raw| raw.row("links")).collect()
    }

    fn is_text(row: &Row, wanted: &str) -> bool {
        matches!(&row.outcome, Outcome::Text(text) if text == wanted)
    }

    #[test]
    fn rows_are_found_by_the_names_of_columns() {
        let rows =
            rows("url,score,title\nhttp://a.org,3,\"Salt, and\npepper\"\nhttp://b.org,1\nhttp://c.org,2,Oil\n", b',');
        let [salt, broken, oil] = rows.as_slice() else { panic!("{rows:?}") };
        assert!(salt.offset == 16 && is_text(salt, "Salt, and\npepper") && is_text(oil, "Oil"), "{rows:?}");
        assert_eq!(salt.url.as_deref(), Some("http://a.org"));
        assert!(broken.offset == 50 && matches!(broken.outcome, Outcome::Quarantined(Fault::CsvRow, _)), "{broken:?}");
    }

    /// As spreadsheets write it: a mark before the first name, and line breaks of two bytes; what is not UTF-8 is named.
    #[test]
    fn rows_are_read_as_they_come() {
        let rows = rows("\u{feff}title,url\r\nSalt,http://a.org\r\nOil,http://b.org\r\n", b',');
        let [first, second] = rows.as_slice() else { panic!("{rows:?}") };
        // the reader ends a row at the first byte of its line break
        assert!(is_text(first, "Salt") && second.offset == 32, "{rows:?}");
        assert_eq!(second.url.as_deref(), Some("http://b.org"));

        let columns = Columns { text: "title".into(), ..Columns::default() };
        let open = |bytes: &'static [u8]| CsvRows::new(Unpacked::plain(bytes), b',', &columns);
        let error = open(b"\xff\xfet\0").err().expect("it is UTF-16").to_string();
        assert!(error.contains("UTF-16LE"), "{error}");
        let row = open(b"title\ncaf\xe9\n").and_then(|mut rows| rows.next_raw());
        assert!(
            matches!(&row, Ok(Some(Raw::Broken(broken))) if broken.detail.starts_with("column `title` is not UTF-8")),
            "{row:?}"
        );
    }

    /// A quote that is open takes the rest of the file, and is no text: the bytes from its row on are lost.
    #[test]
    fn an_open_quote_costs_the_rest() {
        let rows = read("title,url\nSalt,http://a.org\n\"Oil,http://b.org\nMilk,http://c.org\n", b',');
        let [Raw::Record(_), Raw::Lost { fault, bytes: 36 }] = rows.as_slice() else { panic!("{rows:?}") };
        assert_eq!((fault.fault, fault.offset), (Fault::CsvClipped, 28));
    }

    #[test]
    fn tabs_divide_as_well() {
        let rows = rows("title\turl\nSalt, oil\thttp://a.org\n", b'\t');
        assert!(matches!(&rows[..], [row] if row.url.as_deref() == Some("http://a.org")), "{rows:?}");
    }
}
