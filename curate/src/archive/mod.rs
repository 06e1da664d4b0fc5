//! Web archives: records out of files that are compressed by member, clipped, or lie about their length.
//!
//! ```text
//! file -> unpack: bytes and where members begin -> warc: records -> http: status, headers, body -> sniff: pages -> charset: text
//! ```
//!
//! A fault costs the record that it stands in and no other: it is reported with its place, and reading goes on at the next
//! record that can be found.
//!
//! Useful for: WARC, plain or packed by member as gzip, bzip2, xz, zstd or LZ4. Not useful for: what a page says; see [`crate::extract`].

mod arc;
pub mod charset;
mod coding;
mod fault;
mod feed;
mod headers;
pub mod http;
mod packing;
mod prescan;
pub mod sniff;
mod unpack;
pub mod warc;

pub use fault::{Broken, Fault};
