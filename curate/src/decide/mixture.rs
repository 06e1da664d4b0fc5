//! Which documents go into a mixture, how often, and into which split.
//!
//! Weights are shares of a budget. A source whose share is larger than what it has is repeated, up to the recipe's limit;
//! one whose share is smaller gives the documents whose draws come first, as long as their sizes fit. Documents for
//! validation and testing go in once each, whatever the weights.

use std::collections::BTreeMap;

use datafusion::{
    arrow::{
        array::AsArray,
        datatypes::{DataType, UInt64Type},
    },
    common::internal_datafusion_err,
    error::Result,
    functions_aggregate::{count::count_all, expr_fn::sum, sum::sum_udaf},
    logical_expr::{Expr, ExprFunctionExt as _, WindowFrame, WindowFrameBound, WindowFrameUnits, cast, when},
    prelude::{DataFrame, JoinType, coalesce, col, lit},
    scalar::ScalarValue,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Tables,
    functions::Chance,
    verdict::{is_of, over_rows, verdicts},
};
use crate::measure::Family;

/// What budgets are counted in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Bytes of UTF-8.
    #[default]
    Bytes,
    /// Words.
    Words,
}

impl Unit {
    fn column(self) -> &'static str {
        match self {
            Self::Bytes => "bytes",
            Self::Words => "words",
        }
    }
}

/// A mixture's rule: its sources with their weights, and how much of them it takes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MixtureRule {
    /// The mixture's name.
    pub name: String,
    /// The recipe's seed.
    pub seed: u64,
    /// Each source's share of the budget; the shares add up to 1.
    pub weights: BTreeMap<String, f64>,
    /// What sizes are counted in.
    pub unit: Unit,
    /// The size of the training split; none for as much as the limit on epochs allows.
    pub budget: Option<u64>,
    /// How often a document may be repeated, 1 or more.
    pub max_epochs: f64,
    /// The share of groups that are for validation.
    pub validation: f64,
    /// The share of groups that are for testing.
    pub test: f64,
}

/// What a source has in a split: documents, bytes, and the size in the budget's unit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Documents.
    pub documents: u64,
    /// Bytes of text.
    pub bytes: u64,
    /// In the budget's unit.
    pub size: u64,
}

/// How much of a source's training split is taken.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Share {
    /// How often every document is taken.
    pub epochs: u64,
    /// The size of what is taken once more.
    pub remainder: u64,
    /// What was asked for, in the budget's unit.
    pub asked: u64,
}

/// What each source gives.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Budget {
    /// The share of each source.
    pub shares: BTreeMap<String, Share>,
}

impl Budget {
    /// Divides the budget by weight. A share is cut off at the limit on epochs.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "sizes are far below 2^53")]
    pub fn divide(rule: &MixtureRule, sizes: &BTreeMap<String, u64>) -> Self {
        let most = |source: &String| sizes.get(source).copied().unwrap_or_default() as f64 * rule.max_epochs;
        let whole = rule.budget.map_or_else(
            // the largest whole of which no source has to give more than it may
            || rule.weights.iter().map(|(source, weight)| most(source) / weight).fold(f64::INFINITY, f64::min),
            |budget| budget as f64,
        );
        let share = |(source, weight): (&String, &f64)| {
            let size = sizes.get(source).copied().unwrap_or_default();
            let asked = (whole * weight).round() as u64;
            let given = asked.min(most(source).round() as u64);
            let epochs = given.checked_div(size).unwrap_or_default();
            (source.clone(), Share { epochs, remainder: given - epochs * size, asked })
        };
        Self { shares: rule.weights.iter().map(share).collect() }
    }
}

/// The documents that `before` kept of the mixture's sources, with `size`, `bytes` and `split`.
async fn candidates(
    tables: Tables<'_>,
    before: &str,
    words: &Family,
    clustered: bool,
    rule: &MixtureRule,
) -> Result<DataFrame> {
    let sources: Vec<String> = rule.weights.keys().cloned().collect();
    let measured = match tables.remains {
        // what was cut has another size
        Some(stage) => tables.decisions(stage).await?.with_column_renamed("id", "fact_id")?,
        None => tables.family(words, &sources).await?,
    };
    let sizes = measured.select(vec![col("fact_id"), col("bytes"), col(rule.unit.column()).alias("size")])?;
    let mut documents = tables.kept(before).await?.filter(is_of(&sources))?.join(
        sizes,
        JoinType::Inner,
        &["id"],
        &["fact_id"],
        None,
    )?;
    // what is alike goes into one split, also where removal did not reach it
    let mut group = col("id");
    if clustered {
        documents = documents.join(tables.clusters().await?, JoinType::Left, &["id"], &["member"], None)?;
        group = coalesce(vec![col("cluster"), col("id")]);
    }
    let split = Chance::Split { seed: rule.seed, validation: rule.validation, test: rule.test }.of(vec![group]);
    documents.select(vec![col("id"), col("source"), col("bytes"), col("size"), split.alias("split")])
}

