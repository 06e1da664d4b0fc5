//! What a decoder on a CPU computes without gradients, with packed weights.
//!
//! ```text
//! format       how weights are held: f32, bf16, int8
//! memory       where they are held, in pages as large as there are
//! matrix       a weight in panels; rows: hidden states in panels
//! block_shape  how keys and values lie in the blocks of a cache
//! kernel/      products of tiles, in the instructions of the processor at hand
//! team         threads that work through short stages together
//! product, elementwise, heads, attention: one operation each
//! ```
//!
//! What a row becomes is the same bits whatever other rows stand beside it, on any number of threads.

pub mod attention;
pub mod block_shape;
pub mod elementwise;
pub mod format;
pub mod heads;
mod kernel;
pub mod matrix;
pub mod memory;
pub mod product;
pub mod rows;
pub mod team;

pub use block_shape::{BlockShape, TOKENS};
pub use format::WeightFormat;
pub use kernel::{
    line::{Line, WIDE},
    processor::Processor,
};
