//! Making the files of a mixture, aside from where they will stand: places, routed text, shards.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use datafusion::{
    arrow::{array::AsArray as _, datatypes::UInt64Type},
    functions_aggregate::expr_fn::sum,
    prelude::{col, lit},
};
use futures::{StreamExt as _, TryStreamExt as _};

use super::context::Run;
use crate::{
    decide::SplitShards,
    error::{Error, Result},
    files::{Publication, Written, units::Fingerprint, write_whole},
    recipe::MixturePlan,
    write::{self, dataset_card, placed_schema, routed_schema, shard_files},
};

/// The splits in the order in which their files are numbered.
const SPLITS: [&str; 3] = ["train", "validation", "test"];

/// A mixture whose files are made, and do not stand in their place yet.
pub struct Staged {
    /// Where they stand.
    pub folder: PathBuf,
    /// What they follow from.
    pub fingerprint: Fingerprint,
    /// Their names, rows and hashes.
    pub files: Vec<(String, Option<u64>, Written)>,
}

impl Run<'_> {
    /// Makes the files of a mixture. What was made by a run that was stopped is found again.
    pub async fn stage_mixture(&self, stage: &str, mixture: &MixturePlan, fingerprint: Fingerprint) -> Result<Staged> {
        let folder = self.layout.work().join("staging").join(&mixture.name).join(fingerprint.as_str());
        let shards = self.shards(stage, mixture).await?;
        let routed = self.route_mixture(stage, mixture, &fingerprint, &folder, &shards).await?;
        let files = folder.join("files");
        let names = shard_files(&shards);
        let units = (0u32..)
            .zip(&names)
            .map(|(number, name)| self.write_shard(stage, mixture, &fingerprint, &routed, number, files.join(name)));
        let written: Vec<(Option<u64>, Written)> =
            futures::stream::iter(units).buffered(self.threads).try_collect().await?;
        let entries = self.mixture_entries(stage, mixture).await?;
        let card = dataset_card(&mixture.name, &mixture.content, &shards, &entries);
        let card = write_whole(&files.join("README.md"), card.as_bytes())?;
        let shards = names.into_iter().zip(written).map(|(name, (rows, written))| (name, rows, written));
        let all = shards.chain([("README.md".to_owned(), None, card)]).collect();
        Ok(Staged { folder: files, fingerprint, files: all })
    }

    /// How many shards each split has, by the bytes that it will hold.
    async fn shards(&self, stage: &str, mixture: &MixturePlan) -> Result<Vec<SplitShards>> {
        let failed = |error| Error::from_plan(stage, error);
        let context = self.session.relational();
        let sizes = self.tables(&context).decisions(stage).await.map_err(failed)?;
        let sizes = sizes
            .filter(col("verdict").eq(lit("keep")))
            .and_then(|table| {
                table.aggregate(vec![col("split")], vec![sum(col("bytes") * col("copies")).alias("bytes")])
            })
            .map_err(failed)?;
        let batches = self.collect(stage, &context, sizes).await?;
        let mut bytes: BTreeMap<String, u64> = BTreeMap::new();
        for batch in &batches {
            let (splits, sizes) = (batch.column(0).as_string_view(), batch.column(1).as_primitive::<UInt64Type>());
            bytes.extend(splits.iter().flatten().map(str::to_owned).zip(sizes.values().iter().copied()));
        }
        let templates = mixture.content.templates().len() as u64;
        let mut shards = Vec::new();
        let mut first = 0;
        for split in SPLITS {
            let Some(bytes) = bytes.get(split) else { continue };
            let count = (bytes * templates).div_ceil(mixture.shard_bytes).max(1);
            let count = u32::try_from(count).expect("shards can be numbered");
            shards.push(SplitShards { split: split.to_owned(), first, count });
            first += count;
        }
        Ok(shards)
    }

    /// Gives every row its place, then takes the text of every file to its shard.
    async fn route_mixture(
        &self,
        stage: &str,
        mixture: &MixturePlan,
        fingerprint: &Fingerprint,
        staging: &Path,
        shards: &[SplitShards],
    ) -> Result<Vec<PathBuf>> {
        let places = staging.join("places.parquet");
        self.unit("staging", &format!("{}/places", mixture.name), fingerprint.clone(), async {
            let context = self.session.relational();
            let tables = self.tables(&context);
            let table = write::places(tables, &mixture.name, stage, &mixture.content, self.plan.seed, shards).await;
            let table = table.map_err(|error| Error::from_plan(stage, error))?;
            let publication = Publication::new(&places, &placed_schema());
            self.publish(stage, &context, table, vec![publication]).await
        })
        .await?;
        let sources: Vec<String> = mixture.weights.keys().cloned().collect();
        let units = self.parts_of(&sources).map(|(source, part)| {
            let path = staging.join("routed").join(source).join(format!("part-{part:05}.parquet"));
            let (places, publication) = (places.clone(), Publication::new(&path, &routed_schema(&mixture.content)));
            async move {
                let unit = format!("{}/routed/{source}/part-{part:05}", mixture.name);
                self.unit("staging", &unit, fingerprint.clone(), async {
                    let context = self.session.streaming();
                    let table = write::route(self.tables(&context), places, &mixture.content, source, part).await;
                    let table = table.map_err(|error| Error::from_plan(stage, error))?;
                    self.publish(stage, &context, table, vec![publication.grouped_by("shard")]).await
                })
                .await?;
                Ok::<_, Error>(path)
            }
        });
        futures::stream::iter(units.collect::<Vec<_>>()).buffered(self.threads).try_collect().await
    }

    async fn write_shard(
        &self,
        stage: &str,
        mixture: &MixturePlan,
        fingerprint: &Fingerprint,
        routed: &[PathBuf],
        number: u32,
        path: PathBuf,
    ) -> Result<(Option<u64>, Written)> {
        let unit = format!("{}/shard-{number:05}", mixture.name);
        let mark = self
            .unit("staging", &unit, fingerprint.clone(), async {
                let context = self.session.streaming();
                let table = write::shard(self.tables(&context), routed.to_vec(), &mixture.content, number).await;
                let table = table.map_err(|error| Error::from_plan(stage, error))?;
                let publication = Publication::new(&path, &mixture.content.schema());
                self.publish(stage, &context, table, vec![publication]).await
            })
            .await?;
        let file = mark.outputs.first().cloned().expect("a shard is one file");
        Ok((file.rows, Written { bytes: file.bytes, sha256: file.sha256 }))
    }
}
