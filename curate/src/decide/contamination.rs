//! What documents share with benchmarks, and what was found of each.

use datafusion::{
    error::Result,
    functions::core::expr_ext::FieldAccessor as _,
    functions_aggregate::expr_fn::count,
    prelude::{DataFrame, JoinType, col, lit},
};
use serde::{Deserialize, Serialize};

use super::{DecontaminationRule, Tables, verdict::is_of};
use crate::measure::Family;

/// What was found of a benchmark.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct BenchmarkAccount {
    /// The benchmark.
    pub benchmark: String,
    /// Examples in its files.
    pub examples: u64,
    /// Examples with too few words for an n-gram.
    pub short: u64,
    /// Examples of which an n-gram was cut out of a document.
    pub found: u64,
    /// Of those, examples of which every n-gram was found.
    pub whole: u64,
    /// Examples of which common n-grams alone were found, which were left alone.
    pub common: u64,
    /// Documents that share an n-gram with it. What several benchmarks have counts for the first.
    pub documents: u64,
    /// Bytes that its n-grams, with what stands around them, took or would have taken from documents.
    pub bytes: u64,
}

impl BenchmarkAccount {
    /// Whether no example was looked for, since all have too few words.
    #[must_use]
    pub fn is_all_short(&self) -> bool {
        self.examples > 0 && self.short == self.examples
    }
}

/// What was found of all benchmarks.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Contamination {
    /// The step.
    pub stage: String,
    /// N-grams that stand in so many documents that they were left alone.
    #[serde(rename = "common_runs")]
    pub common_ngrams: u64,
    /// The benchmarks, in the order of their names.
    pub benchmarks: Vec<BenchmarkAccount>,
}

/// The overlaps of the documents of `sources` that `before` kept: `id` and `overlaps`, where there are any.
///
/// # Errors
/// When the decisions or the facts cannot be read.
pub async fn overlaps(tables: Tables<'_>, before: &str, family: &Family, sources: &[String]) -> Result<DataFrame> {
    let facts = tables.family(family, sources).await?.filter(col("overlaps").is_not_null())?;
    let kept = tables.kept(before).await?.filter(is_of(sources))?.select_columns(&["id"])?;
    kept.join(facts, JoinType::Inner, &["id"], &["fact_id"], None)?.select_columns(&["id", "overlaps"])
}

/// The n-grams of those documents that stand in more of them than the rule allows: `run`, sorted.
///
/// # Errors
/// As for [`overlaps`].
pub async fn common_ngrams(
    tables: Tables<'_>,
    before: &str,
    family: &Family,
    sources: &[String],
    rule: DecontaminationRule,
) -> Result<DataFrame> {
    let most = i64::try_from(rule.max_documents).unwrap_or(i64::MAX);
    overlaps(tables, before, family, sources)
        .await?
        .unnest_columns(&["overlaps"])?
        .select(vec![col("id"), col("overlaps").field("run").alias("run")])?
        .distinct()?
        .aggregate(vec![col("run")], vec![count(lit(1)).alias("documents")])?
        .filter(col("documents").gt(lit(most)))?
        .select_columns(&["run"])?
        .sort(vec![col("run").sort(true, false)])
}
