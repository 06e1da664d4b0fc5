//! A record of an archive.

use crate::archive::headers::header;

/// A sound record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Where it begins: the byte in the file; for gzip, where its member begins.
    pub offset: u64,
    /// Header names and values, as they stand.
    pub headers: Vec<(String, String)>,
    /// The block, before any decoding.
    pub block: Vec<u8>,
}

impl Record {
    /// The first value of a header, whatever the case of its name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }

    /// WARC-Target-URI, without the angle brackets in which some crawlers write it, as WARC 1.0 asked for; none where it is empty.
    ///
    /// warcio takes them away, too, and writes `%20` for spaces; FastWARC gives both as they stand.
    #[must_use]
    pub fn url(&self) -> Option<&str> {
        let url = self.header("WARC-Target-URI")?;
        let bare = url.strip_prefix('<').and_then(|url| url.strip_suffix('>')).unwrap_or(url).trim();
        (!bare.is_empty()).then_some(bare)
    }

    /// Why the block is not all that was sent, where the record says so: `length`, `time` or `disconnect`, or `unspecified` for any other
    /// word in WARC-Truncated; `segment` for the first part of a record that goes on in others.
    ///
    /// Source: ISO 28500:2017, sections 5.13 and 8.
    #[must_use]
    pub fn truncated(&self) -> Option<&'static str> {
        let known = ["length", "time", "disconnect"];
        let said = self.header("WARC-Truncated").filter(|said| !said.is_empty());
        let said =
            said.map(|said| known.into_iter().find(|word| word.eq_ignore_ascii_case(said)).unwrap_or("unspecified"));
        said.or_else(|| self.header("WARC-Segment-Number").map(|_| "segment"))
    }

    /// WARC-Type in lower case; empty when there is none.
    #[must_use]
    pub fn kind(&self) -> String {
        self.header("WARC-Type").unwrap_or_default().to_ascii_lowercase()
    }
}
