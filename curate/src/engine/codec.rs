//! The nodes and functions of this crate that plans may hold when they are sent.

use crate::{
    decide::{Chance, ClusterConfig, CutText, SubstringsConfig},
    files::Publications,
    measure::Family,
    plan::{FunctionKind, NodeKind, PlanCodec},
    source::Reading,
    write::{Chain, Pairing, Rendering},
};

/// Puts every node and function of this crate into bytes, and takes it out.
pub static CODEC: PlanCodec = PlanCodec {
    nodes: &[
        NodeKind::of::<Reading>(),
        NodeKind::of::<Publications>(),
        NodeKind::of::<ClusterConfig>(),
        NodeKind::of::<SubstringsConfig>(),
        NodeKind::of::<Chain>(),
    ],
    functions: &[
        FunctionKind::of::<Family>(),
        FunctionKind::of::<Chance>(),
        FunctionKind::of::<CutText>(),
        FunctionKind::of::<Rendering>(),
        FunctionKind::of::<Pairing>(),
    ],
};
