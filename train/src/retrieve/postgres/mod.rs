//! An index in a database of PostgreSQL, with pgvector where passages have vectors: for passages that outgrow a machine, or are in a database already.
//!
//! ```text
//! SCHEMA.settings   format, version, config (JSON): how texts become terms and documents passages, what gives vectors
//! SCHEMA.passages   number, id, document, begins, ends, title, text, source, date, language, length (in terms), embedding
//! SCHEMA.postings   term (where it is long, how it begins, and its hash), passage (its number), count, length (the passage's)
//! ```
//!
//! Commands, figures and scores are those of an index in a folder: the database finds the passages that may be the best by the same formula in
//! double precision, and these get their scores here. What is added or removed is there once the database has said so.
//!
//! Useful for: many programs on many machines, filters by SQL, backups that are there already. Not useful for: speed on one machine, where an index
//! in a folder answers sooner.

mod address;
mod check;
mod index;
mod session;
mod settings;
mod term;
mod writer;

pub use address::{IndexPlace, PostgresAddress};
pub use check::check_postgres;
pub use index::PostgresIndex;
pub use writer::PostgresWriter;
