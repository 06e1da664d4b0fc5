//! Records as they stand in a file, before anything costly is done with them.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read as _, Seek as _},
    path::Path,
};

use flate2::bufread::MultiGzDecoder;

use super::{
    Format, json_lines, plain_text,
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
    /// A piece of plain text.
    Text {
        /// Where it begins in the unpacked file.
        offset: u64,
        /// The text.
        bytes: Vec<u8>,
    },
    /// Something that is no record.
    Broken(Broken),
}

impl Raw {
    /// Bytes that it holds.
    pub fn len(&self) -> usize {
        match self {
            Self::Warc(record) => record.block.len(),
            Self::Line { bytes, .. } | Self::Text { bytes, .. } => bytes.len(),
            Self::Broken(_) => 0,
        }
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
            Self::JsonLines(_) | Self::Examples { .. } => Box::new(json_lines::Lines::new(unpacked(file)?)),
            Self::Html(_) => Box::new(plain_text::Pieces::new(unpacked(file)?, None)?),
            Self::Text { begins } => Box::new(plain_text::Pieces::new(unpacked(file)?, begins.as_deref())?),
        })
    }

    /// Looks into a record.
    pub(super) fn row(&self, source: &str, raw: &Raw) -> Row {
        match (self, raw) {
            (Self::Warc(options), Raw::Warc(record)) => warc::row(source, options, record),
            (Self::JsonLines(columns), Raw::Line { offset, bytes }) => json_lines::row(source, columns, *offset, bytes),
            (Self::Examples { fields }, Raw::Line { offset, bytes }) => {
                json_lines::example(source, fields, *offset, bytes)
            }
            (Self::Html(options), Raw::Text { offset, bytes }) => warc::page_row(source, options, *offset, bytes),
            (_, Raw::Text { offset, bytes } | Raw::Line { offset, bytes }) => plain_text::row(source, *offset, bytes),
            (_, Raw::Broken(broken)) => broken.clone().into(),
            (_, Raw::Warc(record)) => warc::row(source, &super::WarcOptions::default(), record),
        }
    }
}

/// The lines of a file, unpacked where it is gzip.
pub type Unpacked = Box<dyn BufRead + Send>;

fn unpacked(mut file: File) -> io::Result<Unpacked> {
    let mut magic = [0; 2];
    let read = file.read(&mut magic)?;
    file.rewind()?;
    let buffered = BufReader::with_capacity(1 << 18, file);
    if read == 2 && magic == [0x1f, 0x8b] {
        Ok(Box::new(BufReader::with_capacity(1 << 18, MultiGzDecoder::new(buffered))))
    } else {
        Ok(Box::new(buffered))
    }
}

/// The fault of a gzip file that cannot be unpacked any further; other errors stay errors.
pub fn gzip_fault(error: io::Error, offset: u64) -> io::Result<Raw> {
    let fault = match error.kind() {
        io::ErrorKind::UnexpectedEof => Fault::GzipClipped,
        io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => Fault::GzipCorrupt,
        _ => return Err(error),
    };
    Ok(Raw::Broken(Broken { offset, record: None, fault, detail: error.to_string() }))
}
