//! The plan node that runs plans one after the other.

use std::sync::Arc;

use datafusion::{
    arrow::datatypes::SchemaRef,
    error::Result,
    execution::{SendableRecordBatchStream, TaskContext},
    physical_plan::{ExecutionPlan, execution_plan::EmissionType},
};
use serde::{Deserialize, Serialize};

use crate::plan::{Node, NodeExec, Output, rows};

/// The partitions of its input, such as the parts of a union, one after the other: only one holds memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chain;

/// Runs a [`Chain`].
pub type ChainExec = NodeExec<Chain>;

impl Node for Chain {
    const NAME: &'static str = "ChainExec";
    const EMISSION: EmissionType = EmissionType::Incremental;
    type Children = [Arc<dyn ExecutionPlan>; 1];

    fn schema(&self, [input]: &Self::Children) -> SchemaRef {
        input.schema()
    }

    fn run(
        self,
        [input]: Self::Children,
        context: Arc<TaskContext>,
        output: Output,
    ) -> Result<SendableRecordBatchStream> {
        Ok(output.stream(rows(input, &context)))
    }
}
