//! Checkpoints: everything that is needed to go on bit for bit, in a folder that appears by rename.
//!
//! ```text
//! OUT/checkpoints/step-00000500/model.safetensors        weights by name
//!                               optimizer.safetensors    the optimizer's states by the names of parameters
//!                               checkpoint.json          where the training stands, what it is, and the size and hash of each file
//!                               checkpoint.sha256        the hash of that
//! ```
//!
//! A training that averages its weights has the average in `model.safetensors`, and in `unaveraged.safetensors` those that it goes on with.
//! Of a training of adapters the first two hold these alone; `checkpoint.json` says which model they are for.
//!
//! What is kept: the newest few of those that were due, the newest of all, and the one with the best evaluation, which each
//! `checkpoint.json` names.

mod exact;
mod folder;
mod state;
mod stored_model;
mod tensor_file;
mod tensors;
mod weights;

pub use exact::Exact;
pub use folder::{
    Base, Checkpoint, Identity, LogPlace, OPTIMIZER, checkpoints, find, load, newest, prune, remove_after, save,
};
pub use state::{Best, BestScore, SpikeMemory, State};
pub use stored_model::StoredModel;
pub use tensor_file::TensorFile;
pub use tensors::{from_bytes, write as write_tensors};
pub use weights::{with_stored_weights, with_weights};

pub use crate::model::Which;
