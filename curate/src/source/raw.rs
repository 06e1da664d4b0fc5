//! Records as they stand in a file, before anything costly is done with them.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use compression::Packing;
use schemas::{csv_rows::OpenQuote, examples::Found, paths::unpacked_name};
use serde_json::Value;

use super::{
    Format,
    columns::Picked,
    csv,
    examples::{self, Examples},
    json_lines, parquet, plain_text,
    row::Row,
    warc::{self, WarcRecords},
    windows::Windows,
};
use crate::archive::{Broken, Fault, warc::Record};

/// A record that has been found, but not looked into.
#[derive(Debug)]
pub enum Raw {
    /// Of an archive.
    Warc(Record),
    /// A line of JSON, without its line break.
    Line {
        /// Where it begins in the unpacked file.
        offset: u64,
        /// The line.
        bytes: Vec<u8>,
    },
    /// A row of a table.
    Picked {
        /// How many rows stand before it.
        offset: u64,
        /// Its values.
        picked: Box<Picked>,
    },
    /// A piece of plain text.
    Text {
        /// Where it begins in the unpacked file.
        offset: u64,
        /// The text.
        bytes: Vec<u8>,
    },
    /// An example of a task.
    Example(Box<schemas::examples::Read>),
    /// Something that is no record.
    Broken(Broken),
    /// A stretch of the file, or all of it, that cannot be read, and whose records are not known.
    Lost {
        /// What is wrong, and where.
        fault: Broken,
        /// Bytes of the file, as it lies on disk, that count as lost.
        bytes: u64,
    },
}

impl Raw {
    /// Bytes that it holds.
    pub fn len(&self) -> usize {
        match self {
            Self::Warc(record) => record.block.len(),
            Self::Line { bytes, .. } | Self::Text { bytes, .. } => bytes.len(),
            Self::Picked { picked, .. } => picked.len(),
            Self::Example(read) => match &read.found {
                Found::Example(object) | Found::LeftOut(object) => object.values().map(length).sum(),
                Found::Broken(..) => 0,
            },
            Self::Broken(_) | Self::Lost { .. } => 0,
        }
    }
}

/// About how many bytes a value holds.
fn length(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::Array(values) => values.iter().map(length).sum(),
        Value::Object(object) => object.values().map(length).sum(),
        _ => 8,
    }
}

/// Finds the records of one file, one after the other.
pub trait RawReader: Send {
    /// The next record, or none at the end of the file.
    fn next_raw(&mut self) -> io::Result<Option<Raw>>;
}

impl Format {
    /// Begins to read a file.
    pub(super) fn open(&self, path: &Path, windows: &Windows) -> io::Result<Box<dyn RawReader>> {
        let file = File::open(path)?;
        let on_disk = OnDisk { bytes: file.metadata()?.len() };
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if on_disk.bytes == 0 && unpacked_name(&name) != name {
            let detail = "the file has no byte, and its name says that it is packed".to_owned();
            let fault = Broken { offset: 0, record: None, fault: Fault::EmptyFile, detail };
            return Ok(Box::new(LostFile(Some(Raw::Lost { fault, bytes: 0 }))));
        }
        // what needs the first rows to begin may find that the file is lost
        self.begin(file, path, windows).or_else(|error| {
            let lost = on_disk.fault(error, 0)?;
            Ok(Box::new(LostFile(Some(lost))) as Box<dyn RawReader>)
        })
    }

    fn begin(&self, file: File, path: &Path, windows: &Windows) -> io::Result<Box<dyn RawReader>> {
        let unpacked = |file| Unpacked::open(file, windows);
        Ok(match self {
            Self::Warc(_) => Box::new(WarcRecords::new(file, windows)?),
            Self::JsonLines(_) => Box::new(json_lines::Lines::new(unpacked(file)?)),
            Self::Examples(rules) => Box::new(Examples::open(rules, path, windows)?),
            Self::Parquet(columns) => Box::new(parquet::Rows::new(file, columns)?),
            Self::Csv { columns, delimiter } => Box::new(csv::CsvRows::new(unpacked(file)?, *delimiter, columns)?),
            Self::Html(_) => Box::new(plain_text::Pieces::new(unpacked(file)?, None)?),
            Self::Text { begins } => Box::new(plain_text::Pieces::new(unpacked(file)?, begins.as_deref())?),
        })
    }

