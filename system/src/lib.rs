//! What both programs ask of the system they run on, asked in one way.
//!
//! ```text
//! bytes -> .NAME.partial -> synced -> renamed to NAME -> folder synced      AtomicFile; HashedFile says SHA-256 and size
//! ```
//!
//! - [`AtomicFile`], [`HashedFile`], [`write_whole`], [`sync_folder`]: files that appear whole or not at all
//! - [`FolderLock`]: one program at a time in a folder
//! - [`hash_file`], [`sha256`]: hashes as manifests and checkpoints hold them
//! - [`FileError`]: what the system refused, with the action and the path
//! - [`peak_memory`]: the memory of this process
//! - [`contained`]: panics of libraries over what both programs read
//!
//! Useful for: whatever is left on a disk and must outlive a crash. Not useful for: what stands in the files; see the crates `schemas` and
//! `compression`.

mod atomic_file;
pub mod contained;
mod error;
mod folder_lock;
mod hash;
mod hashed_file;
mod memory;

pub use atomic_file::{AtomicFile, sync_folder};
pub use error::{FileError, Result};
pub use folder_lock::FolderLock;
pub use hash::{Hasher, Written, hash_file, sha256};
pub use hashed_file::{HashedFile, write_whole};
pub use memory::peak_memory;
