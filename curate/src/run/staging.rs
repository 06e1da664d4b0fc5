//! Making the files of a mixture, aside from where they will stand: places, routed text, shards.

use std::{
    collections::BTreeMap,
    ops::Range,
    path::{Path, PathBuf},
};

use datafusion::{
    arrow::{array::AsArray as _, datatypes::UInt64Type},
    functions_aggregate::expr_fn::sum,
    prelude::{col, lit},
};
use futures::{StreamExt as _, TryStreamExt as _};

use super::context::{Origin, Run};
use crate::{
    decide::SplitShards,
    error::{Error, Result},
    files::{Inputs, Publication, Written, write_whole},
    recipe::MixturePlan,
    write::{
        self, CardFacts, Content, Rendering, Route, SplitSize, dataset_card, placed_schema, pool_schema, routed_schema,
        split_files, versions,
    },
};

/// The splits in the order in which their files are numbered.
const SPLITS: [&str; 3] = ["train", "validation", "test"];

/// A mixture whose files are made, and do not stand in their place yet.
pub struct Staged {
    /// Where they stand.
    pub folder: PathBuf,
    /// What they follow from.
    pub origin: Origin,
    /// Their names, rows and hashes.
    pub files: Vec<(String, Option<u64>, Written)>,
}

/// Buckets of a shard, at most: each is a row group in every file that is routed.
const MOST_BUCKETS: u32 = 256;

/// A mixture that is being made.
#[derive(Clone, Copy)]
struct Staging<'s> {
    stage: &'s str,
    mixture: &'s MixturePlan,
    origin: &'s Origin,
    inputs: &'s Inputs,
    /// Where its files are made.
    folder: &'s Path,
}

/// How a mixture is divided.
struct Sharding {
    shards: Vec<SplitShards>,
    /// Stretches of the order in each shard, which are sorted one after the other.
    buckets: u32,
}

/// The buckets of shards, numbered through like those.
fn in_buckets(shards: &[SplitShards], buckets: u32) -> Vec<SplitShards> {
    let scaled = |SplitShards { split, first, count }: &SplitShards| SplitShards {
        split: split.clone(),
        first: first * buckets,
        count: count * buckets,
    };
    shards.iter().map(scaled).collect()
}

