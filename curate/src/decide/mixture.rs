//! Which documents go into a mixture, how often, and into which split.
//!
//! Documents for validation and testing go in once each, whatever the weights.

use std::collections::BTreeMap;

use datafusion::{
    arrow::{
        array::{AsArray, RecordBatch},
        datatypes::{DataType, UInt64Type},
    },
    common::internal_datafusion_err,
    error::Result,
    functions_aggregate::{count::count_all, expr_fn::sum, sum::sum_udaf},
    logical_expr::{Expr, ExprFunctionExt as _, WindowFrame, WindowFrameBound, WindowFrameUnits, cast, when},
    prelude::{DataFrame, JoinType, coalesce, col, lit, round},
    scalar::ScalarValue,
};
use schemars::JsonSchema;
use schemas::task::Split;
use serde::{Deserialize, Serialize};

use super::{
    Budget, Share, SplitRule, Tables, Unit, Weights,
    functions::Chance,
    splits::with_splits,
    verdict::{is_of, over_rows, verdicts},
};
use crate::{files::Version, measure::Family};

/// What goes into a mixture: candidates, splits, weights, budgets.
pub const VERSION: Version = Version::new("decide/mixture", 1);

/// A mixture's rule: its sources with their weights, and how much of them it takes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MixtureRule {
    /// The mixture's name.
    pub name: String,
    /// Each source's share of the budget.
    pub weights: Weights,
    /// What sizes are counted in.
    pub unit: Unit,
    /// The size of the training split; none for as much as the limit on epochs allows.
    pub budget: Option<u64>,
    /// How often the documents of each source may be repeated, 1 or more.
    pub max_epochs: BTreeMap<String, f64>,
    /// Most documents of each source, by split.
    pub max_examples: MaxExamples,
    /// How documents come into splits.
    pub splits: SplitRule,
    /// What a document must have to become a row, where that is more than a text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requirement: Option<Requirement>,
}

/// What a document must have to become a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Requirement {
    /// A title; one without is left out as `no_title`.
    pub title: bool,
    /// So many words; one of fewer is left out as `too_few_words`.
    pub words: u64,
}

/// Most examples of each task, or documents of each source, by split; which ones is sampled.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MaxExamples {
    /// To train on; FLAN takes 30,000 (Wei et al. 2021, section 2.3).
    pub train: Option<u64>,
    /// For validation; FLAN takes 200.
    pub validation: Option<u64>,
    /// For testing.
    pub test: Option<u64>,
}

/// The families of facts that sizes are read from.
#[derive(Debug, Clone, Copy)]
pub struct SizeFacts<'f> {
    /// Bytes and words.
    pub words: &'f Family,
    /// Tokens, where a mixture counts them.
    pub tokens: Option<&'f Family>,
    /// Whether clusters have been found.
    pub clustered: bool,
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

/// The documents that `before` kept of the mixture's sources, with `size`, `bytes`, `split`, their `draw`, and why some are `left` out before
/// any budget is divided.
async fn candidates(tables: Tables<'_>, before: &str, facts: SizeFacts<'_>, rule: &MixtureRule) -> Result<DataFrame> {
    let sources = rule.weights.sources();
    let documents = sized(tables, before, facts, rule.unit, &sources).await?;
    let documents = with_splits(tables, documents, facts.clustered, &rule.splits).await?;
    let draw = Chance::Bits { seed: rule.splits.seed, purpose: format!("budget/{}", rule.name) }.of(vec![col("id")]);
    let misplaced = when(col("misplaced"), lit("held_out_elsewhere")).end()?;
    let mut documents = documents.with_column("draw", draw)?.with_column("left", misplaced)?;
    if let Some(Requirement { title, words }) = rule.requirement {
        let short = when(col("words").lt(lit(words)), lit("too_few_words")).end()?;
        documents = documents.with_column("left", coalesce(vec![col("left"), short]))?;
        if title {
            documents = documents.join(tables.titled(&sources).await?, JoinType::Left, &["id"], &["titled"], None)?;
            let untitled = when(col("titled").is_null(), lit("no_title")).end()?;
            documents = documents.with_column("left", coalesce(vec![col("left"), untitled]))?;
        }
    }
    let MaxExamples { train, validation, test } = rule.max_examples;
    let limits = [(Split::Train, train), (Split::Validation, validation), (Split::Test, test)];
    if limits.iter().any(|(_, limit)| limit.is_some()) {
        let counted = when(col("left").is_null(), lit(1u64)).otherwise(lit(0u64))?;
        documents = documents.with_column("one", counted)?;
        documents = documents.with_column("place", running("one")?)?;
        let over = |(split, limit): (Split, Option<u64>)| {
            Some(col("split").eq(lit(split.name())).and(col("place").gt(lit(limit?))))
        };
        let over = limits.into_iter().filter_map(over).reduce(Expr::or).unwrap_or_else(|| lit(false));
        let left = when(col("left").is_not_null(), col("left")).when(over, lit("over_limit")).end()?;
        documents = documents.with_column("left", left)?;
    }
    documents.select_columns(&["id", "source", "bytes", "size", "split", "draw", "left"])
}

