//! Deduplication: of documents with one text, one URL or in one cluster, one stays.

use datafusion::{
    arrow::datatypes::DataType,
    error::Result,
    functions_aggregate::expr_fn::{count, first_value, min},
    logical_expr::{Expr, SortExpr, cast, when},
    prelude::{DataFrame, JoinType, coalesce, col, lit},
    scalar::ScalarValue,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Tables,
    index::known,
    verdict::{among, is_of, verdicts},
};
use crate::{measure::Family, text::sameness::Sameness};

/// Which of several duplicates is kept.
pub const VERSION: crate::files::Version = crate::files::Version::new("decide/duplicates", 1);

/// Which of several duplicates stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeepPolicy {
    /// The one with the smallest id: as good as chance, and always the same.
    #[default]
    SmallestId,
    /// The one whose text has the most bytes.
    Longest,
    /// The one that was captured first, as far as dates are known.
    Earliest,
    /// The one that was captured last.
    Latest,
    /// The one that this classifier gives the highest score.
    Score(String),
}

/// Which of several duplicates stays. Among equals, the one with the smallest id.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct DuplicateRule {
    /// Which one stays.
    pub keep: KeepPolicy,
    /// Sources that come before others, and before each other in this order, whatever `keep` says.
    pub prefer: Vec<String>,
    /// Drop what duplicates a document of these sources, and nothing else.
    pub against: Vec<String>,
}

/// By what documents are duplicates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DedupKey {
    /// The text.
    Text(Sameness),
    /// The URL.
    Url,
    /// The cluster.
    Cluster,
}

impl DedupKey {
    /// Why a document is dropped: as a duplicate of one of its step, or of one of another corpus.
    fn reasons(self) -> (&'static str, &'static str) {
        match self {
            Self::Text(Sameness::Exact) => ("same_text", "text_of_other_source"),
            Self::Text(Sameness::Normalized) => ("same_normalized_text", "normalized_text_of_other_source"),
            Self::Url => ("same_url", "url_of_other_source"),
            Self::Cluster => ("near_duplicate", "near_duplicate_of_other_source"),
        }
    }
}

/// Facts that deduplication may need.
#[derive(Debug, Clone, Copy, Default)]
pub struct DuplicateFacts<'a> {
    /// Hashes of the forms in which texts are compared, for [`DedupKey::Text`].
    pub fingerprints: Option<&'a Family>,
    /// Sizes of texts, for [`KeepPolicy::Longest`].
    pub words: Option<&'a Family>,
    /// Scores, for [`KeepPolicy::Score`].
    pub score: Option<&'a Family>,
}

