//! The plan node that runs plans one after the other.

use std::{
    fmt::{self, Formatter},
    sync::Arc,
};

use datafusion::{
    common::{internal_err, tree_node::TreeNodeRecursion},
    error::Result,
    execution::{SendableRecordBatchStream, TaskContext},
    physical_expr::EquivalenceProperties,
    physical_plan::{
        ChildrenPropertiesMode, DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PhysicalExpr,
        PlanProperties, ReplaceChildrenOptions,
        execution_plan::{Boundedness, EmissionType},
        stream::RecordBatchStreamAdapter,
    },
};
use futures::TryStreamExt as _;

/// The rows of its inputs, one input after the other: one begins when the one before it has ended, so that only one holds memory.
#[derive(Debug)]
pub struct ChainExec {
    inputs: Vec<Arc<dyn ExecutionPlan>>,
    properties: Arc<PlanProperties>,
}

impl ChainExec {
    /// Runs `inputs`, which have the same columns and one partition each.
    ///
    /// # Errors
    /// When there is none, or one has more partitions, whose order would be left to chance.
    pub fn new(inputs: Vec<Arc<dyn ExecutionPlan>>) -> Result<Self> {
        let Some(first) = inputs.first() else { return internal_err!("there is nothing to run") };
        let partitions = |input: &Arc<dyn ExecutionPlan>| input.properties().output_partitioning().partition_count();
        if inputs.iter().any(|input| partitions(input) != 1) {
            return internal_err!("what runs one after the other has one partition each");
        }
        let properties = PlanProperties::new(
            EquivalenceProperties::new(first.schema()),
            Partitioning::UnknownPartitioning(1),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        Ok(Self { inputs, properties: Arc::new(properties) })
    }
}

impl DisplayAs for ChainExec {
    fn fmt_as(&self, _: DisplayFormatType, formatter: &mut Formatter<'_>) -> fmt::Result {
        write!(formatter, "ChainExec: inputs={}", self.inputs.len())
    }
}

impl ExecutionPlan for ChainExec {
    fn name(&self) -> &'static str {
        "ChainExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        self.inputs.iter().collect()
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(Arc::new(Self::new(children)?))
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        self.replace_children(children, ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        if partition != 0 {
            return internal_err!("a chain has one partition, and no number {partition}");
        }
        let inputs = self.inputs.clone();
        let executed = inputs.into_iter().map(move |input| input.execute(0, Arc::clone(&context)));
        let rows = futures::stream::iter(executed).try_flatten();
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.properties.equivalence_properties().schema().clone(), rows)))
    }
}
