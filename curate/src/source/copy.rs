//! Some records of a file, copied as they stand there.

use std::{
    fs::File,
    io::{self, Write},
    path::Path,
};

use datafusion::arrow::{array::BooleanArray, compute::filter_record_batch};
use flate2::{Compression as Gzip, write::GzEncoder};
use parquet::{
    arrow::{ArrowWriter, arrow_reader::ParquetRecordBatchReaderBuilder},
    basic::{Compression, ZstdLevel},
    file::properties::WriterProperties,
};

use super::{
    Format,
    raw::{Packed, Unpacked},
};
use crate::{
    error::{Error, Result},
    files::{PartialFile, Written},
};

/// Rows of a table that are copied together.
const BATCH_ROWS: usize = 1024;

/// Copies the records at `offsets`, which rise, from `from` to `to`: lines byte by byte, rows with all their columns. The copy is
/// packed as the original is.
///
/// - returns: records that were copied
///
/// # Errors
/// When a file cannot be read or written, or an offset is not that of a record.
pub fn copy_records(
    format: &Format,
    from: &Path,
    offsets: impl Iterator<Item = Result<u64>>,
    to: &Path,
) -> Result<(u64, Written)> {
    match format {
        Format::Parquet(_) => copy_rows(from, offsets, to),
        _ => copy_lines(from, offsets, to),
    }
}

fn copy_lines(from: &Path, offsets: impl Iterator<Item = Result<u64>>, to: &Path) -> Result<(u64, Written)> {
    let read = |source| Error::File { action: "read", path: from.to_owned(), source };
    let write = |source| Error::File { action: "write", path: to.to_owned(), source };
    let mut input = Unpacked::open(File::open(from).map_err(read)?).map_err(read)?;
    let mut output = Packer::new(PartialFile::create(to)?, input.packed).map_err(write)?;
    let (mut at, mut copied) = (0, 0);
    let mut line = Vec::new();
    for offset in offsets {
        let offset = offset?;
        while at <= offset {
            line.clear();
            let start = at;
            let count = input.bytes.read_until(b'\n', &mut line).map_err(read)?;
            at += count as u64;
            if count == 0 || (start < offset && offset < at) {
                return Err(changed(from, offset));
            }
            if start == offset {
                output.write_all(&line).map_err(write)?;
                if line.last() != Some(&b'\n') {
                    output.write_all(b"\n").map_err(write)?;
                }
                copied += 1;
            }
        }
    }
    Ok((copied, output.finish().map_err(write)?.publish()?))
}

fn copy_rows(from: &Path, offsets: impl Iterator<Item = Result<u64>>, to: &Path) -> Result<(u64, Written)> {
    let read = |error: &dyn std::fmt::Display| {
        let source = io::Error::new(io::ErrorKind::InvalidData, error.to_string());
        Error::File { action: "read", path: from.to_owned(), source }
    };
    let write = |error: &dyn std::fmt::Display| {
        let source = io::Error::other(error.to_string());
        Error::File { action: "write", path: to.to_owned(), source }
    };
    let file = File::open(from).map_err(Error::file("read", from))?;
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|error| read(&error))?;
    let schema = builder.schema().clone();
    let level = ZstdLevel::try_new(3).expect("3 is a level of zstd");
    let properties = WriterProperties::builder().set_compression(Compression::ZSTD(level)).build();
    let mut output =
        ArrowWriter::try_new(PartialFile::create(to)?, schema, Some(properties)).map_err(|error| write(&error))?;
    let mut offsets = offsets.peekable();
    let (mut before, mut copied) = (0, 0);
    for batch in builder.with_batch_size(BATCH_ROWS).build().map_err(|error| read(&error))? {
        let batch = batch.map_err(|error| read(&error))?;
        let mut kept = vec![false; batch.num_rows()];
        let end = before + batch.num_rows() as u64;
        while let Some(offset) = offsets.next_if(|offset| offset.as_ref().map_or(true, |offset| *offset < end)) {
            kept[usize::try_from(offset? - before).expect("a row of the batch")] = true;
            copied += 1;
        }
        let rows = filter_record_batch(&batch, &BooleanArray::from(kept)).map_err(|error| read(&error))?;
        output.write(&rows).map_err(|error| write(&error))?;
        before = end;
    }
    if let Some(offset) = offsets.next() {
        return Err(changed(from, offset?));
    }
    Ok((copied, output.into_inner().map_err(|error| write(&error))?.publish()?))
}

/// The error of a file that is not what was read before.
fn changed(path: &Path, offset: u64) -> Error {
    let message = format!("no record begins at byte or row {offset}, where one did when the file was first read");
    Error::Damaged { path: path.to_owned(), message }
}

/// A file on its way, packed as another one is.
enum Packer {
    Plain(PartialFile),
    Gzip(GzEncoder<PartialFile>),
    Zstd(zstd::stream::write::Encoder<'static, PartialFile>),
}

impl Packer {
    fn new(file: PartialFile, packed: Packed) -> io::Result<Self> {
        Ok(match packed {
            Packed::Plain => Self::Plain(file),
            Packed::Gzip => Self::Gzip(GzEncoder::new(file, Gzip::default())),
            Packed::Zstd => Self::Zstd(zstd::stream::write::Encoder::new(file, 3)?),
        })
    }

    fn finish(self) -> io::Result<PartialFile> {
        match self {
            Self::Plain(file) => Ok(file),
            Self::Gzip(encoder) => encoder.finish(),
            Self::Zstd(encoder) => encoder.finish(),
        }
    }
}

impl Write for Packer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(file) => file.write(bytes),
            Self::Gzip(encoder) => encoder.write(bytes),
            Self::Zstd(encoder) => encoder.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(file) => file.flush(),
            Self::Gzip(encoder) => encoder.flush(),
            Self::Zstd(encoder) => encoder.flush(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file that was changed between two readings gives an error, and no copy that lacks a line.
    #[test]
    fn a_line_that_moved_is_missed() {
        let folder = tempfile::tempdir().expect("the temporary folder can be written");
        let (from, to) = (folder.path().join("from.jsonl"), folder.path().join("to.jsonl"));
        std::fs::write(&from, "one\ntwo\nthree\n").expect("the folder can be written");
        let copy = |offsets: &[u64]| copy_lines(&from, offsets.iter().map(|offset| Ok(*offset)), &to);
        assert_eq!(copy(&[0, 8]).expect("the lines are there").0, 2);
        assert_eq!(std::fs::read(&to).expect("it was written"), b"one\nthree\n");
        for offsets in [[0, 5], [8, 14]] {
            let error = copy(&offsets).expect_err("no line begins there").to_string();
            assert!(error.contains("from.jsonl") && error.contains(&offsets[1].to_string()), "{error}");
        }
        assert_eq!(std::fs::read(&to).expect("it is still there"), b"one\nthree\n");
    }
}
