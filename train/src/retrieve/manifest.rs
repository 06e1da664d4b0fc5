//! What an index is: `index.json`, which is replaced by rename, so that whoever opens an index sees one whole version of it.

use std::{fs, path::Path};

use schemas::manifest::FileEntry;
use serde::{Deserialize, Serialize};
use system::AtomicFile;

use super::{analysis::AnalysisConfig, encoder::EncoderEntry, graph_file::GraphEntry, passage::PassagesConfig};
use crate::error::{Error, Result};

const FILE: &str = "index.json";

/// The format that this version writes and reads.
const FORMAT: u32 = 1;

/// What an index is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Manifest {
    format: u32,
    /// How often it was replaced.
    pub version: u64,
    /// How texts become terms.
    pub analysis: AnalysisConfig,
    /// How documents are cut.
    pub passages: PassagesConfig,
    /// What gave passages their vectors; none where they have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoder: Option<EncoderEntry>,
    pub segments: Vec<SegmentEntry>,
    /// The graph of its vectors, where one is wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub graph: Option<GraphEntry>,
}

/// A segment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct SegmentEntry {
    /// The name of its folder: the version that it came with, and a hash of what is in it.
    pub name: String,
    /// Passages.
    pub passages: usize,
    /// Bytes of their texts.
    pub bytes: usize,
    pub files: Vec<FileEntry>,
}

impl Manifest {
    /// That of an index with nothing in it.
    pub fn new(analysis: AnalysisConfig, passages: PassagesConfig, encoder: Option<EncoderEntry>) -> Self {
        Self { format: FORMAT, version: 0, analysis, passages, encoder, segments: Vec::new(), graph: None }
    }

    /// The next version of the index, with other segments, or another graph of their vectors.
    pub fn next(&self, segments: Vec<SegmentEntry>, graph: Option<GraphEntry>) -> Self {
        Self { version: self.version + 1, segments, graph, ..self.clone() }
    }

    /// That of the index in a folder; none where there is no such.
    ///
    /// # Errors
    /// When it cannot be read, or is of another version.
    pub fn read(folder: &Path) -> Result<Option<Self>> {
        #[derive(Deserialize)]
        struct Format {
            format: u32,
        }
        let path = folder.join(FILE);
        let bytes = match fs::read(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            bytes => bytes.map_err(Error::file("read", &path))?,
        };
        let damaged = |message: String| Error::Damaged { path: path.clone(), message };
        let Format { format } = serde_json::from_slice(&bytes).map_err(|error| damaged(error.to_string()))?;
        if format != FORMAT {
            return Err(damaged(format!("its format is {format}, and this version reads {FORMAT}")));
        }
        serde_json::from_slice(&bytes).map(Some).map_err(|error| damaged(error.to_string()))
    }

    /// Replaces that of a folder.
    ///
    /// # Errors
    /// When it cannot be written; what was there stays.
    pub fn publish(&self, folder: &Path) -> Result<()> {
        let json = serde_json::to_vec_pretty(self).expect("a manifest is JSON");
        Ok(AtomicFile::write_whole(&folder.join(FILE), &json)?)
    }
}
