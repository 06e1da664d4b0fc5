//! Documents.

use std::sync::Arc;

use arrow_schema::{DataType, Schema, SchemaRef};

use super::{ID, TEXT, optional, required, texts_list};

/// Where it was found.
pub const URL: &str = "url";
/// The day of capture.
pub const DATE: &str = "date";
/// The page's title.
pub const TITLE: &str = "title";
/// The day on which the page says it was published.
pub const PUBLISHED: &str = "published";
/// The language that the page or row says of itself, not what a model thinks.
pub const LANGUAGE: &str = "language";
/// How it shows that a page is cut: `length`, `time`, `disconnect`, `unspecified` (the crawler's words, from WARC-Truncated), `segment`,
/// `chunks`, `content_encoding` or `content_length`; null for whole pages.
pub const TRUNCATED: &str = "truncated";
/// The links of the text, in full; null where there are none.
pub const LINKS: &str = "links";

/// `documents/SOURCE/part-*.parquet`: one row for each document that could be read.
///
/// `text` is never empty.
#[must_use]
pub fn documents() -> SchemaRef {
    Arc::new(Schema::new(vec![
        required(ID, DataType::Utf8View),
        optional(URL, DataType::Utf8View),
        optional(DATE, DataType::Utf8View),
        optional(TITLE, DataType::Utf8View),
        optional(PUBLISHED, DataType::Utf8View),
        optional(LANGUAGE, DataType::Utf8View),
        optional(TRUNCATED, DataType::Utf8View),
        optional(LINKS, links()),
        required(TEXT, DataType::Utf8View),
    ]))
}

/// The type of the column `links`.
#[must_use]
pub fn links() -> DataType {
    texts_list()
}
