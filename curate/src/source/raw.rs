//! Records as they stand in a file, before anything costly is done with them.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read as _, Seek as _},
    path::Path,
};

use flate2::bufread::MultiGzDecoder;
use schemas::examples::Found;
use serde_json::Value;

use super::{
    Format,
    columns::Picked,
    csv,
    examples::{self, Examples},
    json_lines, parquet, plain_text,
    row::Row,
    warc::{self, WarcRecords},
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
            Self::Broken(_) => 0,
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
    pub(super) fn open(&self, path: &Path) -> io::Result<Box<dyn RawReader>> {
        let file = File::open(path)?;
        Ok(match self {
            Self::Warc(_) => Box::new(WarcRecords::new(file)?),
            Self::JsonLines(_) => Box::new(json_lines::Lines::new(Unpacked::open(file)?)),
            Self::Examples(rules) => Box::new(Examples::open(rules, path)?),
            Self::Parquet(columns) => Box::new(parquet::Rows::new(file, columns)?),
            Self::Csv { columns, delimiter } => {
                Box::new(csv::CsvRows::new(Unpacked::open(file)?, *delimiter, columns)?)
            }
            Self::Html(_) => Box::new(plain_text::Pieces::new(Unpacked::open(file)?, None)?),
            Self::Text { begins } => Box::new(plain_text::Pieces::new(Unpacked::open(file)?, begins.as_deref())?),
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
            (_, Raw::Warc(record)) => warc::row(source, &super::WarcOptions::default(), record),
        }
    }
}

/// The bytes of a file, unpacked where it is gzip or zstd.
pub struct Unpacked {
    /// The bytes.
    pub bytes: Box<dyn BufRead + Send>,
    /// What is wrong when they cannot be unpacked any further.
    pub packing: Packing,
    /// How they were packed.
    pub packed: Packed,
}

/// How the bytes of a file are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packed {
    Plain,
    Gzip,
    Zstd,
}

/// What is wrong when packed bytes end too early, and when they cannot be unpacked.
#[derive(Debug, Clone, Copy)]
pub struct Packing {
    clipped: Fault,
    corrupt: Fault,
}

impl Packing {
    const GZIP: Self = Self { clipped: Fault::GzipClipped, corrupt: Fault::GzipCorrupt };
    const ZSTD: Self = Self { clipped: Fault::ZstdClipped, corrupt: Fault::ZstdCorrupt };

    /// The fault of a file that cannot be unpacked any further; what the system reports stays an error.
    pub fn fault(self, error: io::Error, offset: u64) -> io::Result<Raw> {
        if error.raw_os_error().is_some() {
            return Err(error);
        }
        let is_end = error.kind() == io::ErrorKind::UnexpectedEof;
        let fault = if is_end { self.clipped } else { self.corrupt };
        Ok(Raw::Broken(Broken { offset, record: None, fault, detail: error.to_string() }))
    }
}

/// Bytes that are read, and unpacked, at a time.
const BUFFER: usize = 1 << 18;

impl Unpacked {
    pub(super) fn open(mut file: File) -> io::Result<Self> {
        let mut magic = Vec::new();
        (&mut file).take(4).read_to_end(&mut magic)?;
        file.rewind()?;
        let file = BufReader::with_capacity(BUFFER, file);
        Ok(match magic.as_slice() {
            [0x1f, 0x8b, ..] => {
                let bytes = Box::new(BufReader::with_capacity(BUFFER, MultiGzDecoder::new(file)));
                Self { bytes, packing: Packing::GZIP, packed: Packed::Gzip }
            }
            [0x28, 0xb5, 0x2f, 0xfd] => {
                let decoder = zstd::stream::read::Decoder::with_buffer(file)?;
                let bytes = Box::new(BufReader::with_capacity(BUFFER, decoder));
                Self { bytes, packing: Packing::ZSTD, packed: Packed::Zstd }
            }
            _ => Self { bytes: Box::new(file), packing: Packing::GZIP, packed: Packed::Plain },
        })
    }

    /// Bytes of a file that is not packed.
    #[cfg(test)]
    pub fn plain(bytes: Box<dyn BufRead + Send>) -> Self {
        Self { bytes, packing: Packing::GZIP, packed: Packed::Plain }
    }
}
