//! Finding passages: an index of documents that grows and shrinks, the search in it, and answers from what is found.
//!
//! ```text
//! documents -> passages (passage, intake) -> terms (analysis) -> postings -> segments on the disk (segment, folders, manifest, writer),
//!                                                                        or tables of a database (postgres)
//!                      -> vectors, by whatever encodes (encoder)
//! question  -> terms   -> BM25 over all segments (bm25)  \ the best (best), filtered (filter) -> passages    (index)
//!           -> vector  -> the nearest of all vectors,   / one by one, or both together (fusion)
//!                         or of those that a graph leads to (graph, graph_file), which keeps up with segments (graph_update)
//! ```
//!
//! Results do not depend on how an index came to be: one that was built at once finds what one finds that documents were added to, and removed
//! from, with the same scores to the bit; those by vectors in all but their last bits, since a vector is computed beside others.
//!
//! Useful for: passages that answer a question, answers from them, and the negatives that an encoder learns from. Not useful for: how good answers
//! are.

mod analysis;
mod answer;
mod answer_prompt;
mod best;
mod bm25;
mod encoder;
mod filter;
mod folders;
mod fusion;
mod graph;
mod graph_file;
mod graph_update;
mod index;
mod intake;
mod manifest;
mod parquet_files;
mod passage;
mod postgres;
mod postings;
mod segment;
mod terms;
mod writer;

pub use analysis::{Analysis, AnalysisConfig, StemmerLanguage};
pub use answer::{AnswerConfig, Answerer, Combining, GivenAnswer, ScoredPassage, UsedPassage};
pub use answer_prompt::{AnswerPrompt, TEMPLATE};
pub use best::{Found, Hit};
pub use bm25::{Bm25, Bm25Config, SearchMemory};
pub use encoder::{EncoderEntry, PassageEncoder, Vectors};
pub use filter::Filter;
pub use fusion::reciprocal_ranks;
pub use graph::NearestBy;
pub use graph_file::GraphEntry;
pub use index::{Index, With, check};
pub use intake::{Added, Removed};
pub use passage::{Passage, PassagesConfig};
pub use postgres::{IndexPlace, PostgresAddress, PostgresIndex, PostgresWriter, check_postgres};
pub use postings::Postings;
pub use segment::{Facts, Segment};
pub use terms::Terms;
pub use writer::IndexWriter;