/// Drops all but one of several duplicates, or what duplicates documents of other sources.
///
/// `repeats` names the document for which one is dropped; `size` says how many there are, also for the one that stays; `cluster`
/// names their cluster, which may reach beyond what the step is about. A document of which nothing is left in the form in which it is
/// compared is like none, and neither is one without a URL.
///
/// # Errors
/// When the facts or the decisions cannot be read.
pub async fn duplicates(
    tables: Tables<'_>,
    before: &str,
    key: DedupKey,
    rule: &DuplicateRule,
    facts: DuplicateFacts<'_>,
    sources: &[String],
) -> Result<DataFrame> {
    let all: Vec<String> = sources.iter().chain(&rule.against).cloned().collect();
    let mut documents = tables.kept(before).await?;
    let group = match key {
        DedupKey::Cluster => {
            documents = documents.join(tables.clusters().await?, JoinType::Left, &["id"], &["member"], None)?;
            "cluster"
        }
        DedupKey::Text(_) => {
            let hashes = tables.family(wanted(facts.fingerprints, "fingerprints")?, &all).await?;
            documents = documents.join(hashes, JoinType::Left, &["id"], &["fact_id"], None)?;
            "text_hash"
        }
        DedupKey::Url => "url",
    };
    if reads_captures(key, &rule.keep) {
        documents = documents.join(tables.captures(&all).await?, JoinType::Left, &["id"], &["fact_id"], None)?;
    }
    let (order, family) = match &rule.keep {
        KeepPolicy::SmallestId => (None, None),
        KeepPolicy::Earliest => (Some(col("date").sort(true, false)), None),
        KeepPolicy::Latest => (Some(col("date").sort(false, false)), None),
        KeepPolicy::Longest => (Some(col("bytes").sort(false, false)), Some(wanted(facts.words, "words")?)),
        KeepPolicy::Score(_) => (Some(col("score").sort(false, false)), Some(wanted(facts.score, "score")?)),
    };
    if let Some(family) = family {
        let keys = tables.family(family, &all).await?.select(vec![
            col("fact_id").alias("key_id"),
            col(if family.name == "words" { "bytes" } else { "score" }),
        ])?;
        documents = documents.join(keys, JoinType::Left, &["id"], &["key_id"], None)?;
    }
    // documents of other sources form no group: they neither drop nor are dropped
    let grouped = documents.with_column("group", when(is_of(&all), col(group)).end()?)?;
    let before_others = if rule.against.is_empty() { lit(true) } else { is_of(&rule.against) };
    let first = match (order, rule.prefer.is_empty()) {
        (None, true) => min(col("id")),
        (order, _) => {
            let order = [preference(&rule.prefer)?].into_iter().chain(order).chain([col("id").sort(true, false)]);
            first_value(col("id"), order.collect())
        }
    };
    let firsts = grouped
        .clone()
        .filter(col("group").is_not_null().and(before_others))?
        .aggregate(vec![col("group").alias("of_group")], vec![first.alias("first"), count(lit(1)).alias("size")])?;
    let with_first = grouped.join(firsts, JoinType::Left, &["group"], &["of_group"], None)?;
    let (own, other) = key.reasons();
    let (repeated, reason) = match rule.against.as_slice() {
        [] => (col("first").not_eq(col("id")), own),
        against => (col("first").is_not_null().and(!is_of(against)), other),
    };
    let nothing = || lit(ScalarValue::Utf8View(None));
    let repeats = when(repeated.clone(), col("first")).otherwise(nothing())?;
    let reason = when(repeated, lit(reason)).otherwise(lit(ScalarValue::Utf8(None)))?;
    let (with_first, reason, repeats) = if key == DedupKey::Cluster && !tables.indexes.is_empty() {
        let with_known = with_known(tables, with_first).await?;
        let known = || col("known").is_not_null();
        let reason = when(known(), lit("near_duplicate_of_index")).otherwise(reason)?;
        (with_known, reason, when(known(), col("known")).otherwise(repeats)?)
    } else {
        (with_first, reason, repeats)
    };
    let shown = with_first
        .with_column("repeats", cast(repeats, DataType::Utf8View))?
        .with_column("size", cast(col("size"), DataType::UInt64))?;
    let columns: &[&str] =
        if key == DedupKey::Cluster { &["cluster", "size", "repeats"] } else { &["size", "repeats"] };
    verdicts(shown, among(sources, reason)?, columns)
}

/// Whether such a step reads where and when documents were captured.
fn reads_captures(key: DedupKey, keep: &KeepPolicy) -> bool {
    key == DedupKey::Url || matches!(keep, KeepPolicy::Earliest | KeepPolicy::Latest)
}

/// Documents with the id of one that an index has and that they are like, as `known`.
async fn with_known(tables: Tables<'_>, documents: DataFrame) -> Result<DataFrame> {
    let clusters = tables.clusters().await?.select(vec![col("member"), col("cluster").alias("known_cluster")])?;
    let in_cluster = clusters
        .join(known(tables).await?, JoinType::Inner, &["member"], &["known_id"], None)?
        .aggregate(vec![col("known_cluster")], vec![min(col("member")).alias("first_known")])?;
    documents
        .join(in_cluster, JoinType::Left, &["cluster"], &["known_cluster"], None)?
        // the same record needs no cluster
        .join(known(tables).await?, JoinType::Left, &["id"], &["known_id"], None)?
        .with_column("known", coalesce(vec![col("known_id"), col("first_known")]))
}

/// Sources that are preferred come first, in their order.
fn preference(prefer: &[String]) -> Result<SortExpr> {
    let Some((first, rest)) = prefer.split_first() else { return Ok(lit(0i64).sort(true, false)) };
    let mut place = when(col("source").eq(lit(first)), lit(0i64));
    for (number, source) in (1i64..).zip(rest) {
        place.when(col("source").eq(lit(source)), lit(number));
    }
    let place: Expr = place.otherwise(lit(i64::MAX))?;
    Ok(place.sort(true, false))
}

fn wanted<'a>(family: Option<&'a Family>, name: &str) -> Result<&'a Family> {
    family.ok_or_else(|| {
        datafusion::common::internal_datafusion_err!("the step reads the facts `{name}`, which are not there")
    })
}
