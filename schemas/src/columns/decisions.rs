//! Verdicts on documents.

use std::sync::Arc;

use arrow_schema::{DataType, Schema, SchemaRef};

use super::{ID, SOURCE, optional, required};

/// `keep` or `drop`.
pub const VERDICT: &str = "verdict";
/// Why a document is dropped; null for what is kept.
pub const REASON: &str = "reason";

/// The columns that every `decisions/STAGE.parquet` begins with; a stage adds its own behind them.
#[must_use]
pub fn decisions() -> SchemaRef {
    Arc::new(Schema::new(vec![
        required(ID, DataType::Utf8View),
        required(SOURCE, DataType::Utf8View),
        required(VERDICT, DataType::Utf8View),
        optional(REASON, DataType::Utf8View),
    ]))
}
