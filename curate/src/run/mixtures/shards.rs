//! Shards of a mixture: each is made of its buckets, one after the other.

use std::{
    ops::Range,
    path::{Path, PathBuf},
};

use futures::{StreamExt as _, TryStreamExt as _};

use super::{sharding::Sharding, stage::MixtureStage, staging::Staging};
use crate::{
    error::{InStage as _, Result},
    files::{Publication, Written},
    write,
};

/// The shards of a mixture.
///
/// - reads: what was routed
/// - writes: a file for each shard
pub struct Shards<'s> {
    pub staging: &'s Staging<'s>,
    /// The files that hold the rows of all shards.
    pub routed: Vec<PathBuf>,
    /// Where the shards are made.
    pub folder: &'s Path,
}

impl Shards<'_> {
    /// Writes all shards, whose names come in the order of their numbers. Returns the rows of each, and what was written.
    pub async fn write(
        &self,
        sharding: &Sharding,
        names: impl Iterator<Item = &String>,
    ) -> Result<Vec<(Option<u64>, Written)>> {
        let shards = (0u32..).zip(names);
        let units = shards.map(|(number, name)| self.write_one(sharding.buckets_of(number), self.folder.join(name)));
        futures::stream::iter(units).buffered(self.staging.stage.run.threads).try_collect().await
    }

    async fn write_one(&self, buckets: Range<u32>, path: PathBuf) -> Result<(Option<u64>, Written)> {
        let Staging { stage: MixtureStage { run, mixture, name: stage }, inputs, .. } = self.staging;
        let unit = format!("shard-{:05}-{:05}", buckets.start, buckets.end);
        let work = async {
            let context = run.session.streaming();
            let tables = run.tables(&context, inputs);
            let plan = write::shard(tables, &self.routed, &mixture.content, buckets).await.in_stage(stage)?;
            let publication = Publication::new(&path, &mixture.content.schema());
            run.publish_plan(stage, &context, plan, vec![publication]).await
        };
        let mark = self.staging.unit(&unit, work).await?;
        // a shard of a run that was stopped goes into the mixture as it lies there, unread
        run.units.verify(std::slice::from_ref(&path))?;
        let file = mark.outputs.first().cloned().expect("a shard is one file");
        Ok((file.rows, Written { bytes: file.bytes, sha256: file.sha256 }))
    }
}
