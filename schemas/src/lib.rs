//! The contract between `curate` and `train`, and nothing else.
//!
//! The two programs never depend on each other; they meet in files. This crate fixes the shape of those files, and holds
//! the few pieces of meaning that both sides must share to the byte:
//!
//! - [`columns`]: the columns of documents, facts, decisions and mixtures
//! - [`identity`]: what a document's id is
//! - [`ledger`]: the account of every stage, and the equations that must close
//! - [`manifest`]: what a run read and wrote, with hashes
//! - [`mixture`]: what the files of a mixture are called
//! - [`task`], [`examples`], [`prompt`]: tasks, what their data means, and the one renderer of prompts, so that training data
//!   and evaluation never differ in a space
//! - [`toml_file`], [`paths`]: TOML that people write, and paths in it, with errors that name the line
//! - [`json_lines`], [`csv_rows`], [`text_columns`], [`byte_order_mark`]: how lines of JSON, rows of CSV, columns of text and the beginnings of
//!   files are read
//! - [`size`], [`share`]: numbers of bytes and parts of a whole, as people write them
//! - [`version`], [`progress`]: what a program says of itself, and to a machine that watches it
//! - [`json`], [`mod@reference`]: the JSON Schema of each, generated from the types, and a page of its keys
//!
//! Useful for: whatever two programs must agree on. Not useful for: anything that only one of them does.

pub mod byte_order_mark;
pub mod columns;
pub mod csv_rows;
pub mod examples;
pub mod identity;
pub mod json;
pub mod json_lines;
pub mod ledger;
pub mod manifest;
pub mod mixture;
pub mod paths;
pub mod progress;
pub mod prompt;
pub mod reference;
mod renamed;
pub mod share;
pub mod size;
pub mod task;
pub mod text_columns;
pub mod toml_file;
pub mod version;
