//! Products of a few rows with packed weights, in the instructions of the processor at hand.
//!
//! ```text
//! lanes        what kernels ask of a processor; avx512, avx2, plain: those that there are
//! processor    which one is at hand
//! line         sixteen numbers, which rows and weights are made of
//! tile         rows times columns of numbers, in registers
//! byte_tile    the same of bytes
//! ```
//!
//! Rows and weights lie in panels, so that whatever is read next lies next to it:
//!
//! ```text
//! rows        [columns / 16][rows][16]
//! weights     [outputs / 16][inputs][16]       bytes: [outputs / 16][inputs / 4][16][4]
//! ```
//!
//! A product's every number is a sum over the inputs in their order, one after the other, whatever tile it stands in: so a row's numbers are the
//! same bits however many rows there are.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
pub mod byte_tile;
pub mod lanes;
pub mod line;
mod plain;
pub mod processor;
pub mod tile;
