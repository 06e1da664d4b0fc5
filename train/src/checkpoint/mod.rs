//! Checkpoints: everything that is needed to go on bit for bit, in a folder that appears by rename.
//!
//! ```text
//! OUT/checkpoints/step-00000500/model.safetensors        weights by name
//!                               optimizer.safetensors    mean gradients and mean squares by name
//!                               checkpoint.json          the step, what was trained, and the size and hash of each file
//! ```

mod files;
mod folder;

pub use files::{sha256, write_whole};
pub use folder::{Checkpoint, Identity, checkpoints, load, newest, prune, save};
