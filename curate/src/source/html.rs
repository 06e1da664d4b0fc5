//! Pages that are files as documents.

use std::{io, sync::Arc};

use schemas::toml_file::TomlError;

use super::{
    SourceRecipe,
    format::{ListedFormat, SourceFile, SourceFormat},
    plain_text::{self, Piece, Pieces},
    raw::{Raw, RawReader, RawRecord},
    row::Row,
    warc::{WarcOptions, page_row},
};
use crate::files::{NamedFiles, Version};

/// The page of a file.
pub struct Pages {
    file: Pieces,
    options: Arc<WarcOptions>,
}

/// A page, and how it is read.
#[derive(Debug)]
struct Page {
    piece: Piece,
    options: Arc<WarcOptions>,
}

impl RawRecord for Page {
    fn size(&self) -> usize {
        self.piece.size()
    }

    fn row(&self, source: &str) -> Row {
        page_row(source, &self.options, self.piece.offset, &self.piece.bytes)
    }
}

impl RawReader for Pages {
    fn next_raw(&mut self) -> io::Result<Option<Raw>> {
        let options = &self.options;
        self.file.next_as(|piece| Page { piece, options: Arc::clone(options) })
    }
}

impl SourceFormat for Pages {
    type Options = WarcOptions;

    const NAME: &'static str = "html";

    fn versions(options: &WarcOptions) -> Vec<Version> {
        vec![plain_text::VERSION, options.extract.version()]
    }

    fn open(options: &WarcOptions, file: SourceFile<'_>) -> io::Result<Self> {
        Ok(Self { file: Pieces::new(file.unpacked()?, None)?, options: Arc::new(options.clone()) })
    }
}

impl ListedFormat for Pages {
    fn options(recipe: &SourceRecipe, _: &str, _: &NamedFiles<'_>) -> Result<WarcOptions, TomlError> {
        Ok(WarcOptions::of(recipe))
    }
}
