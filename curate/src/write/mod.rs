//! Mixtures: what was kept is read once more and goes to its shard. It is the one time that text moves.
//!
//! ```text
//! decisions -> place: (id, copy, template) -> order, shard        small rows, sorted by the file that holds the text
//! documents + places -> route: rows in row groups by bucket        text, file by file
//! routed files -> shard: its buckets one after the other, sorted   text, bucket by bucket
//! ```
//!
//! Useful for: turning verdicts into files that trainers read. Not useful for: verdicts; see [`crate::decide`].

mod card;
mod chain;
mod content;
mod negatives;
mod pairing;
mod place;
mod pool;
mod render;
mod render_function;
mod route;
mod shard;

pub use card::{CardFacts, SplitSize, dataset_card};
pub use chain::{Chain, ChainExec};
pub use content::{Content, ExamplesContent, PairsContent, PairsFrom};
pub use negatives::{MOST_NEGATIVES, Negatives};
pub use pairing::Pairing;
pub use place::{placed_schema, places};
pub use pool::{POOL, Pool, PoolRow, SEARCHED_POOL, pool, pool_schema};
pub use render::{RenderedRow, Rendering, RowKey, TaskRenderer};
pub use route::{Route, Rows, route, routed_schema};
pub use shard::shard;

use schemas::mixture;

use crate::decide::SplitShards;

/// The versions of the steps of writing, each where its code stands.
pub mod versions {
    pub use super::{
        card::VERSION as CARD, place::VERSION as PLACES, pool::VERSION as POOL, route::VERSION as ROUTE,
        shard::VERSION as SHARD,
    };
}

/// The file of each shard, in the order of their numbers, behind its split: `train-00000-of-00002.parquet` and so on.
#[must_use]
pub fn split_files(shards: &[SplitShards]) -> Vec<(String, String)> {
    let names = shards.iter().flat_map(|SplitShards { split, count, .. }| {
        (0..*count).map(move |number| (split.clone(), mixture::shard(split, number, *count)))
    });
    names.collect()
}
