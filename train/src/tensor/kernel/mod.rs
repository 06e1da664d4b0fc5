//! What the operations compute, on plain slices: no framework, no tensors, no graph.
//!
//! Every kernel writes into memory that its caller gives, runs on all threads of the current pool, and adds in an order that
//! depends on shapes alone: the same numbers give the same bits, on one kind of processor at one number of threads.
//!
//! Inner loops are compiled for several kinds of processor by [`lanes`]'s macro: what they call must be inlined into them.

#![expect(clippy::inline_always, reason = "a function that is called would run as on the oldest processor")]

pub mod activation;
pub mod adafactor;
pub mod adamw;
pub mod attention;
pub mod dropout;
pub mod embedding;
pub mod head;
pub mod lanes;
pub mod likelihood;
pub mod linear;
pub mod low_rank;
pub mod matrix;
pub mod norm;
mod product;
pub mod rotary;
pub mod written;

/// Rows that are worked on together, and whose sums are added up first: a constant, so that no sum depends on threads.
pub const ROWS: usize = 32;
