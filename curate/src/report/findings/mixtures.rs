//! What each source gives to a mixture, as it was asked for and as it came.

use std::collections::BTreeMap;

use datafusion::{
    arrow::{array::AsArray as _, datatypes::UInt64Type},
    functions_aggregate::expr_fn::sum,
    prelude::{col, lit},
};

use super::files::{RunFiles, rows};
use crate::error::Result;

/// What each source gives to the training split of a mixture.
#[derive(Debug)]
pub struct Mixture {
    pub name: String,
    pub shares: Vec<Share>,
}

/// What one source gives.
#[derive(Debug, Clone, PartialEq)]
pub struct Share {
    pub source: String,
    /// The share that was asked for, where weights were given.
    pub asked: Option<f64>,
    /// Bytes in training, with repeats.
    pub bytes: u64,
}

impl Mixture {
    /// The mixtures that the ledger has rows of.
    pub async fn gather(files: &RunFiles) -> Result<Vec<Self>> {
        let mut names: Vec<&str> = files.ledger.mixtures.iter().map(|entry| entry.mixture.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        let mut mixtures = Vec::new();
        for name in names {
            mixtures.push(mixture(files, name).await?);
        }
        Ok(mixtures)
    }
}

async fn mixture(files: &RunFiles, name: &str) -> Result<Mixture> {
    let mut bytes: BTreeMap<String, u64> = BTreeMap::new();
    let stage = format!("mixture-{name}");
    if files.layout.decisions(&stage).is_file() {
        let context = files.relational();
        let sizes = files
            .tables(&context)
            .decisions(&stage)
            .await
            .and_then(|table| table.filter(col("verdict").not_eq(lit("drop")).and(col("split").eq(lit("train")))))
            .and_then(|table| {
                table.aggregate(vec![col("source")], vec![sum(col("bytes") * col("copies")).alias("bytes")])
            });
        rows(sizes, |batch| {
            let (sources, sums) = (batch.column(0).as_string_view(), batch.column(1).as_primitive::<UInt64Type>());
            bytes.extend(sources.iter().flatten().map(str::to_owned).zip(sums.values().iter().copied()));
        })
        .await?;
    }
    let weights = files.manifest.recipe["mixture"][name]["weights"].as_object();
    let weight = |source: &str| weights.and_then(|weights| weights.get(source)).and_then(serde_json::Value::as_f64);
    let whole: f64 =
        weights.into_iter().flat_map(|weights| weights.values()).filter_map(serde_json::Value::as_f64).sum();
    let mut sources: Vec<&str> = weights.into_iter().flat_map(|weights| weights.keys()).map(String::as_str).collect();
    sources.extend(bytes.keys().map(String::as_str).filter(|source| weight(source).is_none()));
    sources.sort_unstable();
    sources.dedup();
    let share = |source: &str| Share {
        source: source.to_owned(),
        asked: weight(source).map(|weight| weight / whole),
        bytes: bytes.get(source).copied().unwrap_or_default(),
    };
    Ok(Mixture { name: name.to_owned(), shares: sources.into_iter().map(share).collect() })
}
