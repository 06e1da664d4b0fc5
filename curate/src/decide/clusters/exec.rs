//! The plan node that finds clusters.

use std::sync::Arc;

use datafusion::{
    arrow::datatypes::{DataType, Field, Schema, SchemaRef},
    error::Result,
    execution::{SendableRecordBatchStream, TaskContext},
    physical_plan::{ExecutionPlan, execution_plan::EmissionType},
};

use super::{ClusterConfig, Verification, arrivals::Arrivals, joined::Joined};
use crate::plan::{Node, NodeExec, Output, blocking, rows};

/// Joins documents that share a hash into clusters: rows of `member`, `cluster` and `members`, sorted by member.
pub type ClusterExec = NodeExec<ClusterConfig>;

impl ClusterExec {
    /// Clusters of documents. Partitions of the inputs follow one another.
    ///
    /// - `hashes`: rows of an id and its hashes, one or a list, the first of which is that of the whole text
    /// - `texts`: the same documents in the same order, rows of an id and its text; where they are verified
    #[must_use]
    pub fn new(hashes: Arc<dyn ExecutionPlan>, texts: Option<Arc<dyn ExecutionPlan>>, config: ClusterConfig) -> Self {
        Self::of(config, (hashes, texts))
    }
}

/// The columns of clusters: the id of a document, the least id of those that it is like, and how many they are with that one.
#[must_use]
pub fn clusters_schema() -> Schema {
    let id = |name| Field::new(name, DataType::Utf8View, false);
    Schema::new(vec![id("member"), id("cluster"), Field::new("members", DataType::UInt32, false)])
}

impl Node for ClusterConfig {
    const NAME: &'static str = "ClusterExec";
    const EMISSION: EmissionType = EmissionType::Final;
    type Children = (Arc<dyn ExecutionPlan>, Option<Arc<dyn ExecutionPlan>>);

    fn details(&self) -> Option<String> {
        self.verification.map(|Verification { similarity, .. }| format!("similarity={similarity}"))
    }

    fn schema(&self, _: &Self::Children) -> SchemaRef {
        Arc::new(clusters_schema())
    }

    fn run(
        self,
        (hashes, texts): Self::Children,
        context: Arc<TaskContext>,
        output: Output,
    ) -> Result<SendableRecordBatchStream> {
        Ok(output.task(2, |batches| async move {
            let verification = self.verification;
            let mut arrivals = Arrivals::new(self, &context)?;
            arrivals.take_hashes(rows(hashes, &context)).await?;
            let mut joined = blocking(move || Joined::of(arrivals)).await?;
            if let (Some(texts), Some(verification)) = (texts, verification) {
                joined.take_texts(rows(texts, &context), verification).await?;
                joined = blocking(move || {
                    joined.verify(verification)?;
                    Ok(joined)
                })
                .await?;
            }
            blocking(move || joined.send(batches)).await
        }))
    }
}
