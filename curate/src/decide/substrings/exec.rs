//! The plan node that finds substrings that stand in more than one place.

use std::sync::Arc;

use datafusion::{
    arrow::datatypes::{DataType, Field, Schema, SchemaRef},
    error::Result,
    execution::{SendableRecordBatchStream, TaskContext},
    physical_plan::{
        ExecutionPlan,
        execution_plan::{EmissionType, reset_plan_states},
    },
};

use super::{SubstringsConfig, search::Search};
use crate::{
    decide::cuts::cuts_type,
    plan::{Node, NodeExec, Output, blocking, rows},
};

/// Finds substrings that stand in more than one place: rows of `id` and `cuts`, sorted by id; documents without cuts have none.
pub type SubstringsExec = NodeExec<SubstringsConfig>;

impl SubstringsExec {
    /// Cuts of documents. Partitions of the inputs follow one another.
    ///
    /// - `wanted`: rows of an id, in any order: the documents that count
    /// - `ids`: rows of an id, all documents that `texts` has, in its order
    /// - `texts`: rows of an id and its text; it is read twice where substrings are n-grams
    #[must_use]
    pub fn new(
        wanted: Arc<dyn ExecutionPlan>,
        ids: Arc<dyn ExecutionPlan>,
        texts: Arc<dyn ExecutionPlan>,
        config: SubstringsConfig,
    ) -> Self {
        Self::of(config, [wanted, ids, texts])
    }
}

/// The columns of what is found: a document's id, and its cuts.
#[must_use]
pub fn substrings_schema() -> Schema {
    Schema::new(vec![Field::new("id", DataType::Utf8View, false), Field::new("cuts", cuts_type(), true)])
}

impl Node for SubstringsConfig {
    const NAME: &'static str = "SubstringsExec";
    const EMISSION: EmissionType = EmissionType::Final;
    type Children = [Arc<dyn ExecutionPlan>; 3];

    fn details(&self) -> Option<String> {
        Some(format!("unit={:?}", self.unit))
    }

    fn schema(&self, _: &Self::Children) -> SchemaRef {
        Arc::new(substrings_schema())
    }

    fn run(
        self,
        [wanted, ids, texts]: Self::Children,
        context: Arc<TaskContext>,
        output: Output,
    ) -> Result<SendableRecordBatchStream> {
        Ok(output.task(2, |batches| async move {
            let unit = self.unit;
            let mut search = Search::new(self, &context)?;
            search.number(rows(wanted, &context), rows(ids, &context)).await?;
            if unit.is_ngram() {
                search.take_anchors(rows(Arc::clone(&texts), &context)).await?;
            }
            // a plan that has run is at its end
            let texts = reset_plan_states(texts)?;
            search.take_substrings(rows(texts, &context)).await?;
            blocking(move || search.send(batches)).await
        }))
    }
}
