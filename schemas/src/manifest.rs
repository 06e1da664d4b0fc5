//! What a run was made of and what it made: enough to repeat it, and to tell whether a file is still the one written.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Its name in the folder of a run.
pub const FILE: &str = "manifest.json";

/// `manifest.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The recipe's name.
    pub name: String,
    /// The seed that every draw was made from.
    pub seed: u64,
    /// Whether the same recipe, inputs and seed give the same bytes again.
    pub reproducible: bool,
    /// The recipe as it was run, with what the command line set.
    pub recipe: serde_json::Value,
    /// Versions of the programs and formats that made the files.
    pub versions: BTreeMap<String, String>,
    /// The files that were read.
    pub inputs: Vec<FileEntry>,
    /// The files that were written, by path within the output folder.
    pub outputs: Vec<FileEntry>,
}

/// One file, as it was read or written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FileEntry {
    /// Where it lies.
    pub path: String,
    /// Records or rows in it; none for files that are read or written as a whole.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub rows: Option<u64>,
    /// Its size in bytes.
    pub bytes: u64,
    /// SHA-256 of its bytes, as 64 hexadecimal digits.
    pub sha256: String,
}
