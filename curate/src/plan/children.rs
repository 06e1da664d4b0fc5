//! The plans that a node reads: how many, of which kind, and their rows.

use std::{fmt::Debug, sync::Arc};

use datafusion::{
    arrow::array::RecordBatch,
    common::internal_err,
    error::Result,
    execution::{SendableRecordBatchStream, TaskContext},
    physical_plan::ExecutionPlan,
};
use futures::{Stream, TryStreamExt as _};

/// The plans that a node reads, as it knows them: an array where there are always so many.
pub trait Children: Debug + Clone + Send + Sync + 'static {
    /// The plans in their order.
    ///
    /// # Errors
    /// When they are too few, too many or of another kind.
    fn of(plans: Vec<Arc<dyn ExecutionPlan>>) -> Result<Self>;

    /// All of them, in their order.
    fn all(&self) -> Vec<&Arc<dyn ExecutionPlan>>;
}

impl<const COUNT: usize> Children for [Arc<dyn ExecutionPlan>; COUNT] {
    fn of(plans: Vec<Arc<dyn ExecutionPlan>>) -> Result<Self> {
        match Self::try_from(plans) {
            Ok(children) => Ok(children),
            Err(plans) => internal_err!("a node that reads {COUNT} plans was given {}", plans.len()),
        }
    }

    fn all(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        self.iter().collect()
    }
}

/// One plan, and another that may be left out.
impl Children for (Arc<dyn ExecutionPlan>, Option<Arc<dyn ExecutionPlan>>) {
    fn of(plans: Vec<Arc<dyn ExecutionPlan>>) -> Result<Self> {
        let count = plans.len();
        let mut plans = plans.into_iter();
        match (plans.next(), plans.next()) {
            (Some(first), second) if count <= 2 => Ok((first, second)),
            _ => internal_err!("a node that reads one plan or two was given {count}"),
        }
    }

    fn all(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        std::iter::once(&self.0).chain(&self.1).collect()
    }
}

/// One plan of one partition, whose rows come in a fixed order.
#[derive(Debug, Clone)]
pub struct SinglePartition(Arc<dyn ExecutionPlan>);

impl SinglePartition {
    /// The plan.
    ///
    /// # Errors
    /// When it has more than one partition, whose order would be left to chance.
    pub fn new(plan: Arc<dyn ExecutionPlan>) -> Result<Self> {
        match plan.properties().output_partitioning().partition_count() {
            1 => Ok(Self(plan)),
            partitions => internal_err!("{partitions} partitions cannot be written to one file in a fixed order"),
        }
    }

    /// Its rows.
    ///
    /// # Errors
    /// When it cannot begin.
    pub fn execute(&self, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        self.0.execute(0, context)
    }
}

impl Children for SinglePartition {
    fn of(plans: Vec<Arc<dyn ExecutionPlan>>) -> Result<Self> {
        let [plan] = <[_; 1]>::of(plans)?;
        Self::new(plan)
    }

    fn all(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.0]
    }
}

/// Rows as they come.
pub trait Batches: Stream<Item = Result<RecordBatch>> + Send + Unpin {}

impl<T: Stream<Item = Result<RecordBatch>> + Send + Unpin> Batches for T {}

/// The rows of all partitions of a plan, one after the other: one begins when the one before it has ended.
pub fn rows(plan: Arc<dyn ExecutionPlan>, context: &Arc<TaskContext>) -> impl Batches + use<> {
    let partitions = plan.properties().output_partitioning().partition_count();
    let context = Arc::clone(context);
    let executed = (0..partitions).map(move |partition| plan.execute(partition, Arc::clone(&context)));
    futures::stream::iter(executed).try_flatten()
}
