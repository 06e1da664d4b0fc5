//! The first stage: which records are documents.

use datafusion::{
    arrow::datatypes::DataType,
    error::Result,
    functions_window::expr_fn::lag,
    logical_expr::{ExprFunctionExt as _, cast, when},
    prelude::{DataFrame, col, lit},
};

use super::{Tables, verdict::verdicts};
use crate::files::Version;

/// Which records are documents.
pub const VERSION: Version = Version::new("decide/read", 1);

/// The verdicts on all records that have an id, over all sources. Of records with one id, one is kept; they are alike to the
/// byte, so that it does not matter which.
///
/// # Errors
/// When the facts about records cannot be read.
pub async fn read(tables: Tables<'_>) -> Result<DataFrame> {
    let mut all: Option<DataFrame> = None;
    for source in tables.parts.keys() {
        let records = tables.records(source).await?.filter(col("id").is_not_null())?.select(vec![
            col("id"),
            cast(lit(source), DataType::Utf8View).alias("source"),
            col("reason").alias("own_reason"),
            col("truncated"),
        ])?;
        all = Some(match all {
            Some(all) => all.union(records)?,
            None => records,
        });
    }
    let all = all.ok_or_else(|| datafusion::common::internal_datafusion_err!("there is no source"))?;
    // a repeat within a file was dropped when it was read; one in another file is dropped here, where it follows its like
    let before = lag(col("id"), Some(1), None)
        .order_by(vec![col("id").sort(true, true), col("own_reason").sort(true, true)])
        .build()?
        .alias("before");
    let repeats = col("before").eq(col("id"));
    let reason = when(repeats, lit("same_record")).otherwise(cast(col("own_reason"), DataType::Utf8))?;
    verdicts(all.window(vec![before])?, reason, &["truncated"])
}
