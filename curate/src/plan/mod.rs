//! One adapter to DataFusion for our plan nodes, and one for our scalar functions.
//!
//! ```text
//! settings + what is done with rows -> Node     -> NodeExec    -> ExecutionPlan    its kind and settings -> bytes -> the same
//! settings + what is done with rows -> Function -> FunctionUdf -> ScalarUDFImpl    its kind and settings -> bytes -> the same
//! ```
//!
//! A node or a function is its settings: data alone, never a closure over what only this process has, so that every plan can be sent. What all
//! nodes share stands here: properties, children, how rows leave them, the memory that they count and the folder that they spill to.
//!
//! Useful for: whatever is to run inside a plan. Not useful for: plans of DataFusion's own nodes and functions, which the rooms above build.

mod children;
mod codec;
mod function;
mod node;
mod output;
mod storage;

pub use children::{Batches, Children, SinglePartition, rows};
pub use codec::{FunctionKind, NodeKind, PlanCodec};
pub use function::{Function, FunctionUdf, call};
pub use node::{Node, NodeExec};
pub use output::{BatchSender, Output};
pub use storage::{Storage, blocking};
