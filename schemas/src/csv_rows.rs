//! Rows of CSV, in which every quote must be closed.
//!
//! A field in quotes may hold line breaks, so a quote that is never closed takes the rest of the file into one field (RFC 4180 has no such file).
//! The crate `csv` ends such a field with the file, as if it were sound. Here a last row of one empty field in quotes stands behind the bytes
//! of a file: what comes out as another row has been swallowed by an open quote.

use std::io::{self, Read};

use csv::{ByteRecord, ErrorKind, Position, Reader, ReaderBuilder, Terminator};

/// What stands behind the bytes of a file.
const PROBE: &[u8] = b"\n\"\"";

/// Reads the rows of a table, the names of its columns among them.
pub struct CsvRows<R> {
    reader: Reader<Probed<R>>,
}

/// A quote that is never closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the row that begins at byte {offset} has a quote that is not closed, so that the rest of the file stands in one field"
)]
pub struct OpenQuote {
    /// Where its row begins.
    pub offset: u64,
    /// Bytes of the unpacked file.
    pub of: u64,
}

impl OpenQuote {
    /// The open quote that an error of reading stands for.
    #[must_use]
    pub fn of(error: &io::Error) -> Option<&Self> {
        error.get_ref()?.downcast_ref()
    }

    /// How many bytes of a file count as lost: those from the row on; of a packed file, the same share.
    ///
    /// - `length`: bytes of the file as it lies on disk
    #[must_use]
    pub fn lost(&self, length: u64) -> u64 {
        let behind = u128::from(self.of.saturating_sub(self.offset));
        let bytes = (u128::from(length) * behind).div_ceil(u128::from(self.of.max(1)));
        u64::try_from(bytes).map_or(length, |bytes| bytes.min(length))
    }
}

impl From<OpenQuote> for io::Error {
    fn from(open: OpenQuote) -> Self {
        Self::new(io::ErrorKind::UnexpectedEof, open)
    }
}

impl<R: Read> CsvRows<R> {
    /// Begins to read fields that may stand in quotes.
    pub fn new(input: R, delimiter: u8) -> Self {
        let mut builder = ReaderBuilder::new();
        builder.delimiter(delimiter);
        Self::of(&mut builder, input, PROBE)
    }

    /// Begins to read fields in which a quote is a character like any other, and rows that end at line feeds alone.
    pub fn without_quotes(input: R, delimiter: u8) -> Self {
        let mut builder = ReaderBuilder::new();
        builder.delimiter(delimiter).quoting(false).terminator(Terminator::Any(b'\n'));
        Self::of(&mut builder, input, b"")
    }

    fn of(builder: &mut ReaderBuilder, input: R, probe: &'static [u8]) -> Self {
        let input = Probed { input, probe, left: probe, given: 0 };
        Self { reader: builder.flexible(true).has_headers(false).from_reader(input) }
    }

    /// Reads the next row, and gives the byte at which it begins, or nothing at the end.
    ///
    /// # Errors
    /// When the file cannot be read, or ends within quotes: see [`OpenQuote`].
    pub fn read(&mut self, record: &mut ByteRecord) -> io::Result<Option<u64>> {
        if !self.reader.read_byte_record(record).map_err(into_io)? {
            return Ok(None);
        }
        let offset = record.position().map_or(0, Position::byte);
        let input = self.reader.get_ref();
        if input.is_given() && self.reader.position().byte() == input.given {
            if record.len() != 1 || !record[0].is_empty() {
                return Err(OpenQuote { offset, of: input.length() }.into());
            }
            record.clear();
            return Ok(None);
        }
        Ok(Some(offset))
    }
}

/// The bytes of a file, and a probe behind them.
struct Probed<R> {
    input: R,
    probe: &'static [u8],
    /// What of the probe is still to be given.
    left: &'static [u8],
    /// Bytes given so far.
    given: u64,
}

impl<R> Probed<R> {
    /// Whether there is a probe, and all of it was given.
    fn is_given(&self) -> bool {
        !self.probe.is_empty() && self.left.is_empty()
    }

    /// Bytes of the file, once the probe was given.
    fn length(&self) -> u64 {
        self.given - self.probe.len() as u64
    }
}

impl<R: Read> Read for Probed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut count = self.input.read(buffer)?;
        if count == 0 {
            count = self.left.read(buffer)?;
        }
        self.given += count as u64;
        Ok(count)
    }
}

fn into_io(error: csv::Error) -> io::Error {
    match error.into_kind() {
        ErrorKind::Io(error) => error,
        other => io::Error::new(io::ErrorKind::InvalidData, format!("{other:?}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Offsets and fields of all rows; then the open quote, where there is one.
    fn read(text: &str) -> (Vec<(u64, String)>, Option<OpenQuote>) {
        let mut rows = CsvRows::new(text.as_bytes(), b',');
        let (mut found, mut record) = (Vec::new(), ByteRecord::new());
        loop {
            match rows.read(&mut record) {
                Ok(None) => return (found, None),
                Ok(Some(offset)) => {
                    let fields: Vec<_> = record.iter().map(String::from_utf8_lossy).collect();
                    found.push((offset, fields.join("|")));
                }
                Err(error) => return (found, OpenQuote::of(&error).copied()),
            }
        }
    }

    /// However a sound file ends, its rows are those that it has: the probe shows nowhere.
    #[test]
    fn sound_ends_are_sound() {
        let row = |offset, fields: &str| (offset, fields.to_owned());
        for (end, last) in [
            ("b", "b"),
            ("b\n", "b"),
            ("b\r\n", "b"),
            ("b\n\n\n", "b"),
            ("\"b\"", "b"),
            ("\"b \"\"c\"\"\"", "b \"c\""),
            ("\"b\n\"\"\"\n", "b\n\""),
            ("b\"c", "b\"c"),
            ("b,", "b|"),
            ("b,\"\"", "b|"),
            ("\"\"", ""),
        ] {
            assert_eq!(read(&format!("a\n{end}")), (vec![row(0, "a"), row(2, last)], None), "{end:?}");
        }
        assert_eq!(read(""), (vec![], None));
        assert_eq!(read("a"), (vec![row(0, "a")], None));
    }

    /// A quote that is open costs its row and what stands behind it, and nothing before.
    #[test]
    fn an_open_quote_is_told() {
        for end in ["\"b", "\"b\n", "x,\"b\nc,d\ne,f\n", "\"", "\"b \"\"", "\"b\"\"\n\"\"\n"] {
            let text = format!("a\n{end}");
            let (rows, open) = read(&text);
            assert_eq!(rows.len(), 1, "{end:?}");
            let open = open.expect("it is open");
            assert_eq!(open, OpenQuote { offset: 2, of: text.len() as u64 }, "{end:?}");
            assert_eq!(open.lost(open.of), end.len() as u64);
        }
        assert_eq!(read("\"a\n1\n").1, Some(OpenQuote { offset: 0, of: 5 }), "in the row of names");
        assert_eq!(OpenQuote { offset: 750, of: 1000 }.lost(101), 26, "a quarter of a packed file, rounded up");
    }

    #[test]
    fn without_quotes_none_is_open() {
        let mut rows = CsvRows::without_quotes("a\t\"b\n\"\"".as_bytes(), b'\t');
        let mut record = ByteRecord::new();
        assert_eq!(rows.read(&mut record).expect("it reads"), Some(0));
        assert_eq!(rows.read(&mut record).expect("it reads"), Some(5));
        assert_eq!(&record[0], b"\"\"");
        assert_eq!(rows.read(&mut record).expect("it reads"), None);
    }
}