impl Run<'_> {
    /// Makes the files of a mixture. What was made by a run that was stopped is found again.
    pub async fn stage_mixture(
        &self,
        stage: &str,
        mixture: &MixturePlan,
        origin: Origin,
        inputs: &Inputs,
    ) -> Result<Staged> {
        self.verify(&inputs.files())?;
        let Sharding { shards, buckets } = self.sharding(stage, mixture, inputs).await?;
        // what was routed to other buckets is of no use
        let work = self.fingerprint(versions::PLACES, &[], &(origin.fingerprint.as_str(), buckets));
        let folder = self.layout.work().join("staging").join(&mixture.name).join(work.as_str());
        inputs.own(&folder);
        let work = origin.with(work);
        let staging = Staging { stage, mixture, origin: &work, inputs, folder: &folder };
        let routed = self.route_mixture(&staging, &in_buckets(&shards, buckets)).await?;
        // before any shard is made of them: units run side by side
        self.verify(&routed)?;
        let files = folder.join("files");
        let names: Vec<String> = split_files(&shards).into_iter().map(|(_, name)| name).collect();
        let units = (0u32..).zip(&names).map(|(number, name)| {
            let own = number * buckets..(number + 1) * buckets;
            self.write_shard(&staging, &routed, own, files.join(name))
        });
        let written: Vec<(Option<u64>, Written)> =
            futures::stream::iter(units).buffered(self.threads).try_collect().await?;
        let entries = self.mixture_entries(stage, mixture, inputs).await?;
        let mut sizes: BTreeMap<String, SplitSize> = BTreeMap::new();
        for (split, name) in split_files(&shards) {
            sizes.entry(split).or_default().add(&files.join(name))?;
        }
        let facts = CardFacts {
            name: &mixture.name,
            content: &mixture.content,
            shards: &shards,
            entries: &entries,
            account: &self.read_made(&self.layout.mixture_account(&mixture.name))?,
            licences: &self.plan.licences,
            sizes: &sizes,
        };
        let card = dataset_card(&facts);
        let card = write_whole(&files.join("README.md"), card.as_bytes())?;
        let shards = names.into_iter().zip(written).map(|(name, (rows, written))| (name, rows, written));
        let all = shards.chain([("README.md".to_owned(), None, card)]).collect();
        Ok(Staged { folder: files, origin, files: all })
    }

    /// How many shards each split has, by the bytes that it will hold, and how many buckets a shard has, by the memory that there is.
    async fn sharding(&self, stage: &str, mixture: &MixturePlan, inputs: &Inputs) -> Result<Sharding> {
        let failed = |error| Error::from_plan(stage, error);
        let context = self.session.relational();
        let sizes = self.tables(&context, inputs).decisions(stage).await.map_err(failed)?;
        let sizes = sizes
            .filter(col("verdict").eq(lit("keep")))
            .and_then(|table| {
                let bytes = sum(col("bytes") * col("copies")).alias("bytes");
                table.aggregate(vec![col("split"), col("source")], vec![bytes])
            })
            .map_err(failed)?;
        let batches = self.collect(stage, &context, sizes).await?;
        let mut bytes: BTreeMap<String, u64> = BTreeMap::new();
        for batch in &batches {
            let sizes = batch.column(2).as_primitive::<UInt64Type>().values();
            let (splits, sources) = (batch.column(0).as_string_view(), batch.column(1).as_string_view());
            for ((split, source), size) in splits.iter().flatten().zip(sources.iter().flatten()).zip(sizes) {
                let rows = size * mixture.content.templates_of_copy(source) * mixture.content.growth();
                *bytes.entry(split.to_owned()).or_default() += rows;
            }
        }
        let mut shards = Vec::new();
        let mut first = 0;
        let mut largest = 0;
        for split in SPLITS {
            let Some(bytes) = bytes.get(split) else { continue };
            let count = bytes.div_ceil(mixture.shard_bytes).max(1);
            let count = u32::try_from(count).expect("shards can be numbered");
            shards.push(SplitShards { split: split.to_owned(), first, count });
            first += count;
            largest = largest.max(bytes / u64::from(count));
        }
        let held = (self.session.budget() / self.threads).max(1) as u64;
        let buckets = u32::try_from(largest.div_ceil(held)).unwrap_or(MOST_BUCKETS).clamp(1, MOST_BUCKETS);
        Ok(Sharding { shards, buckets })
    }

    /// Gives every row its place, then takes the text of every file to its shard.
    async fn route_mixture(&self, staging: &Staging<'_>, shards: &[SplitShards]) -> Result<Vec<PathBuf>> {
        let Staging { stage, mixture, origin, inputs, folder } = *staging;
        let places = folder.join("places.parquet");
        self.unit("staging", &format!("{}/places", mixture.name), origin, async {
            let context = self.session.relational();
            let tables = self.tables(&context, inputs);
            let table = write::places(tables, &mixture.name, stage, &mixture.content, self.plan.seed, shards).await;
            let table = table.map_err(|error| Error::from_plan(stage, error))?;
            let publication = Publication::new(&places, &placed_schema());
            self.publish(stage, &context, table, vec![publication]).await
        })
        .await?;
        self.verify(std::slice::from_ref(&places))?;
        let sources = mixture.weights.sources();
        let mut renderings = BTreeMap::new();
        for source in &sources {
            let rendering = self.rendering(staging, source).await?;
            renderings.insert(source.as_str(), rendering);
        }
        let units = self.parts_of(&sources).map(|(source, part)| {
            let path = folder.join("routed").join(source).join(format!("part-{part:05}.parquet"));
            let publication = Publication::new(&path, &routed_schema(&mixture.content));
            let rendering = renderings[source].clone();
            let route = Route { places: places.clone(), content: &mixture.content, rendering, source, part };
            async move {
                let unit = format!("{}/routed/{source}/part-{part:05}", mixture.name);
                self.unit("staging", &unit, origin, async {
                    let context = self.session.streaming();
                    let table = write::route(self.tables(&context, inputs), route).await;
                    let table = table.map_err(|error| Error::from_plan(stage, error))?;
                    self.publish(stage, &context, table, vec![publication.grouped_by("bucket")]).await
                })
                .await?;
                Ok::<_, Error>(path)
            }
        });
        futures::stream::iter(units.collect::<Vec<_>>()).buffered(self.threads).try_collect().await
    }

    /// How the examples of a source are put into words; nothing for plain text.
    async fn rendering(&self, staging: &Staging<'_>, source: &str) -> Result<Option<Rendering>> {
        let Staging { stage, mixture, origin, inputs, folder } = *staging;
        let Content::Examples(content) = &mixture.content else { return Ok(None) };
        let path = folder.join("pool").join(format!("{source}.parquet"));
        let shows = content.demonstrations.is_some() || content.negatives > 0;
        if shows {
            self.unit("staging", &format!("{}/pool/{source}", mixture.name), origin, async {
                let context = self.session.relational();
                let table = write::pool(self.tables(&context, inputs), stage, source, self.plan.seed).await;
                let table = table.map_err(|error| Error::from_plan(stage, error))?;
                self.publish(stage, &context, table, vec![Publication::new(&path, &pool_schema())]).await
            })
            .await?;
            self.verify(std::slice::from_ref(&path))?;
        }
        Ok(Some(Rendering {
            task: content.tasks[source].clone(),
            seed: self.plan.seed,
            mixture: mixture.name.clone(),
            demonstrations: content.demonstrations.clone(),
            negatives: content.negatives,
            pool: shows.then_some(path),
        }))
    }

    async fn write_shard(
        &self,
        staging: &Staging<'_>,
        routed: &[PathBuf],
        buckets: Range<u32>,
        path: PathBuf,
    ) -> Result<(Option<u64>, Written)> {
        let Staging { stage, mixture, origin, inputs, .. } = *staging;
        let unit = format!("{}/shard-{:05}-{:05}", mixture.name, buckets.start, buckets.end);
        let mark = self
            .unit("staging", &unit, origin, async {
                let context = self.session.streaming();
                let plan = write::shard(self.tables(&context, inputs), routed, &mixture.content, buckets).await;
                let plan = plan.map_err(|error| Error::from_plan(stage, error))?;
                let publication = Publication::new(&path, &mixture.content.schema());
                self.publish_plan(stage, &context, plan, vec![publication]).await
            })
            .await?;
        // a shard of a run that was stopped goes into the mixture as it lies there, unread
        self.verify(std::slice::from_ref(&path))?;
        let file = mark.outputs.first().cloned().expect("a shard is one file");
        Ok((file.rows, Written { bytes: file.bytes, sha256: file.sha256 }))
    }
}
