//! What an index in a database is made by.

use serde::{Deserialize, Serialize};

use crate::retrieve::{analysis::AnalysisConfig, encoder::EncoderEntry, passage::PassagesConfig};

/// The format of the tables.
pub(super) const FORMAT: i32 = 1;

/// What an index is made by, as the database keeps it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Settings {
    /// How texts become terms.
    pub analysis: AnalysisConfig,
    /// How documents are cut.
    pub passages: PassagesConfig,
    /// What gave passages their vectors, if something did.
    pub encoder: Option<EncoderEntry>,
    /// Whether there is a graph of vectors: pgvector's HNSW.
    pub graph: bool,
}
