//! Plan nodes: settings and what is done with rows, as DataFusion's execution plans.

use std::{
    fmt::{self, Debug, Formatter},
    sync::Arc,
};

use datafusion::{
    arrow::datatypes::SchemaRef,
    common::{internal_err, tree_node::TreeNodeRecursion},
    error::Result,
    execution::{SendableRecordBatchStream, TaskContext},
    physical_expr::EquivalenceProperties,
    physical_plan::{
        ChildrenPropertiesMode, DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PhysicalExpr,
        PlanProperties, ReplaceChildrenOptions,
        execution_plan::{Boundedness, EmissionType},
    },
};
use serde::{Serialize, de::DeserializeOwned};

use super::{Children, Output};

/// What a plan node does, described by its settings.
///
/// Its rows are one partition, in an order that follows from the rows of its children alone. It counts what it holds in the
/// memory pool of the session: see [`super::Storage`].
pub trait Node: Debug + Clone + Serialize + DeserializeOwned + Send + Sync + 'static {
    /// Its name in plans, by which it is sent, too.
    const NAME: &'static str;
    /// Whether rows leave it while its children are read, or when all of them have been.
    const EMISSION: EmissionType;
    /// The plans that it reads.
    type Children: Children;

    /// Settings that are shown behind the name where a plan is explained, as `key=value`.
    fn details(&self) -> Option<String> {
        None
    }

    /// The columns of its rows.
    fn schema(&self, children: &Self::Children) -> SchemaRef;

    /// Begins to run. Nothing of what it does may hold up the thread that calls it.
    ///
    /// - `context`: the session's memory, folder to spill to and configuration
    /// - `output`: the ways in which rows leave
    ///
    /// # Errors
    /// When a child cannot begin; what goes wrong later is an item of the stream.
    fn run(
        self,
        children: Self::Children,
        context: Arc<TaskContext>,
        output: Output,
    ) -> Result<SendableRecordBatchStream>;
}

/// A [`Node`] in a plan.
#[derive(Debug)]
pub struct NodeExec<N: Node> {
    node: N,
    children: N::Children,
    properties: Arc<PlanProperties>,
}

impl<N: Node> NodeExec<N> {
    /// The node, reading `children`.
    #[must_use]
    pub fn of(node: N, children: N::Children) -> Self {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(node.schema(&children)),
            Partitioning::UnknownPartitioning(1),
            N::EMISSION,
            Boundedness::Bounded,
        );
        Self { node, children, properties: Arc::new(properties) }
    }

    /// Its settings.
    #[must_use]
    pub fn node(&self) -> &N {
        &self.node
    }
}

impl<N: Node> DisplayAs for NodeExec<N> {
    fn fmt_as(&self, _: DisplayFormatType, formatter: &mut Formatter<'_>) -> fmt::Result {
        match self.node.details() {
            Some(details) => write!(formatter, "{}: {details}", N::NAME),
            None => formatter.write_str(N::NAME),
        }
    }
}

impl<N: Node> ExecutionPlan for NodeExec<N> {
    fn name(&self) -> &'static str {
        N::NAME
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        self.children.all()
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
        Ok(Arc::new(Self::of(self.node.clone(), N::Children::of(children)?)))
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        self.replace_children(children, ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        if partition != 0 {
            return internal_err!("{} gives one partition, and none of number {partition}", N::NAME);
        }
        self.node.clone().run(self.children.clone(), context, Output::new(self.schema()))
    }
}
