//! What a document is known by.
//!
//! An id is a function of what was fetched, never of where it lies: the same record in another file, or read in another
//! order, keeps its id, and extraction, cleaning and cuts never change it.

use std::fmt;

use xxhash_rust::xxh3::Xxh3;

/// The 128 bits that name a document: XXH3-128 over source name, record key, capture date and payload, each preceded by
/// its length in bytes as a little-endian `u64`.
///
/// Written as 32 lower-case hexadecimal digits; ids sort as their digits do.
///
/// ```
/// # use schemas::identity::DocumentId;
/// let id = DocumentId::of("web", "<urn:uuid:1>", "2026-11-23T00:00:00Z", b"<html>");
/// assert_eq!(id.to_string().len(), 32);
/// assert_ne!(id, DocumentId::of("we", "b<urn:uuid:1>", "2026-11-23T00:00:00Z", b"<html>"));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DocumentId(u128);

impl DocumentId {
    /// The id of one record.
    ///
    /// - `source`: the source's name in the recipe
    /// - `key`: WARC-Record-ID, else the user's id column, else the URL, else empty
    /// - `date`: the capture date as the record writes it; empty when it has none
    /// - `payload`: the record's bytes before any decoding or extraction
    #[must_use]
    pub fn of(source: &str, key: &str, date: &str, payload: &[u8]) -> Self {
        let mut hasher = Xxh3::new();
        for field in [source.as_bytes(), key.as_bytes(), date.as_bytes(), payload] {
            hasher.update(&(field.len() as u64).to_le_bytes());
            hasher.update(field);
        }
        Self(hasher.digest128())
    }

    /// The id as a number.
    #[must_use]
    pub fn as_u128(self) -> u128 {
        self.0
    }
}

impl fmt::Display for DocumentId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:032x}", self.0)
    }
}
