//! What files are that are no text, and packed in no way that is read here.

use crate::{Error, Packing};

/// First bytes of formats, and what to do about them. No text in UTF-8 begins so, but for letters that a byte follows which is none.
const KNOWN: [(&[u8], &str); 23] = [
    (b"PK\x03\x04", "a ZIP file: unpack it first"),
    (b"PK\x05\x06", "an empty ZIP file"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z file: unpack it first"),
    (b"Rar!\x1a\x07", "a RAR file: unpack it first"),
    (b"\x1f\x9d", "a file of `compress` (.Z): unpack it first, by `gzip -d`"),
    (b"\x1f\xa0", "a file of `compress` (LZH): unpack it first, by `gzip -d`"),
    (b"\xff\x06\x00\x00sNaPpY", "framed Snappy: unpack it first"),
    (b"LZIP\x00", "an lzip file: unpack it first, by `lzip -d`"),
    (b"LZIP\x01", "an lzip file: unpack it first, by `lzip -d`"),
    (b"\x5d\x00\x00", "an lzma file of the old form: unpack it first, by `xz -d`"),
    (b"\x89LZO\x00\r\n\x1a\n", "an lzop file: unpack it first, by `lzop -d`"),
    (b"LRZI\x00", "an lrzip file: unpack it first, by `lrzip -d`"),
    (b"\x02\x21\x4c\x18", "a legacy frame of LZ4: unpack it first, by `lz4 -d`"),
    (b"MSCF\x00", "a cabinet: unpack it first"),
    (b"PAR1\x15", "Parquet: read it as such"),
    (b"ARROW1\x00\x00", "an Arrow file: curate reads it as `arrow`, or write it as Parquet first"),
    (b"\xff\xff\xff\xff", "a stream of Arrow: curate reads it as `arrow`, or write it as Parquet first"),
    (b"Obj\x01", "an Avro file: write it as Parquet or JSON lines first"),
    (b"SQLite format 3\x00", "a database of SQLite: write its rows as JSON lines first"),
    (b"%PDF-", "a PDF file: take its text first"),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file: write it as Parquet first"),
    (b"\x93NUMPY", "an array of NumPy: write it as Parquet first"),
    (b"\x89PNG\r\n\x1a\n", "an image"),
];

/// Where a tar file says what it is.
const TAR: usize = 257;

/// Bytes that are enough to tell.
pub(crate) const ENOUGH: usize = 512;

/// What these bytes begin, if they are no text: the first of a file, or of what a packed file holds.
///
/// - `within`: how they were packed
#[must_use]
pub fn unknown(start: &[u8], within: Packing) -> Option<Error> {
    let known = KNOWN.iter().find(|(magic, _)| start.starts_with(magic)).map(|(magic, what)| (magic.len(), *what));
    let tar = || {
        let is_tar = start.get(TAR..TAR + 6).is_some_and(|magic| magic == b"ustar\0" || magic == b"ustar ");
        is_tar.then_some((8, "a tar file: unpack it first"))
    };
    let twice = || {
        let is_packed = within != Packing::Plain && Packing::of(start) != Packing::Plain;
        is_packed.then_some((4, "which is packed once more: unpack it once"))
    };
    let (count, what) = known.or_else(tar).or_else(twice)?;
    let shown: Vec<String> = start.iter().take(count.clamp(4, 8)).map(|byte| format!("{byte:02x}")).collect();
    Some(Error::Unknown { within, start: shown.join(" "), what })
}
