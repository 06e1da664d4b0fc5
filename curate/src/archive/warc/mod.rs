//! WARC and ARC records, one after the other, sound or broken.
//!
//! Source: ISO 28500:2017 (WARC 1.1). Where archives in the wild are looser, so is this reader: header names in any case,
//! lines that end in a bare line feed, one blank line at the end of a record instead of two.

mod boundaries;
mod reader;
mod record;
#[cfg(test)]
mod tests;

pub use reader::{Item, WarcReader};
pub use record::Record;
