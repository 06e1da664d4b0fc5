//! Plans as bytes: the nodes and functions of a list, each as its kind, a line feed, and its settings as JSON.

use std::sync::Arc;

use datafusion::{
    common::{internal_datafusion_err, internal_err},
    error::Result,
    execution::TaskContext,
    logical_expr::{AggregateUDF, ScalarUDF, ScalarUDFImpl},
    physical_plan::ExecutionPlan,
};
use datafusion_proto::physical_plan::{PhysicalExtensionCodec, PhysicalProtoConverterExtension};
use serde::{Serialize, de::DeserializeOwned};

use super::{Children as _, Function, FunctionUdf, Node, NodeExec};

/// Makes a node of its settings and what it reads.
type DecodeNode = fn(&[u8], &[Arc<dyn ExecutionPlan>]) -> Result<Arc<dyn ExecutionPlan>>;

/// Nodes of one kind, on their way.
#[derive(Debug)]
pub struct NodeKind {
    name: &'static str,
    /// Writes a node's settings, where it is of this kind.
    encode: fn(&dyn ExecutionPlan, &mut Vec<u8>) -> Option<Result<()>>,
    decode: DecodeNode,
}

impl NodeKind {
    /// Those that `N` describes.
    #[must_use]
    pub const fn of<N: Node>() -> Self {
        Self {
            name: N::NAME,
            encode: |node, bytes| Some(encode(N::NAME, node.downcast_ref::<NodeExec<N>>()?.node(), bytes)),
            decode: |settings, children| {
                let children = N::Children::of(children.to_vec())?;
                Ok(Arc::new(NodeExec::<N>::of(from_json(settings)?, children)))
            },
        }
    }
}

/// Functions of one kind, on their way.
#[derive(Debug)]
pub struct FunctionKind {
    name: &'static str,
    /// Writes a function's settings, where it is of this kind.
    encode: fn(&dyn ScalarUDFImpl, &mut Vec<u8>) -> Option<Result<()>>,
    decode: fn(&[u8]) -> Result<ScalarUDF>,
}

impl FunctionKind {
    /// Those that `F` describes.
    #[must_use]
    pub const fn of<F: Function>() -> Self {
        Self {
            name: F::KIND,
            encode: |function, bytes| {
                Some(encode(F::KIND, function.downcast_ref::<FunctionUdf<F>>()?.function(), bytes))
            },
            decode: |settings| Ok(FunctionUdf::<F>::new(from_json(settings)?).into()),
        }
    }
}

/// Puts the nodes and functions of a list into plans that are sent.
#[derive(Debug)]
pub struct PlanCodec {
    /// The nodes, each under a name of its own.
    pub nodes: &'static [NodeKind],
    /// The functions, each kind under a name of its own.
    pub functions: &'static [FunctionKind],
}

impl PhysicalExtensionCodec for PlanCodec {
    fn try_decode(
        &self,
        bytes: &[u8],
        children: &[Arc<dyn ExecutionPlan>],
        _: &TaskContext,
        _: &dyn PhysicalProtoConverterExtension,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let (name, settings) = name_and_settings(bytes)?;
        match self.nodes.iter().find(|kind| kind.name == name) {
            Some(kind) => (kind.decode)(settings, children),
            None => internal_err!("there is no plan node of ours called `{name}`"),
        }
    }

    fn try_encode(
        &self,
        node: Arc<dyn ExecutionPlan>,
        bytes: &mut Vec<u8>,
        _: &dyn PhysicalProtoConverterExtension,
    ) -> Result<()> {
        let encoded = self.nodes.iter().find_map(|kind| (kind.encode)(node.as_ref(), bytes));
        encoded.unwrap_or_else(|| internal_err!("the plan node {} cannot be sent", node.name()))
    }

    fn try_decode_udf(&self, _: &str, bytes: &[u8]) -> Result<Arc<ScalarUDF>> {
        let (name, settings) = name_and_settings(bytes)?;
        match self.functions.iter().find(|kind| kind.name == name) {
            Some(kind) => Ok(Arc::new((kind.decode)(settings)?)),
            None => internal_err!("there is no function of ours of the kind `{name}`"),
        }
    }

    fn try_encode_udf(&self, function: &ScalarUDF, bytes: &mut Vec<u8>) -> Result<()> {
        let encoded = self.functions.iter().find_map(|kind| (kind.encode)(function.inner().as_ref(), bytes));
        // one of the engine's own is known by its name
        encoded.unwrap_or(Ok(()))
    }

    fn try_decode_udaf(&self, name: &str, _: &[u8]) -> Result<Arc<AggregateUDF>> {
        internal_err!("there is no aggregate of ours called `{name}`")
    }
}

fn encode(name: &str, settings: &impl Serialize, bytes: &mut Vec<u8>) -> Result<()> {
    bytes.extend(name.as_bytes());
    bytes.push(b'\n');
    serde_json::to_writer(bytes, settings).map_err(|error| internal_datafusion_err!("a plan cannot be sent: {error}"))
}

fn name_and_settings(bytes: &[u8]) -> Result<(&str, &[u8])> {
    let end = bytes.iter().position(|byte| *byte == b'\n');
    let parts = end.and_then(|end| Some((std::str::from_utf8(&bytes[..end]).ok()?, &bytes[end + 1..])));
    parts.ok_or_else(|| internal_datafusion_err!("a plan cannot be received: a node or function came without its name"))
}

fn from_json<T: DeserializeOwned>(settings: &[u8]) -> Result<T> {
    serde_json::from_slice(settings).map_err(|error| internal_datafusion_err!("a plan cannot be received: {error}"))
}
