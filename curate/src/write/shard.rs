//! One file of a mixture.

use std::path::PathBuf;

use datafusion::{
    error::Result,
    prelude::{DataFrame, col, lit},
};

use super::{Content, routed_schema};
use crate::decide::Tables;

/// The rows of shard `number`, in their order, from what was routed to it.
///
/// # Errors
/// When the routed files cannot be read.
pub async fn shard(tables: Tables<'_>, routed: Vec<PathBuf>, content: &Content, number: u32) -> Result<DataFrame> {
    let order = ["order", "id", "template_number", "copy"].map(|name| col(name).sort(true, false));
    tables
        .parquet(routed, &routed_schema(content))
        .await?
        .filter(col("shard").eq(lit(number)))?
        .sort(order.to_vec())?
        .select(content.schema().fields().iter().map(|field| col(field.name().as_str())).collect::<Vec<_>>())
}
