//! One file of a mixture.

use std::{ops::Range, path::PathBuf, sync::Arc};

use datafusion::{
    error::Result,
    physical_plan::{ExecutionPlan, union::UnionExec},
    prelude::{col, lit},
};

use super::{Chain, ChainExec, Content, routed_schema};
use crate::{decide::Tables, files::Version};

/// How a shard is put in order.
pub const VERSION: Version = Version::new("write/shard", 1);

/// The rows of a shard, in their order, from what was routed to its buckets. A bucket is a stretch of the order, and fits into memory: each is
/// sorted when the one before it is written.
///
/// # Errors
/// When the routed files cannot be read.
pub async fn shard(
    tables: Tables<'_>,
    routed: &[PathBuf],
    content: &Content,
    buckets: Range<u32>,
) -> Result<Arc<dyn ExecutionPlan>> {
    let order = ["order", "id", "template_number", "copy"].map(|name| col(name).sort(true, false));
    let mut plans = Vec::new();
    for bucket in buckets {
        let rows = tables
            .parquet(routed.to_vec(), &routed_schema(content))
            .await?
            .filter(col("bucket").eq(lit(bucket)))?
            .sort(order.to_vec())?
            .select(content.schema().fields().iter().map(|field| col(field.name().as_str())).collect::<Vec<_>>())?;
        plans.push(rows.create_physical_plan().await?);
    }
    let all = if plans.len() == 1 { plans.remove(0) } else { UnionExec::try_new(plans)? };
    Ok(Arc::new(ChainExec::of(Chain, [all])))
}
