//! Text of benchmarks, cut out of documents.
//!
//! Source: Brown et al. 2020 (GPT-3), appendix C.

use datafusion::{
    arrow::datatypes::DataType,
    error::Result,
    functions::core::expr_ext::FieldAccessor as _,
    functions_aggregate::expr_fn::count,
    logical_expr::{cast, when},
    prelude::{DataFrame, JoinType, col, lit},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    ContaminationCuts, CutText, Tables,
    verdict::{is_of, verdicts},
};
use crate::{files::Version, measure::Family};

/// What is cut of what stands in benchmarks, and how that is counted.
pub const VERSION: Version = Version::new("decide/decontaminate", 1);

/// What becomes of documents that share word n-grams with examples of benchmarks. The defaults are GPT-3's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DecontaminationRule {
    /// Fewest characters that stay between two cuts, or between a cut and an end of the document; what is shorter goes, too.
    pub min_piece: u32,
    /// A document that is cut in more places than this is dropped.
    pub max_cuts: u32,
    /// An n-gram that stands in more documents than this is common, and is left alone.
    pub max_documents: u64,
}

impl Default for DecontaminationRule {
    fn default() -> Self {
        Self { min_piece: 200, max_cuts: 10, max_documents: 10 }
    }
}

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

/// Cuts what documents share with benchmarks, and drops those of which nothing is left, or which fall into too many pieces.
///
/// - `common`: what [`common_ngrams`] gives
/// - returns: besides the usual columns the `cuts`, and how many `stretches` a document shares
///
/// # Errors
/// As for [`overlaps`].
pub async fn decontaminate(
    tables: Tables<'_>,
    before: &str,
    family: &Family,
    sources: &[String],
    common: Vec<u64>,
    rule: DecontaminationRule,
) -> Result<DataFrame> {
    let facts = tables.family(family, sources).await?.filter(col("overlaps").is_not_null())?;
    let contamination = CutText::Contamination(ContaminationCuts { common, min_piece: rule.min_piece });
    let found = contamination.of(vec![col("overlaps"), col("bytes"), col("characters")]);
    let facts =
        facts.select(vec![col("fact_id"), col("bytes").alias("all_bytes"), found.alias("found")])?.select(vec![
            col("fact_id"),
            col("all_bytes"),
            col("found").field("cuts").alias("all_cuts"),
            col("found").field("stretches").alias("stretches"),
        ])?;
    let documents = tables.kept(before).await?.join(facts, JoinType::Left, &["id"], &["fact_id"], None)?;
    let is_whole = CutText::Bytes.of(vec![col("all_cuts")]).eq(cast(col("all_bytes"), DataType::UInt64));
    // documents of other sources have no facts here, and so no cuts
    let is_lost = col("all_cuts").is_not_null().and(is_whole.or(col("stretches").gt(lit(rule.max_cuts))));
    let documents = documents
        .with_column("reason", when(is_lost, lit("contaminated")).end()?)?
        .with_column("cuts", when(col("reason").is_null(), col("all_cuts")).end()?)?;
    verdicts(documents, col("reason"), &["cuts", "stretches"])
}
