//! Clusters of documents that are alike.
//!
//! ```text
//! fingerprints, bands -> (hash, id), sorted -> star edges (id, first id with that hash) -> union-find -> (member, cluster)
//! ```
//!
//! The sort, which spills, carries a hash and an id and no more. The least id of a cluster is its root, so that neither order nor threads
//! show. Documents that are like no other stand in no cluster.
//!
//! Cost: 32 bytes for each edge, and 24 for each document that has one, in memory.

use std::{
    fmt::{self, Formatter},
    sync::Arc,
};

use datafusion::{
    arrow::{
        array::{ArrayRef, AsArray as _, RecordBatch, StringViewArray},
        datatypes::{DataType, Field, Schema, SchemaRef, UInt64Type},
    },
    common::{internal_datafusion_err, internal_err, tree_node::TreeNodeRecursion},
    error::{DataFusionError, Result},
    execution::{SendableRecordBatchStream, TaskContext, memory_pool::MemoryConsumer},
    physical_expr::EquivalenceProperties,
    physical_plan::{
        ChildrenPropertiesMode, DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PhysicalExpr,
        PlanProperties, ReplaceChildrenOptions,
        execution_plan::{Boundedness, EmissionType},
        stream::RecordBatchStreamAdapter,
    },
    prelude::{DataFrame, col},
};
use futures::TryStreamExt as _;

use super::Tables;
use crate::measure::Family;

/// The hashes of all documents of `sources`, sorted: `hash` and `id`. Documents that share one are alike.
///
/// # Errors
/// When the facts cannot be read.
pub async fn hashes(
    tables: Tables<'_>,
    fingerprints: Option<&Family>,
    bands: Option<&Family>,
    sources: &[String],
) -> Result<DataFrame> {
    let mut all: Option<DataFrame> = None;
    for (family, column) in [(fingerprints, "short_hash"), (bands, "bands")] {
        let Some(family) = family else { continue };
        let facts = tables.family(family, sources).await?.filter(col(column).is_not_null())?;
        let facts = if column == "bands" { facts.unnest_columns(&["bands"])? } else { facts };
        let hashes = facts.select(vec![col(column).alias("hash"), col("fact_id").alias("id")])?;
        all = Some(match all {
            Some(all) => all.union(hashes)?,
            None => hashes,
        });
    }
    all.ok_or_else(|| internal_datafusion_err!("no family of hashes was asked for"))?
        .sort(vec![col("hash").sort(true, false), col("id").sort(true, false)])
}

/// Joins documents that share a hash into clusters: rows of `member` and `cluster`, sorted by member.
#[derive(Debug)]
pub struct ClusterExec {
    input: Arc<dyn ExecutionPlan>,
    properties: Arc<PlanProperties>,
}

impl ClusterExec {
    /// Clusters of the rows of `input`: `hash` and `id`, sorted by both, in one partition.
    #[must_use]
    pub fn new(input: Arc<dyn ExecutionPlan>) -> Self {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(cluster_schema()),
            Partitioning::UnknownPartitioning(1),
            EmissionType::Final,
            Boundedness::Bounded,
        );
        Self { input, properties: Arc::new(properties) }
    }
}

fn cluster_schema() -> SchemaRef {
    let id = |name| Field::new(name, DataType::Utf8View, false);
    Arc::new(Schema::new(vec![id("member"), id("cluster")]))
}

impl DisplayAs for ClusterExec {
    fn fmt_as(&self, _: DisplayFormatType, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str("ClusterExec")
    }
}

impl ExecutionPlan for ClusterExec {
    fn name(&self) -> &'static str {
        "ClusterExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(Arc::new(Self::new(children.swap_remove(0))))
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        self.replace_children(children, ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let partitions = self.input.properties().output_partitioning().partition_count();
        if partitions != 1 {
            return internal_err!("the ids of one hash may stand in any of {partitions} partitions");
        }
        let memory = MemoryConsumer::new("clusters").register(context.memory_pool());
        let mut batches = self.input.execute(partition, context)?;
        let clusters = async move {
            let mut star = Star::default();
            while let Some(batch) = batches.try_next().await? {
                let before = star.edges.len();
                let (hashes, ids) = (batch.column(0).as_primitive::<UInt64Type>(), batch.column(1).as_string_view());
                for (hash, id) in hashes.values().iter().zip(ids) {
                    star.push(*hash, number(id)?);
                }
                // the edges, and what the union-find will need for their ends
                memory.try_grow((star.edges.len() - before) * (32 + 24))?;
            }
            let clusters = components(&star.edges);
            let ids = |pick: fn(&(u128, u128)) -> u128| {
                Arc::new(StringViewArray::from_iter_values(clusters.iter().map(|pair| format!("{:032x}", pick(pair)))))
            };
            let columns: Vec<ArrayRef> = vec![ids(|pair| pair.0), ids(|pair| pair.1)];
            Ok(RecordBatch::try_new(cluster_schema(), columns)?)
        };
        Ok(Box::pin(RecordBatchStreamAdapter::new(cluster_schema(), futures::stream::once(clusters))))
    }
}

/// Edges from each id to the first that has the same hash.
#[derive(Debug, Default)]
struct Star {
    first: Option<(u64, u128)>,
    edges: Vec<(u128, u128)>,
}

impl Star {
    fn push(&mut self, hash: u64, id: u128) {
        match self.first {
            Some((same, first)) if same == hash => {
                if first != id {
                    self.edges.push((id, first));
                }
            }
            _ => self.first = Some((hash, id)),
        }
    }
}

fn number(id: Option<&str>) -> Result<u128> {
    let id = id.unwrap_or_default();
    u128::from_str_radix(id, 16).map_err(|_| DataFusionError::Internal(format!("{id:?} is no id")))
}

/// Every node of the graph with the least node that it is joined with, in rising order.
fn components(edges: &[(u128, u128)]) -> Vec<(u128, u128)> {
    let mut nodes: Vec<u128> = edges.iter().flat_map(|(one, other)| [*one, *other]).collect();
    nodes.sort_unstable();
    nodes.dedup();
    let mut parents: Vec<usize> = (0..nodes.len()).collect();
    let place = |node: &u128| nodes.binary_search(node).expect("every end was collected");
    for (one, other) in edges {
        let (one, other) = (root(&mut parents, place(one)), root(&mut parents, place(other)));
        // nodes are sorted, so the smaller place is the smaller id
        parents[one.max(other)] = one.min(other);
    }
    (0..nodes.len()).map(|node| (nodes[node], nodes[root(&mut parents, node)])).collect()
}

/// The root of a node; the path to it is halved on the way.
fn root(parents: &mut [usize], mut node: usize) -> usize {
    while parents[node] != node {
        parents[node] = parents[parents[node]];
        node = parents[node];
    }
    node
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::{collection::vec, prelude::*};

    use super::*;

    proptest! {
        /// The clusters are those of a search over the graph, and the order of the edges does not show.
        #[test]
        fn components_are_those_of_the_graph(mut edges in vec((0u128..40, 0u128..40), 0..60)) {
            let found = components(&edges);
            let mut expected: BTreeMap<u128, u128> = edges.iter().flat_map(|(a, b)| [(*a, *a), (*b, *b)]).collect();
            for _ in 0..40 {
                for (one, other) in &edges {
                    let least = expected[one].min(expected[other]);
                    expected.insert(*one, least);
                    expected.insert(*other, least);
                }
            }
            prop_assert_eq!(&found, &expected.into_iter().collect::<Vec<_>>());
            edges.reverse();
            prop_assert_eq!(found, components(&edges));
        }
    }
}
