//! What can be wrong with a record.

use std::fmt;

use compression::Packing;

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
    /// A bzip2 stream whose data or checksum is wrong.
    Bzip2Corrupt,
    /// The file ends within a bzip2 stream.
    Bzip2Clipped,
    /// An xz stream whose data or checksum is wrong.
    XzCorrupt,
    /// The file ends within an xz stream.
    XzClipped,
    /// An LZ4 frame whose data or checksum is wrong.
    Lz4Corrupt,
    /// The file ends within an LZ4 frame.
    Lz4Clipped,
    /// A file without a byte, whose name says that it is packed.
    EmptyFile,
    /// A file of another kind than it should be, or packed in a way that is not read.
    UnknownFormat,
    /// A record that does not begin with `WARC/` and a version.
    WarcVersion,
    /// A header block that does not end, or whose lines are no headers.
    WarcHeader,
    /// What should be the line of an ARC record is none.
    ArcHeader,
    /// Content-Length is missing, or no number, or larger than any page.
    WarcLength,
    /// The record ends before its Content-Length, with the file, with its member, or where the next record begins.
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
    /// The file ends within a line of JSON.
    JsonClipped,
    /// A JSON object whose text is missing, empty or no string.
    JsonField,
    /// A row of a table with more or fewer fields than columns.
    CsvRow,
    /// A quote in a table that is not closed, so that the rest of the file stands in one field.
    CsvClipped,
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
    /// The fault of a member that cannot be unpacked.
    #[must_use]
    pub fn corrupt(packing: Packing) -> Self {
        match packing {
            Packing::Plain | Packing::Gzip => Self::GzipCorrupt,
            Packing::Bzip2 => Self::Bzip2Corrupt,
            Packing::Xz => Self::XzCorrupt,
            Packing::Zstd => Self::ZstdCorrupt,
            Packing::Lz4 => Self::Lz4Corrupt,
        }
    }

    /// The fault of a member that the file's end cuts.
    #[must_use]
    pub fn clipped(packing: Packing) -> Self {
        match packing {
            Packing::Plain | Packing::Gzip => Self::GzipClipped,
            Packing::Bzip2 => Self::Bzip2Clipped,
            Packing::Xz => Self::XzClipped,
            Packing::Zstd => Self::ZstdClipped,
            Packing::Lz4 => Self::Lz4Clipped,
        }
    }

    /// Whether a file's end is missing, so that nobody knows how much is.
    #[must_use]
    pub fn is_clipped(self) -> bool {
        let packings = [Packing::Gzip, Packing::Bzip2, Packing::Xz, Packing::Zstd, Packing::Lz4];
        packings.into_iter().any(|packing| self == Self::clipped(packing)) || self == Self::WarcClipped
    }

    /// The fault's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::GzipCorrupt => "gzip_corrupt",
            Self::GzipClipped => "gzip_clipped",
            Self::ZstdCorrupt => "zstd_corrupt",
            Self::ZstdClipped => "zstd_clipped",
            Self::Bzip2Corrupt => "bzip2_corrupt",
            Self::Bzip2Clipped => "bzip2_clipped",
            Self::XzCorrupt => "xz_corrupt",
            Self::XzClipped => "xz_clipped",
            Self::Lz4Corrupt => "lz4_corrupt",
            Self::Lz4Clipped => "lz4_clipped",
            Self::EmptyFile => "empty_file",
            Self::UnknownFormat => "unknown_format",
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
            Self::JsonClipped => "json_clipped",
            Self::JsonField => "json_field",
            Self::CsvRow => "csv_row",
            Self::CsvClipped => "csv_clipped",
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
