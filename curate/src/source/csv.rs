//! Rows of CSV and TSV files as documents: link lists, tables of examples.

use std::io;

use csv::ByteRecord;
use schemas::{byte_order_mark, csv_rows};

use super::{
    columns::{Columns, Found, Picked},
    raw::{Bytes, OnDisk, Raw, RawReader, Unpacked},
};
use crate::archive::{Broken, Fault};

/// How CSV becomes rows.
pub const VERSION: crate::files::Version = crate::files::Version::new("source/csv", 2);

/// The rows of a file whose first row names its columns.
pub struct CsvRows {
    reader: csv_rows::CsvRows<Bytes>,
    on_disk: OnDisk,
    columns: [String; 6],
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
            let message = format!("there is no column `{text}`; there are `{}`", known.join("`, `"));
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        }
        let columns = [text, id, url, date, title, language].map(String::clone);
        let width = names.len();
        Ok(Self { reader, on_disk, columns, places, width, record: names, offset: 0, ended: false })
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
                    Ok(picked) => Raw::Picked { offset, picked: Box::new(picked) },
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

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &'static str, delimiter: u8) -> Vec<Raw> {
        let columns = Columns { text: "title".into(), ..Columns::default() };
        let mut rows = CsvRows::new(Unpacked::plain(text.as_bytes()), delimiter, &columns).expect("it begins");
        std::iter::from_fn(|| rows.next_raw().expect("it reads")).collect()
    }

    #[test]
    fn rows_are_found_by_the_names_of_columns() {
        let rows =
            read("url,score,title\nhttp://a.org,3,\"Salt, and\npepper\"\nhttp://b.org,1\nhttp://c.org,2,Oil\n", b',');
        let [Raw::Picked { offset: 16, picked }, Raw::Broken(broken), Raw::Picked { .. }] = rows.as_slice() else {
            panic!("{rows:?}");
        };
        assert!(matches!(&picked.text, Found::Text(text) if text == "Salt, and\npepper"));
        assert_eq!(picked.url.as_deref(), Some("http://a.org"));
        assert_eq!((broken.fault, broken.offset), (Fault::CsvRow, 50));
    }

    /// As spreadsheets write it: a mark before the first name, and line breaks of two bytes; what is not UTF-8 is named.
    #[test]
    fn rows_are_read_as_they_come() {
        let rows = read("\u{feff}title,url\r\nSalt,http://a.org\r\nOil,http://b.org\r\n", b',');
        // the reader ends a row at the first byte of its line break
        let [Raw::Picked { picked: first, .. }, Raw::Picked { offset: 32, picked: second }] = rows.as_slice() else {
            panic!("{rows:?}");
        };
        assert!(matches!(&first.text, Found::Text(text) if text == "Salt"));
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
        let [Raw::Picked { .. }, Raw::Lost { fault, bytes: 36 }] = rows.as_slice() else { panic!("{rows:?}") };
        assert_eq!((fault.fault, fault.offset), (Fault::CsvClipped, 28));
    }

    #[test]
    fn tabs_divide_as_well() {
        let rows = read("title\turl\nSalt, oil\thttp://a.org\n", b'\t');
        assert!(matches!(&rows[..], [Raw::Picked { picked, .. }] if picked.url.as_deref() == Some("http://a.org")));
    }
}