    /// Looks into a record.
    pub(super) fn row(&self, source: &str, raw: &Raw) -> Row {
        match (self, raw) {
            (Self::Warc(options), Raw::Warc(record)) => warc::row(source, options, record),
            (Self::JsonLines(columns), Raw::Line { offset, bytes }) => json_lines::row(source, columns, *offset, bytes),
            (_, Raw::Example(read)) => examples::row(source, read),
            (Self::Html(options), Raw::Text { offset, bytes }) => warc::page_row(source, options, *offset, bytes),
            (_, Raw::Text { offset, bytes } | Raw::Line { offset, bytes }) => plain_text::row(source, *offset, bytes),
            (Self::Parquet(columns) | Self::Csv { columns, .. }, Raw::Picked { offset, picked }) => {
                let row = Row { offset: *offset, bytes: picked.len() as u64, ..Row::default() };
                picked.as_ref().clone().document(source, row, &columns.text)
            }
            (_, Raw::Picked { offset, .. }) => unreachable!("row {offset} of a table that was not opened as one"),
            (_, Raw::Broken(broken)) => broken.clone().into(),
            (_, Raw::Lost { fault, bytes }) => Row { lost: Some(*bytes), ..fault.clone().into() },
            (_, Raw::Warc(record)) => warc::row(source, &super::WarcOptions::default(), record),
        }
    }
}

/// The bytes of a file, unpacked where it is packed.
pub struct Unpacked {
    /// The bytes.
    pub bytes: Bytes,
    /// The file as it lies on disk.
    pub on_disk: OnDisk,
}

/// Unpacked bytes of a file.
pub type Bytes = compression::Unpacked<Box<dyn Read + Send>>;

/// A file as it lies on disk.
#[derive(Debug, Clone, Copy)]
pub struct OnDisk {
    /// Its size.
    pub bytes: u64,
}

impl OnDisk {
    /// A file whose end is missing, with the fault and the place in the unpacked file.
    pub fn cut(self, fault: Fault, offset: u64, detail: String) -> Raw {
        Raw::Lost { fault: Broken { offset, record: None, fault, detail }, bytes: self.bytes }
    }

    /// What an error of reading is: the fault of a file that cannot be unpacked any further, or of a table with an open quote; what the system
    /// reports, and what more memory would mend, stays an error.
    ///
    /// - `offset`: where what could not be read begins in the unpacked file
    pub fn fault(self, error: io::Error, offset: u64) -> io::Result<Raw> {
        if let Some(open) = OpenQuote::of(&error) {
            let fault =
                Broken { offset: open.offset, record: None, fault: Fault::CsvClipped, detail: open.to_string() };
            return Ok(Raw::Lost { fault, bytes: open.lost(self.bytes) });
        }
        let Some(found) = compression::Error::of(&error) else { return Err(error) };
        let Some(fault) = fault_of(found) else { return Err(error) };
        let bytes = found.lost(self.bytes);
        Ok(Raw::Lost { fault: Broken { offset, record: None, fault, detail: error.to_string() }, bytes })
    }
}

/// The fault that costs a file, or its rest.
fn fault_of(error: &compression::Error) -> Option<Fault> {
    match error {
        compression::Error::Cut { packing, .. } => Some(Fault::clipped(*packing)),
        compression::Error::Corrupt { packing, .. } => Some(Fault::corrupt(*packing)),
        compression::Error::Unknown { .. } => Some(Fault::UnknownFormat),
        _ => None,
    }
}

impl Unpacked {
    pub(super) fn open(file: File, windows: &Windows) -> io::Result<Self> {
        let bytes = file.metadata()?.len();
        let reader: Box<dyn Read + Send> = Box::new(file);
        let bytes_of = compression::Unpacked::new(reader, windows.allowance())?;
        Ok(Self { bytes: bytes_of, on_disk: OnDisk { bytes } })
    }

    /// How the file is packed.
    pub fn packing(&self) -> Packing {
        self.bytes.packing()
    }

    /// Bytes of a file that is not packed.
    #[cfg(test)]
    pub fn plain(bytes: &'static [u8]) -> Self {
        let reader: Box<dyn Read + Send> = Box::new(bytes);
        let on_disk = OnDisk { bytes: bytes.len() as u64 };
        let bytes = compression::Unpacked::new(reader, Windows::default().allowance()).expect("memory can be read");
        Self { bytes, on_disk }
    }
}

/// A file that is lost before its first record.
struct LostFile(Option<Raw>);

impl RawReader for LostFile {
    fn next_raw(&mut self) -> io::Result<Option<Raw>> {
        Ok(self.0.take())
    }
}
