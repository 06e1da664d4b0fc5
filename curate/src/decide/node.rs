//! What nodes have in common that read their input to its end before they give anything.

use std::sync::Arc;

use datafusion::{
    error::{DataFusionError, Result},
    execution::{SendableRecordBatchStream, TaskContext},
    physical_plan::ExecutionPlan,
};

/// Work that holds a core for long.
pub async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(|error| DataFusionError::ExecutionJoin(Box::new(error)))?
}

/// The rows of all partitions, one after the other.
pub fn rows(plan: &Arc<dyn ExecutionPlan>, context: &Arc<TaskContext>) -> Result<Vec<SendableRecordBatchStream>> {
    let partitions = plan.properties().output_partitioning().partition_count();
    (0..partitions).map(|partition| plan.execute(partition, Arc::clone(context))).collect()
}
