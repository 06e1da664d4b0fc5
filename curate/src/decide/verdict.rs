//! How a reason becomes a verdict.

use std::sync::Arc;

use datafusion::{
    arrow::datatypes::DataType,
    error::Result,
    functions::core::expr_fn::nullif,
    logical_expr::{
        AggregateUDF, Expr, WindowFunctionDefinition, cast,
        expr::{Case, WindowFunction},
        when,
    },
    prelude::{DataFrame, JoinType, col, lit},
    scalar::ScalarValue,
};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Tables;
use crate::{files::Version, measure::Family};

/// What all verdicts share: their columns and their order.
pub const VERSION: Version = Version::new("decide/verdict", 1);

/// A rule over the facts of one family: data that becomes one expression.
pub trait Rule {
    /// The version of the code that judges.
    fn version(&self) -> Version;

    /// Why a document is dropped; null keeps it.
    fn reason(&self) -> Expr;

    /// Columns of the family that the decision should show.
    fn shown(&self) -> Vec<&'static str> {
        vec![]
    }
}

/// The verdicts of `rule` on the documents that `before` kept; those of other sources than `sources` are kept.
///
/// # Errors
/// When the facts or the decisions cannot be read.
pub async fn apply(
    tables: Tables<'_>,
    before: &str,
    family: &Family,
    sources: &[String],
    rule: &(dyn Rule + Sync),
) -> Result<DataFrame> {
    let facts = tables.family(family, sources).await?;
    let joined = tables.kept(before).await?.join(facts, JoinType::Left, &["id"], &["fact_id"], None)?;
    verdicts(joined, among(sources, rule.reason())?, &rule.shown())
}

/// Documents with their verdicts, sorted by id: `id`, `source`, `verdict`, `reason`, and the columns that are `shown`. A document with
/// `cuts` is kept without them, and its verdict says so.
pub fn verdicts(documents: DataFrame, reason: Expr, shown: &[&str]) -> Result<DataFrame> {
    let reason = cast(reason, DataType::Utf8View);
    let mut verdict = when(reason.clone().is_not_null(), lit("drop"));
    if shown.contains(&"cuts") {
        verdict.when(col("cuts").is_not_null(), lit("cut"));
    }
    let verdict = verdict.otherwise(lit("keep"))?;
    let mut columns =
        vec![col("id"), col("source"), cast(verdict, DataType::Utf8View).alias("verdict"), reason.alias("reason")];
    columns.extend(shown.iter().map(|name| col(*name)));
    documents.select(columns)?.sort(vec![col("id").sort(true, true), col("reason").sort(true, true)])
}

/// A reason that applies to documents of `sources` alone.
pub fn among(sources: &[String], reason: Expr) -> Result<Expr> {
    when(is_of(sources), reason).end()
}

/// Whether a document is of one of `sources`.
pub fn is_of(sources: &[String]) -> Expr {
    col("source").in_list(sources.iter().map(lit).collect(), false)
}

/// The reason of the first condition that holds; null where none does.
pub fn first_reason(conditions: impl IntoIterator<Item = (Expr, &'static str)>) -> Expr {
    let when_then_expr =
        conditions.into_iter().map(|(condition, reason)| (Box::new(condition), Box::new(lit(reason)))).collect();
    Expr::Case(Case { expr: None, when_then_expr, else_expr: Some(Box::new(lit(ScalarValue::Utf8(None)))) })
}

/// What becomes of a document of which a classifier knows too little to score it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Unknown {
    /// It is dropped, as `out_of_vocabulary`.
    #[default]
    Drop,
    /// It is kept.
    Keep,
}

impl Unknown {
    /// Why a document without a score is dropped, over the facts of a score.
    #[must_use]
    pub fn reasons(self) -> Vec<(Expr, &'static str)> {
        // where nothing was measured, there is no share either
        let unmeasured = (col("known").is_null(), "no_score");
        match self {
            Self::Drop => vec![unmeasured, (col("score").is_null(), "out_of_vocabulary")],
            Self::Keep => vec![unmeasured],
        }
    }

    /// What a step says of them beside what it keeps.
    #[must_use]
    pub fn description(self) -> &'static str {
        match self {
            Self::Drop => "",
            Self::Keep => ", and what has none",
        }
    }
}

/// A count as a share of another; null where that is 0, which no condition holds for.
pub fn share(part: &str, whole: Expr) -> Expr {
    let number = |count| cast(count, DataType::Float64);
    number(col(part)) / nullif(number(whole), lit(0.0))
}

/// An aggregate of a column as a window function.
pub fn over_rows(aggregate: Arc<AggregateUDF>, column: &str) -> Expr {
    Expr::from(WindowFunction::new(WindowFunctionDefinition::AggregateUDF(aggregate), vec![col(column)]))
}
