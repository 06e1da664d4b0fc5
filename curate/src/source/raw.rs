//! Records as they stand in a file, before anything costly is done with them.

use std::{
    fmt,
    fs::File,
    io::{self, Read},
    path::Path,
};

use compression::Packing;
use schemas::{csv_rows::OpenQuote, paths::unpacked_name};

use super::{Format, format::SourceFile, row::Row, windows::Windows};
use crate::archive::{Broken, Fault};

/// A record that has been found, but not looked into.
pub trait RawRecord: fmt::Debug + Send + Sync {
    /// Bytes that it holds, about.
    fn size(&self) -> usize;

    /// Looks into it: the row of a source that it becomes.
    fn row(&self, source: &str) -> Row;
}

/// What stands in a file, one after the other.
#[derive(Debug)]
pub enum Raw {
    /// A record.
    Record(Box<dyn RawRecord>),
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
    /// A record.
    pub fn record(record: impl RawRecord + 'static) -> Self {
        Self::Record(Box::new(record))
    }

    /// Bytes that it holds.
    pub fn len(&self) -> usize {
        match self {
            Self::Record(record) => record.size(),
            Self::Broken(_) | Self::Lost { .. } => 0,
        }
    }

    /// The row of a source that it becomes.
    pub fn row(&self, source: &str) -> Row {
        match self {
            Self::Record(record) => record.row(source),
            Self::Broken(broken) => broken.clone().into(),
            Self::Lost { fault, bytes } => Row { lost: Some(*bytes), ..fault.clone().into() },
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
        self.begin(SourceFile { file, path, windows }).or_else(|error| {
            let (fault, bytes) = on_disk.lost(error, 0)?;
            Ok(Box::new(LostFile(Some(Raw::Lost { fault, bytes }))) as Box<dyn RawReader>)
        })
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

    /// What an error of reading is, as something that stands in the file.
    ///
    /// - `offset`: where what could not be read begins in the unpacked file
    pub fn fault(self, error: io::Error, offset: u64) -> io::Result<Raw> {
        let (fault, bytes) = self.lost(error, offset)?;
        Ok(Raw::Lost { fault, bytes })
    }

    /// What an error of reading is: the fault of a file that cannot be unpacked any further, or of a table with an open quote, and the bytes
    /// that are lost for it; what the system reports, and what more memory would mend, stays an error.
    ///
    /// - `offset`: where what could not be read begins in the unpacked file
    pub fn lost(self, error: io::Error, offset: u64) -> io::Result<(Broken, u64)> {
        if let Some(open) = OpenQuote::of(&error) {
            let fault =
                Broken { offset: open.offset, record: None, fault: Fault::CsvClipped, detail: open.to_string() };
            return Ok((fault, open.lost(self.bytes)));
        }
        let Some(found) = compression::Error::of(&error) else { return Err(error) };
        let Some(fault) = fault_of(found) else { return Err(error) };
        let bytes = found.lost(self.bytes);
        Ok((Broken { offset, record: None, fault, detail: error.to_string() }, bytes))
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

/// The error of a file that holds something else than it should.
pub fn invalid(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

/// A file that is lost before its first record.
struct LostFile(Option<Raw>);

impl RawReader for LostFile {
    fn next_raw(&mut self) -> io::Result<Option<Raw>> {
        Ok(self.0.take())
    }
}
