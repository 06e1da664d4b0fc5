//! What can be wrong with a record.

use std::fmt;

/// The kind of fault; its name is what ledger and quarantine count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Fault {
    /// A gzip member whose data, checksum or length is wrong.
    GzipCorrupt,
    /// The file ends within a gzip member.
    GzipClipped,
    /// A zstd frame whose data or checksum is wrong, or whose dictionary is.
    ZstdCorrupt,
    /// The file ends within a zstd frame.
    ZstdClipped,
    /// An LZ4 frame whose data or checksum is wrong.
    Lz4Corrupt,
    /// The file ends within an LZ4 frame.
    Lz4Clipped,
    /// A record that does not begin with `WARC/` and a version.
    WarcVersion,
    /// A header block that does not end, or whose lines are no headers.
    WarcHeader,
    /// What should be the line of an ARC record is none.
    ArcHeader,
    /// Content-Length is missing, or no number, or larger than any page.
    WarcLength,
    /// The record ends before its Content-Length.
    WarcClipped,
    /// What follows the block is not the end of a record: Content-Length was too small.
    WarcTrailer,
    /// A block that does not begin with an HTTP status line and headers.
    HttpHead,
    /// The size of the first chunk is no number.
    HttpChunk,
    /// Packed data in a body that is wrong, or of a kind that is not read.
    HttpEncoding,
    /// A line that is no JSON object.
    JsonSyntax,
    /// A JSON object whose text is missing, empty or no string.
    JsonField,
    /// A row of a table with more or fewer fields than columns.
    CsvRow,
    /// A line of a task's data that the task's pattern does not match.
    LinePattern,
    /// An example of which a task's expressions can make nothing, such as an answer that is none of the choices.
    ExampleMeaning,
    /// Text that is not UTF-8.
    NotUtf8,
    /// The extractor gave up in a panic.
    ExtractorPanic,
    /// The extractor did not come to an end in time.
    ExtractorTimeout,
}

impl Fault {
    /// The fault's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::GzipCorrupt => "gzip_corrupt",
            Self::GzipClipped => "gzip_clipped",
            Self::ZstdCorrupt => "zstd_corrupt",
            Self::ZstdClipped => "zstd_clipped",
            Self::Lz4Corrupt => "lz4_corrupt",
            Self::Lz4Clipped => "lz4_clipped",
            Self::WarcVersion => "warc_version",
            Self::WarcHeader => "warc_header",
            Self::ArcHeader => "arc_header",
            Self::WarcLength => "warc_length",
            Self::WarcClipped => "warc_clipped",
            Self::WarcTrailer => "warc_trailer",
            Self::HttpHead => "http_head",
            Self::HttpChunk => "http_chunk",
            Self::HttpEncoding => "http_encoding",
            Self::JsonSyntax => "json_syntax",
            Self::JsonField => "json_field",
            Self::CsvRow => "csv_row",
            Self::LinePattern => "line_pattern",
            Self::ExampleMeaning => "example_meaning",
            Self::NotUtf8 => "not_utf8",
            Self::ExtractorPanic => "extractor_panic",
            Self::ExtractorTimeout => "extractor_timeout",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// A record that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// Where it begins: the byte in the file; for gzip, where its member begins.
    pub offset: u64,
    /// Its key, where the header could be read.
    pub record: Option<String>,
    /// What is wrong.
    pub fault: Fault,
    /// What was found, in words.
    pub detail: String,
}
