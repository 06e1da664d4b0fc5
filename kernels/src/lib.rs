//! What is computed, on plain slices: no framework, no tensors, no graph.
//!
//! ```text
//! training     activation, adafactor, adamw, attention, dropout, embedding, head, likelihood, linear, low_rank, norm, rotary: an operation
//!              and its gradients; matrix and product: what they multiply with
//! similarity   dot products of some vectors with many: exact search
//! graph/       a graph of near vectors: approximate search in very many
//! packed/      inference: a decoder's operations with packed weights
//! lanes        sums and exponentials that fill the registers of a processor
//! written      memory that is not filled with zeros first
//! ```
//!
//! A kernel of training writes into memory that its caller gives, runs on all threads of the current pool, and adds in an order that
//! depends on shapes alone: the same numbers give the same bits, on one kind of processor at one number of threads.
//!
//! Inner loops are compiled for several kinds of processor: what they call must be inlined into them. They are a crate of their own so that
//! builds for tests optimise them as a release does: with checks of overflow in their innermost loops they take five times as long.

#![expect(clippy::inline_always, reason = "a function that is called would run as on the oldest processor")]

pub mod activation;
pub mod adafactor;
pub mod adamw;
pub mod attention;
pub mod dropout;
pub mod embedding;
pub mod graph;
pub mod head;
mod lanes;
pub mod likelihood;
pub mod linear;
pub mod low_rank;
pub mod matrix;
pub mod norm;
pub mod packed;
mod product;
pub mod rotary;
pub mod similarity;
pub mod written;

/// Rows that are worked on together, and whose sums are added up first: a constant, so that no sum depends on threads.
pub const ROWS: usize = 32;
