//! Web archives: records out of files that are compressed by member, clipped, or lie about their length.
//!
//! ```text
//! file -> unpack: bytes and where members begin -> warc: records -> http: status, headers, body -> charset: text
//! ```
//!
//! A fault costs the record that it stands in and no other: it is reported with its place, and reading goes on at the next
//! record that can be found.
//!
//! Useful for: WARC, plain or gzip by member. Not useful for: what a page says; see [`crate::extract`].

pub mod charset;
mod fault;
pub mod http;
mod unpack;
pub mod warc;

pub use fault::{Broken, Fault};
