//! Documents that repeat others.

use datafusion::{
    arrow::datatypes::DataType,
    error::Result,
    functions_aggregate::expr_fn::min,
    logical_expr::{Expr, cast, when},
    prelude::{DataFrame, JoinType, col, lit},
    scalar::ScalarValue,
};

use super::{
    Tables,
    verdict::{among, is_of, verdicts},
};
use crate::measure::Family;

/// Drops documents whose normal form another has, too; of those that are alike, the one with the smallest id stays.
///
/// A document without a letter or digit repeats none. `repeats` names the document that stays.
///
/// # Errors
/// When the facts or the decisions cannot be read.
pub async fn exact_duplicates(
    tables: Tables<'_>,
    before: &str,
    fingerprints: &Family,
    sources: &[String],
) -> Result<DataFrame> {
    let facts = tables.family(fingerprints, sources).await?;
    let joined = tables.kept(before).await?.join(facts, JoinType::Left, &["id"], &["fact_id"], None)?;
    first_of_each(joined, col("text_hash"), "same_text", sources, &["repeats"])
}

/// Drops documents that are in one cluster with another; the one with the smallest id stays.
///
/// `cluster` names the cluster, also of the document that stays; `repeats` names that document.
///
/// # Errors
/// When the clusters or the decisions cannot be read.
pub async fn near_duplicates(tables: Tables<'_>, before: &str, sources: &[String]) -> Result<DataFrame> {
    let joined =
        tables.kept(before).await?.join(tables.clusters().await?, JoinType::Left, &["id"], &["member"], None)?;
    first_of_each(joined, col("cluster"), "near_duplicate", sources, &["cluster", "repeats"])
}

/// Keeps the document with the smallest id of each group, and those in none.
fn first_of_each(
    documents: DataFrame,
    group: Expr,
    reason: &str,
    sources: &[String],
    shown: &[&str],
) -> Result<DataFrame> {
    // documents of other sources form no group: they neither drop nor are dropped
    let group = when(is_of(sources), group).end()?;
    let grouped = documents.with_column("group", group)?;
    let firsts = grouped
        .clone()
        .filter(col("group").is_not_null())?
        .aggregate(vec![col("group").alias("of_group")], vec![min(col("id")).alias("first")])?;
    let with_first = grouped.join(firsts, JoinType::Left, &["group"], &["of_group"], None)?;
    let repeated = col("first").not_eq(col("id"));
    let repeats = when(repeated.clone(), col("first")).otherwise(lit(ScalarValue::Utf8View(None)))?;
    let with_repeats = with_first.with_column("repeats", cast(repeats, DataType::Utf8View))?;
    verdicts(with_repeats, among(sources, when(repeated, lit(reason)).end()?)?, shown)
}