/// What each source has in each split, as a table: `source`, `split`, `documents`, `bytes`, `size`.
///
/// # Errors
/// When the facts or the decisions cannot be read.
pub async fn totals(
    tables: Tables<'_>,
    before: &str,
    words: &Family,
    clustered: bool,
    rule: &MixtureRule,
) -> Result<DataFrame> {
    candidates(tables, before, words, clustered, rule)
        .await?
        .aggregate(
            vec![col("source"), col("split")],
            vec![
                cast(count_all(), DataType::UInt64).alias("documents"),
                sum(col("bytes")).alias("bytes"),
                sum(col("size")).alias("size"),
            ],
        )?
        .sort(vec![col("source").sort(true, false), col("split").sort(true, false)])
}

impl Totals {
    /// The rows of [`totals`], by split and source.
    ///
    /// # Errors
    /// When they are not those of [`totals`].
    pub fn collect(batches: &[datafusion::arrow::array::RecordBatch]) -> Result<BTreeMap<(String, String), Self>> {
        let mut all = BTreeMap::new();
        for batch in batches {
            let column =
                |name: &str| batch.column_by_name(name).ok_or_else(|| internal_datafusion_err!("no column `{name}`"));
            let (sources, splits) = (column("source")?.as_string_view(), column("split")?.as_string_view());
            let numbers = |name: &str| column(name).map(AsArray::as_primitive::<UInt64Type>);
            let (documents, bytes, sizes) = (numbers("documents")?, numbers("bytes")?, numbers("size")?);
            for row in 0..batch.num_rows() {
                let totals = Self { documents: documents.value(row), bytes: bytes.value(row), size: sizes.value(row) };
                all.insert((splits.value(row).to_owned(), sources.value(row).to_owned()), totals);
            }
        }
        Ok(all)
    }
}

/// The verdicts of a mixture: `split`, `copies` and `bytes` besides the usual columns. What is taken no time was over budget.
///
/// # Errors
/// When the facts or the decisions cannot be read.
pub async fn mixture(
    tables: Tables<'_>,
    before: &str,
    words: &Family,
    clustered: bool,
    rule: &MixtureRule,
    budget: &Budget,
) -> Result<DataFrame> {
    let documents = candidates(tables, before, words, clustered, rule).await?;
    let draw = Chance::Bits { seed: rule.seed, purpose: format!("budget/{}", rule.name) }.of(vec![col("id")]);
    let drawn = documents.with_column("draw", draw)?;
    let running = running_size()?;
    let counted = drawn.with_column("running", running)?;

    let number = |value: u64| lit(ScalarValue::UInt64(Some(value)));
    let by_source = |pick: fn(&Share) -> u64| -> Result<Expr> {
        let mut shares = budget.shares.iter();
        let Some((first, share)) = shares.next() else { return Ok(number(0)) };
        let mut cases = when(col("source").eq(lit(first)), number(pick(share)));
        for (source, share) in shares {
            cases = cases.when(col("source").eq(lit(source)), number(pick(share)));
        }
        cases.otherwise(number(0))
    };
    let once_more = when(col("running").lt_eq(by_source(|share| share.remainder)?), number(1)).otherwise(number(0))?;
    let training = by_source(|share| share.epochs)? + once_more;
    let copies = when(col("split").eq(lit("train")), training).otherwise(number(1))?;
    let copied = counted.with_column("copies", cast(copies, DataType::UInt64))?;
    let reason = when(col("copies").eq(number(0)), lit("over_budget")).end()?;
    verdicts(copied, reason, &["split", "copies", "bytes"])
}

/// The size of a document and of all that come before it in the draw, within its source and split.
fn running_size() -> Result<Expr> {
    let frame = WindowFrame::new_bounds(
        WindowFrameUnits::Rows,
        WindowFrameBound::Preceding(ScalarValue::UInt64(None)),
        WindowFrameBound::CurrentRow,
    );
    over_rows(sum_udaf(), "size")
        .partition_by(vec![col("source"), col("split")])
        .order_by(vec![col("draw").sort(true, false), col("id").sort(true, false)])
        .window_frame(frame)
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(weights: &[(&str, f64)], budget: Option<u64>, max_epochs: f64) -> MixtureRule {
        MixtureRule {
            name: "text".into(),
            seed: 1,
            weights: weights.iter().map(|(source, weight)| ((*source).to_owned(), *weight)).collect(),
            unit: Unit::Bytes,
            budget,
            max_epochs,
            validation: 0.0,
            test: 0.0,
        }
    }

    fn sizes() -> BTreeMap<String, u64> {
        BTreeMap::from([("web".to_owned(), 1000), ("books".to_owned(), 100)])
    }

    #[test]
    fn a_small_source_is_repeated_up_to_the_limit() {
        let budget = Budget::divide(&rule(&[("web", 0.5), ("books", 0.5)], Some(800), 2.5), &sizes());
        assert_eq!(budget.shares["web"], Share { epochs: 0, remainder: 400, asked: 400 });
        assert_eq!(budget.shares["books"], Share { epochs: 2, remainder: 50, asked: 400 });
    }

    #[test]
    fn without_a_budget_the_scarcest_source_sets_it() {
        let budget = Budget::divide(&rule(&[("web", 0.8), ("books", 0.2)], None, 1.0), &sizes());
        assert_eq!(budget.shares["books"], Share { epochs: 1, remainder: 0, asked: 100 });
        assert_eq!(budget.shares["web"], Share { epochs: 0, remainder: 400, asked: 400 });
    }
}
