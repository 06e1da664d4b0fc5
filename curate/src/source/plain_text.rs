//! Plain text as documents: a file is one, or a line that matches a pattern begins the next.

use std::io::{self, BufRead as _};

use regex::bytes::Regex;
use schemas::{
    byte_order_mark::{UTF_8, without_mark},
    identity::DocumentId,
};

use super::{
    raw::{Raw, RawReader, Unpacked},
    row::Row,
};
use crate::archive::Fault;

/// How plain text, and pages that are files, become rows.
pub const VERSION: crate::files::Version = crate::files::Version::new("source/plain_text", 1);

/// The documents of a file.
pub struct Pieces {
    input: Unpacked,
    begins: Option<Regex>,
    /// The line that ended the piece before, and begins the next.
    pending: Vec<u8>,
    offset: u64,
    ended: bool,
}

impl Pieces {
    pub fn new(input: Unpacked, begins: Option<&str>) -> io::Result<Self> {
        let begins = begins.map(Regex::new).transpose().map_err(io::Error::other)?;
        Ok(Self { input, begins, pending: Vec::new(), offset: 0, ended: false })
    }
}

impl RawReader for Pieces {
    fn next_raw(&mut self) -> io::Result<Option<Raw>> {
        let offset = self.offset;
        let mut piece = std::mem::take(&mut self.pending);
        while !self.ended {
            let start = piece.len();
            match self.input.bytes.read_until(b'\n', &mut piece) {
                Ok(0) => self.ended = true,
                Ok(_) => {
                    let line = piece[start..].strip_suffix(b"\n").unwrap_or(&piece[start..]);
                    let line = line.strip_suffix(b"\r").unwrap_or(line);
                    let line = if offset == 0 && start == 0 { line.strip_prefix(UTF_8).unwrap_or(line) } else { line };
                    let begins = self.begins.as_ref().is_some_and(|pattern| pattern.is_match(line));
                    // what stands before the first beginning, if it is more than blank, is a document too
                    if begins && !piece[..start].trim_ascii().is_empty() {
                        self.pending = piece.split_off(start);
                        break;
                    }
                }
                Err(error) => {
                    self.ended = true;
                    return self.input.on_disk.fault(error, offset).map(Some);
                }
            }
        }
        self.offset += piece.len() as u64;
        Ok((!piece.trim_ascii().is_empty()).then_some(Raw::Text { offset, bytes: piece }))
    }
}

/// Reads a piece of text.
pub fn row(source: &str, offset: u64, bytes: &[u8]) -> Row {
    let row = Row { offset, bytes: bytes.len() as u64, ..Row::default() };
    let bytes = match without_mark(bytes) {
        Ok(rest) if offset == 0 => rest,
        Err(message) if offset == 0 => return row.broken(Fault::NotUtf8, message),
        _ => bytes,
    };
    match std::str::from_utf8(bytes) {
        Ok(text) => Row { id: Some(DocumentId::of(source, "", "", bytes)), ..row }.with_text(text.trim().to_owned()),
        Err(error) => row.broken(Fault::NotUtf8, error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::row::Outcome;

    fn pieces(text: &'static str, begins: Option<&str>) -> Vec<(u64, String)> {
        let mut pieces = Pieces::new(Unpacked::plain(text.as_bytes()), begins).expect("the pattern is one");
        let mut found = Vec::new();
        while let Some(Raw::Text { offset, bytes }) = pieces.next_raw().expect("memory can be read") {
            found.push((offset, String::from_utf8(bytes).expect("the text is UTF-8")));
        }
        found
    }

    /// A mark is no part of a text, nor of its id; a text in UTF-16 is a fault that says so; an old line break ends a heading, too.
    #[test]
    fn texts_are_read_as_they_come() {
        let marked = row("books", 0, "\u{feff}One\r\n".as_bytes());
        let plain = row("books", 0, b"One\r\n");
        assert_eq!(marked.id, plain.id);
        assert!(matches!(&marked.outcome, Outcome::Text(text) if text == "One"), "{marked:?}");
        let other = row("books", 0, b"\xfe\xff\0O");
        assert!(
            matches!(&other.outcome, Outcome::Quarantined(Fault::NotUtf8, detail) if detail.contains("UTF-16BE")),
            "{other:?}"
        );
        let found = pieces("\u{feff} = One = \r\nfirst\r\n = Two = \r\nsecond", Some("^ = [^=]+ = $"));
        assert_eq!(found.iter().map(|(offset, _)| *offset).collect::<Vec<_>>(), [0, 21]);
    }

    #[test]
    fn a_heading_begins_a_document() {
        let text = "\n = One = \n\n == Part == \nfirst\n = Two = \nsecond";
        let found = pieces(text, Some("^ = [^=]+ = $"));
        assert_eq!(found, [(0, "\n = One = \n\n == Part == \nfirst\n".into()), (31, " = Two = \nsecond".into())]);
        assert_eq!(pieces(text, None).len(), 1);
    }
}
