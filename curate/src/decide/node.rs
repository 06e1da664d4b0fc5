//! What nodes have in common that read their input to its end before they give anything.

use std::{path::PathBuf, sync::Arc};

use datafusion::{
    arrow::array::RecordBatch,
    common::internal_datafusion_err,
    error::{DataFusionError, Result},
    execution::TaskContext,
    physical_plan::ExecutionPlan,
};
use futures::{Stream, TryStreamExt as _};

/// The session's folder for spilled data.
pub fn spill_folder(context: &TaskContext) -> Result<PathBuf> {
    let folders = context.runtime_env().disk_manager.temp_dir_paths();
    folders.into_iter().next().ok_or_else(|| internal_datafusion_err!("the session has no folder to spill to"))
}

/// Work that holds a core for long.
pub async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(|error| DataFusionError::ExecutionJoin(Box::new(error)))?
}

/// Rows as they come.
pub trait Batches: Stream<Item = Result<RecordBatch>> + Send + Unpin {}

impl<T: Stream<Item = Result<RecordBatch>> + Send + Unpin> Batches for T {}

/// The rows of all partitions, one after the other: one begins when the one before it has ended.
pub fn rows(plan: Arc<dyn ExecutionPlan>, context: &Arc<TaskContext>) -> impl Batches + use<> {
    let partitions = plan.properties().output_partitioning().partition_count();
    let context = Arc::clone(context);
    let executed = (0..partitions).map(move |partition| plan.execute(partition, Arc::clone(&context)));
    futures::stream::iter(executed).try_flatten()
}