/// The documents that `before` kept of some sources, with `bytes`, `words`, and `size` in a unit.
async fn sized(
    tables: Tables<'_>,
    before: &str,
    facts: SizeFacts<'_>,
    unit: Unit,
    sources: &[String],
) -> Result<DataFrame> {
    let measured = match tables.after_cuts {
        // what was cut has another size
        Some(stage) => tables.decisions(stage).await?.with_column_renamed("id", "fact_id")?,
        None => tables.family(facts.words, sources).await?,
    };
    let [bytes, words] = ["bytes", "words"].map(|name| cast(col(name), DataType::UInt64));
    let size = match unit {
        Unit::Documents => lit(1u64),
        Unit::Words => words.clone(),
        // of tokens, in a moment
        Unit::Bytes | Unit::Tokens => bytes.clone(),
    };
    let sizes =
        measured.select(vec![col("fact_id"), bytes.alias("bytes"), words.alias("words"), size.alias("size")])?;
    let kept = tables.kept(before).await?.filter(is_of(sources))?;
    let mut documents = kept.join(sizes, JoinType::Inner, &["id"], &["fact_id"], None)?;
    if let (Unit::Tokens, Some(family)) = (unit, facts.tokens) {
        let tokens = tables.family(family, sources).await?;
        let tokens = tokens.select(vec![col("fact_id").alias("token_id"), col("tokens")])?;
        documents = documents.join(tokens, JoinType::Inner, &["id"], &["token_id"], None)?;
        let mut size = col("tokens");
        if tables.after_cuts.is_some() {
            // of what was cut, as large a share of the tokens stays as of the bytes
            let whole = tables.family(facts.words, sources).await?;
            let whole_bytes = cast(col("bytes"), DataType::Float64).alias("whole");
            let whole = whole.select(vec![col("fact_id").alias("whole_id"), whole_bytes])?;
            documents = documents.join(whole, JoinType::Inner, &["id"], &["whole_id"], None)?;
            let share = cast(col("bytes"), DataType::Float64) / col("whole");
            size = cast(round(vec![cast(size, DataType::Float64) * share]), DataType::UInt64);
        }
        documents = documents.with_column("size", size)?;
    }
    documents.select_columns(&["id", "source", "bytes", "words", "size"])
}

/// What each source has in each split, as a table: `source`, `split`, `documents`, `bytes`, `size`.
///
/// # Errors
/// When the facts or the decisions cannot be read.
pub async fn totals(tables: Tables<'_>, before: &str, facts: SizeFacts<'_>, rule: &MixtureRule) -> Result<DataFrame> {
    candidates(tables, before, facts, rule)
        .await?
        .filter(col("left").is_null())?
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
    pub fn collect(batches: &[RecordBatch]) -> Result<BTreeMap<(String, String), Self>> {
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

/// The verdicts of a mixture: `split`, `copies`, `bytes` and `size` besides the usual columns.
///
/// What is taken no time was over budget, over the limit of its split, or is like something that a file holds out. The last document that is
/// taken once more is the one that comes closest to the budget.
///
/// # Errors
/// When the facts or the decisions cannot be read.
pub async fn mixture(
    tables: Tables<'_>,
    before: &str,
    facts: SizeFacts<'_>,
    rule: &MixtureRule,
    budget: &Budget,
) -> Result<DataFrame> {
    let documents = candidates(tables, before, facts, rule).await?;
    let counted = when(col("left").is_null(), col("size")).otherwise(lit(0u64))?;
    let documents = documents.with_column("counted", counted)?;
    let documents = documents.with_column("running", running("counted")?)?;

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
    // the middle of a document decides, but where that would pass the limit on epochs its end does
    let ends = by_source(|share| u64::from(share.strict))?;
    let reach =
        when(ends.eq(number(1)), number(2) * col("running")).otherwise(number(2) * col("running") - col("counted"))?;
    let fits =
        reach.lt_eq(by_source(|share| 2 * share.remainder)?).and(by_source(|share| share.remainder)?.gt(number(0)));
    let training = by_source(|share| share.epochs)? + when(fits, number(1)).otherwise(number(0))?;
    let copies = when(col("left").is_not_null(), number(0))
        .when(col("split").eq(lit("train")), training)
        .otherwise(number(1))?;
    let copied = documents.with_column("copies", cast(copies, DataType::UInt64))?;
    let over_budget = when(col("copies").eq(number(0)), lit("over_budget")).end()?;
    let reason = coalesce(vec![col("left"), over_budget]);
    verdicts(copied, reason, &["split", "copies", "bytes", "size"])
}

/// The sum of a column over a document and all that come before it in the draw, within its source and split.
fn running(column: &str) -> Result<Expr> {
    let frame = WindowFrame::new_bounds(
        WindowFrameUnits::Rows,
        WindowFrameBound::Preceding(ScalarValue::UInt64(None)),
        WindowFrameBound::CurrentRow,
    );
    over_rows(sum_udaf(), column)
        .partition_by(vec![col("source"), col("split")])
        .order_by(vec![col("draw").sort(true, false), col("id").sort(true, false)])
        .window_frame(frame)
        .build()
}
