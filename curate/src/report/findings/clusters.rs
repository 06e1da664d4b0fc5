//! Near-duplicates: how large their clusters are, and a few of them side by side.

use std::collections::{BTreeMap, BTreeSet};

use datafusion::{
    arrow::{
        array::AsArray as _,
        datatypes::{Int64Type, UInt32Type},
    },
    functions_aggregate::expr_fn::count,
    prelude::{col, lit},
};

use super::{
    draws::Draws,
    files::{RunFiles, rows},
};
use crate::{
    decide::ClusterAccount,
    error::{InStage as _, Result},
    files::read_json,
    text::draw::draw,
};

/// Clusters that are listed, at most.
const LARGEST: usize = 10;

/// Clusters of which two documents are compared: the largest, and some by chance.
const COMPARED: (usize, usize) = (4, 12);

/// Clusters of near-duplicates.
#[derive(Debug)]
pub struct Clusters {
    pub account: ClusterAccount,
    /// How many clusters there are of a size: a bin goes from `2^bin` documents to the next power of two.
    pub sizes: BTreeMap<u32, u64>,
    /// The largest clusters: an id, which `curate why` takes, and how many documents are in its cluster.
    pub largest: Vec<(String, u32)>,
    /// Pairs to look at.
    pub pairs: Vec<Pair>,
}

/// Two documents of one cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    pub members: u32,
    /// The smallest id of the cluster.
    pub first: String,
    /// Another one, drawn by hash.
    pub second: String,
}

impl Clusters {
    /// The clusters, if the run looked for them.
    pub async fn gather(files: &RunFiles) -> Result<Option<Self>> {
        if !files.layout.cluster_account().is_file() || !files.layout.clusters().is_file() {
            return Ok(None);
        }
        let account = read_json(&files.layout.cluster_account())?;
        let context = files.seeking();
        let table = files.tables(&context).clusters().await.in_stage("report")?;
        let roots = table.clone().filter(col("member").eq(col("cluster")));

        let mut sizes = BTreeMap::new();
        let by_size =
            roots.and_then(|table| table.aggregate(vec![col("members")], vec![count(lit(1)).alias("clusters")]));
        rows(by_size, |batch| {
            let members = batch.column(0).as_primitive::<UInt32Type>().values();
            let counts = batch.column(1).as_primitive::<Int64Type>().values();
            for (members, count) in members.iter().zip(counts) {
                *sizes.entry(members.max(&1).ilog2()).or_default() += count.cast_unsigned();
            }
        })
        .await?;

        let mut largest: BTreeSet<(std::cmp::Reverse<u32>, String)> = BTreeSet::new();
        let mut draws = Draws::new(files.manifest.seed, "report/clusters", COMPARED.1);
        rows(table.clone().filter(col("member").eq(col("cluster"))), |batch| {
            let (ids, members) = (batch.column(1).as_string_view(), batch.column(2).as_primitive::<UInt32Type>());
            for (id, members) in ids.iter().flatten().zip(members.values()) {
                draws.offer(id);
                let place = std::cmp::Reverse(*members);
                if largest.len() < LARGEST || largest.last().is_some_and(|(last, _)| place < *last) {
                    largest.insert((place, id.to_owned()));
                }
                if largest.len() > LARGEST {
                    largest.pop_last();
                }
            }
        })
        .await?;
        let largest: Vec<(String, u32)> = largest.into_iter().map(|(members, id)| (id, members.0)).collect();
        let compared = largest.iter().take(COMPARED.0).map(|(id, _)| id.as_str()).chain(draws.ids());
        let mut chosen: Vec<&str> = Vec::new();
        compared.for_each(|id| {
            if !chosen.contains(&id) {
                chosen.push(id);
            }
        });
        let pairs = pairs(table, &chosen, files.manifest.seed).await?;
        Ok(Some(Self { account, sizes, largest, pairs }))
    }
}

/// Each cluster's first document with another one.
async fn pairs(table: datafusion::prelude::DataFrame, clusters: &[&str], seed: u64) -> Result<Vec<Pair>> {
    let mut seconds: BTreeMap<String, (u64, String, u32)> = BTreeMap::new();
    if clusters.is_empty() {
        return Ok(Vec::new());
    }
    let wanted = col("cluster").in_list(clusters.iter().map(|id| lit(*id)).collect(), false);
    rows(table.filter(wanted.and(col("member").not_eq(col("cluster")))), |batch| {
        let (ids, clusters) = (batch.column(0).as_string_view(), batch.column(1).as_string_view());
        let members = batch.column(2).as_primitive::<UInt32Type>();
        for row in 0..batch.num_rows() {
            let (id, cluster) = (ids.value(row), clusters.value(row));
            let hash = draw(seed, "report/pair", id);
            if seconds.get(cluster).is_none_or(|(least, ..)| hash < *least) {
                seconds.insert(cluster.to_owned(), (hash, id.to_owned(), members.value(row)));
            }
        }
    })
    .await?;
    let pair = |cluster: &&str| {
        let (_, second, members) = seconds.get(*cluster)?.clone();
        Some(Pair { members, first: (*cluster).to_owned(), second })
    };
    Ok(clusters.iter().filter_map(pair).collect())
}
