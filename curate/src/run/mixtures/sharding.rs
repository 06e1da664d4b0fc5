//! How a mixture is divided: into shards by the bytes that they will hold, and these into buckets by the memory that there is.

use std::{collections::BTreeMap, ops::Range};

use datafusion::{
    arrow::{array::AsArray as _, datatypes::UInt64Type},
    functions_aggregate::expr_fn::sum,
    logical_expr::when,
    prelude::{col, lit},
};
use schemas::task::Split;

use super::stage::MixtureStage;
use crate::{
    decide::SplitShards,
    error::{InStage as _, Result},
    files::Inputs,
};

/// Buckets of a shard, at most: each is a row group in every file that is routed.
const MOST_BUCKETS: u32 = 256;

/// How a mixture is divided.
pub struct Sharding {
    pub shards: Vec<SplitShards>,
    /// Stretches of the order in each shard, which are sorted one after the other.
    pub buckets: u32,
}

impl Sharding {
    /// Divides a mixture by its verdicts.
    pub async fn of(stage: &MixtureStage<'_>, inputs: &Inputs) -> Result<Self> {
        let bytes = bytes_by_split(stage, inputs).await?;
        let mut shards = Vec::new();
        let mut first = 0;
        let mut largest = 0;
        for split in Split::ALL.map(Split::name) {
            let Some(bytes) = bytes.get(split) else { continue };
            let count = bytes.div_ceil(stage.mixture.shard_bytes).max(1);
            let count = u32::try_from(count).expect("shards can be numbered");
            shards.push(SplitShards { split: split.to_owned(), first, count });
            first += count;
            largest = largest.max(bytes / u64::from(count));
        }
        let held = (stage.run.session.budget() / stage.run.threads).max(1) as u64;
        let buckets = u32::try_from(largest.div_ceil(held)).unwrap_or(MOST_BUCKETS).clamp(1, MOST_BUCKETS);
        Ok(Self { shards, buckets })
    }

    /// All buckets, numbered through like the shards.
    pub fn in_buckets(&self) -> Vec<SplitShards> {
        let scaled = |SplitShards { split, first, count }: &SplitShards| SplitShards {
            split: split.clone(),
            first: first * self.buckets,
            count: count * self.buckets,
        };
        self.shards.iter().map(scaled).collect()
    }

    /// The buckets of a shard.
    pub fn buckets_of(&self, shard: u32) -> Range<u32> {
        shard * self.buckets..(shard + 1) * self.buckets
    }
}

/// Bytes of text that each split will hold, as far as verdicts can tell.
async fn bytes_by_split(stage: &MixtureStage<'_>, inputs: &Inputs) -> Result<BTreeMap<String, u64>> {
    let MixtureStage { run, mixture, name } = stage;
    let context = run.session.relational();
    let sizes = run
        .tables(&context, inputs)
        .decisions(name)
        .await
        .and_then(|table| table.filter(col("verdict").eq(lit("keep"))))
        .and_then(|table| {
            let own = match mixture.content.most_bytes() {
                Some(most) => when(col("bytes").gt(lit(most)), lit(most)).otherwise(col("bytes"))?,
                None => col("bytes"),
            };
            let bytes = sum(own * col("copies")).alias("bytes");
            table.aggregate(vec![col("split"), col("source")], vec![bytes])
        })
        .in_stage(name)?;
    let mut bytes: BTreeMap<String, u64> = BTreeMap::new();
    for batch in run.collect(name, &context, sizes).await? {
        let sizes = batch.column(2).as_primitive::<UInt64Type>().values();
        let (splits, sources) = (batch.column(0).as_string_view(), batch.column(1).as_string_view());
        for ((split, source), size) in splits.iter().flatten().zip(sources.iter().flatten()).zip(sizes) {
            let rows = size * mixture.content.templates_of_copy(source) * mixture.content.growth();
            *bytes.entry(split.to_owned()).or_default() += rows;
        }
    }
    Ok(bytes)
}
