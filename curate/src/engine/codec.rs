//! Plans as bytes: our nodes and functions, each described by data alone.

use std::sync::Arc;

use datafusion::{
    common::{internal_datafusion_err, internal_err},
    error::Result,
    execution::TaskContext,
    logical_expr::{AggregateUDF, ScalarUDF},
    physical_plan::ExecutionPlan,
};
use datafusion_proto::physical_plan::{PhysicalExtensionCodec, PhysicalProtoConverterExtension};
use serde::{Deserialize, Serialize};

use crate::{
    decide::{
        Chance, ChanceFunction, ClusterConfig, ClusterExec, CutFunction, CutText, SubstringsConfig, SubstringsExec,
    },
    files::{Publication, PublishExec},
    measure::{Family, FamilyFunction},
    source::{ReadExec, Reading},
    write::{ChainExec, RenderFunction, Rendering},
};

/// A node of ours.
#[derive(Serialize, Deserialize)]
enum Node {
    Read(Box<Reading>),
    Publish(Vec<Publication>),
    Cluster(ClusterConfig),
    Substrings(SubstringsConfig),
    Chain,
}

/// A function of ours.
#[derive(Serialize, Deserialize)]
enum Function {
    Family(Family),
    Chance(Chance),
    Cut(CutText),
    Render(Box<Rendering>),
}

/// Puts the nodes and functions of this crate into plans that are sent, as JSON.
#[derive(Debug, Clone, Copy)]
pub struct TamisCodec;

impl PhysicalExtensionCodec for TamisCodec {
    fn try_decode(
        &self,
        bytes: &[u8],
        inputs: &[Arc<dyn ExecutionPlan>],
        _: &TaskContext,
        _: &dyn PhysicalProtoConverterExtension,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let input = || inputs.first().cloned().ok_or_else(|| internal_datafusion_err!("a node came without its input"));
        Ok(match from_json(bytes)? {
            Node::Read(reading) => Arc::new(ReadExec::new(*reading)),
            Node::Publish(publications) => Arc::new(PublishExec::new(input()?, publications)?),
            Node::Substrings(config) => {
                let [wanted, ids, texts] = inputs else {
                    return internal_err!("substrings have three inputs, and not {}", inputs.len());
                };
                Arc::new(SubstringsExec::new(Arc::clone(wanted), Arc::clone(ids), Arc::clone(texts), config))
            }
            Node::Chain => Arc::new(ChainExec::new(input()?)),
            Node::Cluster(config) => Arc::new(ClusterExec::new(input()?, inputs.get(1).cloned(), config)),
        })
    }

    fn try_encode(
        &self,
        node: Arc<dyn ExecutionPlan>,
        bytes: &mut Vec<u8>,
        _: &dyn PhysicalProtoConverterExtension,
    ) -> Result<()> {
        let node = if let Some(read) = node.downcast_ref::<ReadExec>() {
            Node::Read(Box::new(read.reading().clone()))
        } else if let Some(publish) = node.downcast_ref::<PublishExec>() {
            Node::Publish(publish.publications().to_vec())
        } else if let Some(cluster) = node.downcast_ref::<ClusterExec>() {
            Node::Cluster(cluster.config().clone())
        } else if let Some(substrings) = node.downcast_ref::<SubstringsExec>() {
            Node::Substrings(substrings.config().clone())
        } else if node.downcast_ref::<ChainExec>().is_some() {
            Node::Chain
        } else {
            return internal_err!("the plan node {} cannot be sent", node.name());
        };
        to_json(&node, bytes)
    }

    fn try_decode_udf(&self, _: &str, bytes: &[u8]) -> Result<Arc<ScalarUDF>> {
        Ok(Arc::new(match from_json(bytes)? {
            Function::Family(family) => FamilyFunction::new(family).into(),
            Function::Chance(chance) => ChanceFunction::new(chance).into(),
            Function::Cut(kind) => CutFunction::new(kind).into(),
            Function::Render(rendering) => RenderFunction::new(*rendering).into(),
        }))
    }

    fn try_encode_udf(&self, function: &ScalarUDF, bytes: &mut Vec<u8>) -> Result<()> {
        let function = function.inner();
        let function = if let Some(family) = function.downcast_ref::<FamilyFunction>() {
            Function::Family(family.family().clone())
        } else if let Some(chance) = function.downcast_ref::<ChanceFunction>() {
            Function::Chance(chance.chance().clone())
        } else if let Some(cut) = function.downcast_ref::<CutFunction>() {
            Function::Cut(cut.kind().clone())
        } else if let Some(render) = function.downcast_ref::<RenderFunction>() {
            Function::Render(Box::new(render.rendering().clone()))
        } else {
            // one of the engine's own, which is known by its name
            return Ok(());
        };
        to_json(&function, bytes)
    }

    fn try_decode_udaf(&self, name: &str, _: &[u8]) -> Result<Arc<AggregateUDF>> {
        internal_err!("there is no aggregate of ours called `{name}`")
    }
}

fn to_json(value: &impl Serialize, bytes: &mut Vec<u8>) -> Result<()> {
    serde_json::to_writer(bytes, value).map_err(|error| internal_datafusion_err!("a plan cannot be sent: {error}"))
}

fn from_json<T: for<'de> Deserialize<'de>>(bytes: &[u8]) -> Result<T> {
    serde_json::from_slice(bytes).map_err(|error| internal_datafusion_err!("a plan cannot be received: {error}"))
}
