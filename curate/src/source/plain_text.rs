//! Plain text as documents: a file is one, or a line that matches a pattern begins the next.

use std::io::{self, BufRead as _};

use regex::bytes::Regex;
use schemas::{
    byte_order_mark::{UTF_8, without_mark},
    identity::DocumentId,
    toml_file::TomlError,
};
use serde::{Deserialize, Serialize};

use super::{
    SourceRecipe,
    format::{ListedFormat, SourceFile, SourceFormat},
    raw::{Raw, RawReader, RawRecord, Unpacked},
    row::Row,
};
use crate::{
    archive::Fault,
    files::{NamedFiles, Version},
};

/// How plain text, and pages that are files, become rows.
pub const VERSION: Version = Version::new("source/plain_text", 1);

/// How plain text is read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TextOptions {
    /// A regular expression; a line that it matches begins a document.
    pub begins: Option<String>,
}

/// The documents of a file.
pub struct Pieces {
    input: Unpacked,
    begins: Option<Regex>,
    /// The line that ended the piece before, and begins the next.
    pending: Vec<u8>,
    offset: u64,
    ended: bool,
}

/// A document of a file.
#[derive(Debug)]
pub struct Piece {
    /// Where it begins in the unpacked file.
    pub offset: u64,
    /// The text.
    pub bytes: Vec<u8>,
}

impl RawRecord for Piece {
    fn size(&self) -> usize {
        self.bytes.len()
    }

    fn row(&self, source: &str) -> Row {
        row(source, self.offset, &self.bytes)
    }
}

impl Pieces {
    pub fn new(input: Unpacked, begins: Option<&str>) -> io::Result<Self> {
        let begins = begins.map(Regex::new).transpose().map_err(io::Error::other)?;
        Ok(Self { input, begins, pending: Vec::new(), offset: 0, ended: false })
    }

    /// The next piece as what `record` takes it for.
    pub fn next_as<R: RawRecord + 'static>(&mut self, record: impl FnOnce(Piece) -> R) -> io::Result<Option<Raw>> {
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
        Ok((!piece.trim_ascii().is_empty()).then(|| Raw::record(record(Piece { offset, bytes: piece }))))
    }
}

impl RawReader for Pieces {
    fn next_raw(&mut self) -> io::Result<Option<Raw>> {
        self.next_as(|piece| piece)
    }
}

impl SourceFormat for Pieces {
    type Options = TextOptions;

    const NAME: &'static str = "text";

    fn versions(_: &TextOptions) -> Vec<Version> {
        vec![VERSION]
    }

    fn open(options: &TextOptions, file: SourceFile<'_>) -> io::Result<Self> {
        Self::new(file.unpacked()?, options.begins.as_deref())
    }
}

impl ListedFormat for Pieces {
    fn options(recipe: &SourceRecipe, _: &str, files: &NamedFiles<'_>) -> Result<TextOptions, TomlError> {
        if let Some(pattern) = &recipe.begins
            && let Err(error) = regex::Regex::new(pattern.get_ref())
        {
            return Err(files.fault(pattern.span(), error.to_string()));
        }
        Ok(TextOptions { begins: recipe.begins.as_ref().map(|pattern| pattern.get_ref().clone()) })
    }
}

/// Reads a piece of text.
fn row(source: &str, offset: u64, bytes: &[u8]) -> Row {
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
        let mut take = |piece: Piece| {
            found.push((piece.offset, String::from_utf8(piece.bytes.clone()).expect("the text is UTF-8")));
            piece
        };
        while pieces.next_as(&mut take).expect("memory can be read").is_some() {}
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
