//! Files that appear whole or not at all, and the books that are kept about them.
//!
//! Useful for: whatever a run leaves on disk. Not useful for: what stands in the files.

mod external_sort;
mod file_writer;
mod folder;
mod groups;
mod inputs;
mod json;
mod layout;
pub mod ledger;
mod named;
mod names;
mod parquet_properties;
mod publication;
mod publish;
mod quarantine;
mod spill_file;
pub mod units;
mod version;

pub use external_sort::{ExternalSorter, PARTITIONS, Record};
pub use folder::{exchange, remove_folder, remove_others};
pub use inputs::Inputs;
pub use json::{read_json, write_json};
pub use layout::Layout;
pub use named::{NamedFiles, Text};
pub use names::{list, list_with_and};
pub use publication::Publication;
pub use publish::{Publications, PublishExec, published};
pub use quarantine::{Quarantined, read_quarantine, write_quarantine};
pub use spill_file::SpillFile;
pub use system::{FolderLock, HashedFile, Written, hash_file, peak_memory, write_whole};
pub use version::Version;
