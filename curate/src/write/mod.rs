//! Mixtures: what was kept is read once more and goes to its shard. It is the one time that text moves.
//!
//! ```text
//! decisions -> place: (id, copy, template) -> order, shard        small rows, sorted by the file that holds the text
//! documents + places -> route: rows in row groups by shard         text, file by file
//! routed files -> shard: rows of one shard, in their order         text, shard by shard
//! ```
//!
//! Useful for: turning verdicts into files that trainers read. Not useful for: verdicts; see [`crate::decide`].

mod card;
mod place;
mod render;
mod route;
mod shard;

use schemas::task::Task;
use serde::{Deserialize, Serialize};

pub use card::dataset_card;
pub use place::{placed_schema, places};
pub use render::RenderFunction;
pub use route::{route, routed_schema};
pub use shard::shard;

use crate::decide::SplitShards;

/// What the rows of a mixture are.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Content {
    /// Documents as they are.
    Text,
    /// Examples of a task, put into words by its templates.
    Instructions(Task),
}

impl Content {
    /// The names of the templates that each copy goes through; one empty name for plain text.
    #[must_use]
    pub fn templates(&self) -> Vec<String> {
        match self {
            Self::Text => vec![String::new()],
            Self::Instructions(task) => task.templates.iter().map(|template| template.name.clone()).collect(),
        }
    }

    /// The columns of the mixture.
    #[must_use]
    pub fn schema(&self) -> datafusion::arrow::datatypes::SchemaRef {
        match self {
            Self::Text => schemas::columns::text_mixture(),
            Self::Instructions(_) => schemas::columns::instruction_mixture(),
        }
    }
}

/// The file of each shard, in the order of their numbers: `train-00000-of-00002.parquet` and so on.
#[must_use]
pub fn shard_files(shards: &[SplitShards]) -> Vec<String> {
    let names = shards.iter().flat_map(|SplitShards { split, count, .. }| {
        (0..*count).map(move |number| format!("{split}-{number:05}-of-{count:05}.parquet"))
    });
    names.collect()
}
