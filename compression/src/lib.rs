//! Compressed files, opened in one way by both programs.
//!
//! ```text
//! file -> first bytes: how it is packed -> members, one after the other -> bytes, or what is wrong and where
//! ```
//!
//! Names say nothing here: `a.jsonl` may be gzip. A packed file is one member after the other, as `cat`, `pigz`, `bgzip`, `pbzip2`,
//! `pxz` and `pzstd` write them; frames without data are passed over. A file that ends within a member is an error, and never
//! an end. What begins as an archive or a table of some other kind is named, and not read as text.
//!
//! Useful for: files of text and of JSON lines; the members of web archives, by [`Member`]. Not useful for: beginning in the middle.
//!
//! Source: RFC 1952 (gzip); bzip2 1.0.8; the .xz file format 1.2.1; RFC 8878 (zstd); the LZ4 frame format 1.6.
//!
//! Cost: 256 KiB each for packed and unpacked bytes, and the window that the file was packed with: 32 KiB for gzip, 4 MB for
//! bzip2, up to 2 GiB for zstd and 4 GiB for xz, which an [`Allowance`] grants or refuses.

mod allowance;
mod error;
mod frame;
mod input;
mod member;
mod packer;
mod packing;
mod unknown;
mod unpacked;

pub use allowance::{Allowance, LONGEST_WINDOW, MaxWindow, Refusal};
pub use error::Error;
pub use frame::{LONGEST_HEADER, skippable, window};
pub use member::{Member, Piece, Then};
pub use packer::Packer;
pub use packing::{FIRST_BYTES, Packing};
pub use unknown::unknown;
pub use unpacked::Unpacked;
