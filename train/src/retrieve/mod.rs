//! Finding passages: an index of documents that grows and shrinks, and the search in it.
//!
//! ```text
//! documents -> passages (passage) -> terms (analysis) -> postings -> segments on the disk (segment, manifest, writer)
//! question  -> terms              -> BM25 over all segments (bm25), filtered (filter) -> passages    (index)
//! ```
//!
//! Results do not depend on how an index came to be: one that was built at once finds what one finds that documents were added to, and removed
//! from, with the same scores to the bit.
//!
//! Useful for: passages that answer a question, and the negatives that an encoder learns from. Not useful for: what a model makes of them.

mod analysis;
mod bm25;
mod filter;
mod index;
mod manifest;
mod passage;
mod postings;
mod segment;
mod terms;
mod writer;

pub use analysis::{Analysis, AnalysisConfig, StemmerLanguage};
pub use bm25::{Bm25, Bm25Config, Hit, SearchMemory};
pub use filter::Filter;
pub use index::{Found, Index, check};
pub use passage::{Passage, PassagesConfig};
pub use postings::Postings;
pub use segment::{Facts, Segment};
pub use terms::Terms;
pub use writer::{Added, IndexWriter, Removed};
