//! Which split a document is in.
//!
//! Near-duplicates go into one split, whether a step removes them or not. The split of a cluster is drawn; but where
//! the files of a task say which split its examples are in, that holds, and the most held-out of them for the whole group.

use std::collections::BTreeMap;

use datafusion::{
    error::Result,
    functions_aggregate::expr_fn::max,
    logical_expr::{Expr, when},
    prelude::{DataFrame, JoinType, coalesce, col, lit},
    scalar::ScalarValue,
};
use schemas::task::Split;
use serde::{Deserialize, Serialize};

use super::{Tables, functions::Chance};

/// How documents come into splits.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SplitRule {
    /// The recipe's seed.
    pub seed: u64,
    /// The share of groups that are for validation.
    pub validation: f64,
    /// The share of groups that are for testing.
    pub test: f64,
    /// For sources whose files say so: the split of each file, in the order of the files.
    pub declared: BTreeMap<String, Vec<Split>>,
}

/// Documents with their `split`, and whether they are `misplaced`: a file puts them into another split than a document that is like them.
///
/// - `documents`: with `id` and `source`
/// - `clustered`: whether clusters have been found
///
/// # Errors
/// When clusters or facts about records cannot be read.
pub async fn with_splits(
    tables: Tables<'_>,
    documents: DataFrame,
    clustered: bool,
    rule: &SplitRule,
) -> Result<DataFrame> {
    let mut documents = tables.with_groups(documents, "id", clustered).await?;
    let drawn = Chance::Split { seed: rule.seed, validation: rule.validation, test: rule.test };
    documents = documents.with_column("drawn", drawn.of(vec![col("group")]))?;
    if rule.declared.is_empty() {
        return documents.with_column("split", col("drawn"))?.with_column("misplaced", lit(false));
    }
    let sources: Vec<String> = rule.declared.keys().cloned().collect();
    let homes = tables.homes(&sources).await?.select(vec![col("home_id"), col("part")])?;
    documents = documents.join(homes, JoinType::Left, &["id"], &["home_id"], None)?;
    documents = documents.with_column("own", declared(rule)?)?;
    let held_out = documents
        .clone()
        .filter(col("own").is_not_null())?
        .aggregate(vec![col("group").alias("held_group")], vec![max(col("own")).alias("held")])?;
    documents = documents.join(held_out, JoinType::Left, &["group"], &["held_group"], None)?;
    let named = Split::ALL.into_iter().map(|split| (rank(split), split.name()));
    let mut cases = when(lit(false), lit(""));
    for (rank, name) in named {
        cases.when(col("held").eq(lit(rank)), lit(name));
    }
    documents
        .with_column("split", coalesce(vec![cases.end()?, col("drawn")]))?
        .with_column("misplaced", coalesce(vec![col("own").not_eq(col("held")), lit(false)]))
}

/// How far a split is from training.
fn rank(split: Split) -> u32 {
    match split {
        Split::Train => 0,
        Split::Validation => 1,
        Split::Test => 2,
    }
}

/// The rank of the split that a document's file names, null where it names none.
fn declared(rule: &SplitRule) -> Result<Expr> {
    let null = lit(ScalarValue::UInt32(None));
    let mut cases = when(lit(false), null.clone());
    for (source, splits) in &rule.declared {
        for (part, split) in (0u32..).zip(splits) {
            cases.when(col("source").eq(lit(source)).and(col("part").eq(lit(part))), lit(rank(*split)));
        }
    }
    cases.otherwise(null)
}
