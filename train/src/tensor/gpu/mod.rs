//! The operations on GPUs, as kernels of `CubeCL`.
//!
//! ```text
//! gpu_tensor  a tensor on a GPU, and how an operation of it stands in burn's graph
//! queue       how a kernel is put into the queue of burn's operations, and how many units run it
//! linear, norm, activation, attention, loss, embedding, dropout, rotary, sum, update: one operation each
//! ```
//!
//! Products of matrices are burn's, which choose among several kernels by trying them; what stands between the products is here.
//! Numbers are of the precision that comes in; sums over a row, and gradients of parameters, are single precision.
//!
//! A row is the work of one plane: the units that run in step, 32 of them on an NVIDIA GPU and a single one on a processor, so that
//! the same kernels are tested where there is no GPU.
//!
//! Our kernels add in one order. Which of its kernels burn takes for a product it finds out by trying, each time that a program
//! starts; on an NVIDIA GPU those for single precision may round what they multiply to 10 bits (TF32).

#![expect(
    clippy::used_underscore_binding,
    reason = "`define` names the kind of numbers, and reads it behind the scenes"
)]
#![expect(clippy::cast_sign_loss, reason = "ids and places count from 0")]
#![expect(clippy::cast_possible_truncation, reason = "no row and no tensor has 2^32 numbers")]

mod activation;
mod attention;
mod dropout;
mod embedding;
mod gpu_tensor;
mod linear;
mod loss;
mod norm;
mod queue;
mod rotary;
mod softmax;
mod sum;
mod update;

pub use activation::{gelu, swiglu};
pub use attention::{attention, cross_attention};
pub use dropout::dropout;
pub use embedding::embedding;
pub use linear::linear;
pub use loss::head_loss;
pub use norm::norm;
pub use rotary::rotary;
pub use sum::sum_of_squares;
pub use update::update;
