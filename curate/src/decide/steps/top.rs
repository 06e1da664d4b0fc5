//! The documents with the highest scores, as large a share as is asked for.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::{
    arrow::datatypes::DataType,
    error::Result,
    functions_aggregate::sum::sum_udaf,
    logical_expr::{Expr, ExprFunctionExt as _, WindowFrame, WindowFrameBound, WindowFrameUnits, cast, when},
    prelude::{DataFrame, JoinType, coalesce, col, lit},
    scalar::ScalarValue,
};
use schemars::JsonSchema;
use schemas::toml_file::{Spanned, TomlError};
use serde::{Deserialize, Serialize};

use super::{Facts, Scope, Stage, Step, Steps};
use crate::{
    decide::{
        Tables,
        verdict::{Unknown, among, first_reason, is_of, over_rows, verdicts},
    },
    files::Version,
    measure::Family,
};

/// How the highest scores are kept.
pub const VERSION: Version = Version::new("decide/top", 1);

/// What a share is counted in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ShareUnit {
    /// Documents.
    #[default]
    Documents,
    /// Bytes of text.
    Bytes,
    /// Words.
    Words,
}

/// A share with the highest scores.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TopRecipe {
    /// The classifier whose score is used.
    #[schemars(with = "String")]
    pub classifier: Spanned<String>,
    /// The share that stays, above 0, to 1.
    #[schemars(with = "f64")]
    pub share: Spanned<f64>,
    /// What it is counted in.
    #[serde(default)]
    pub by: ShareUnit,
    /// Take it of each source, and not of all together.
    #[serde(default)]
    pub each_source: bool,
    /// Take it of each language, and not of all together.
    #[serde(default)]
    pub each_language: bool,
    /// What becomes of documents of which the classifier knows too little to score them, which are no part of what the share is taken of:
    /// `drop`, as `out_of_vocabulary`, or `keep`.
    #[serde(default)]
    pub unknown: Unknown,
}

impl TopRecipe {
    /// The step.
    ///
    /// # Errors
    /// When there is no such classifier, the share is none, or nothing tells languages that are asked for.
    pub fn check(&self, scope: &dyn Scope) -> Result<Steps, TomlError> {
        let Self { classifier, share, by, each_source, each_language, unknown } = self;
        if *each_language {
            scope.needs("language", classifier.span(), "a step `top` with `each_language`")?;
        }
        scope.classifier(classifier.get_ref(), classifier.span())?;
        if !(*share.get_ref() > 0.0 && *share.get_ref() <= 1.0) {
            return Err(scope.fault(share.span(), "`share` is above 0, to 1"));
        }
        let (by, each_source, each_language, unknown) = (*by, *each_source, *each_language, *unknown);
        let rule = TopRule { share: *share.get_ref(), by, each_source, each_language, unknown };
        Ok(vec![Arc::new(Top { classifier: classifier.get_ref().clone(), rule })])
    }
}

/// Keeps the documents with the highest scores: from the best on, until they are `share` of all. The one that reaches it stays; of
/// equal scores the smaller id comes first.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TopRule {
    /// The share, above 0, to 1.
    pub share: f64,
    /// What it is counted in.
    pub by: ShareUnit,
    /// Whether it is taken of each source, or of all sources of the step together.
    pub each_source: bool,
    /// Whether it is taken of each language, or of all together.
    pub each_language: bool,
    /// What becomes of documents without a score; they are no part of what the share is taken of.
    pub unknown: Unknown,
}

/// The rule, on the scores of a classifier.
#[derive(Debug, Serialize)]
struct Top {
    classifier: String,
    rule: TopRule,
}

#[async_trait]
impl Step for Top {
    fn name(&self) -> &'static str {
        "top"
    }

    fn version(&self) -> Version {
        VERSION
    }

    fn facts(&self) -> Vec<Facts<'_>> {
        let languages = self.rule.each_language.then_some(LANGUAGES);
        [Facts::Score(&self.classifier), Facts::WORDS].into_iter().chain(languages).collect()
    }

    fn description(&self) -> String {
        let Self { classifier, rule: TopRule { share, by, each_source, each_language, unknown } } = self;
        let unit = match by {
            ShareUnit::Documents => "documents",
            ShareUnit::Bytes => "bytes",
            ShareUnit::Words => "words",
        };
        let of = match (each_source, each_language) {
            (true, true) => " of each source and language",
            (true, false) => " of each source",
            (false, true) => " of each language",
            (false, false) => "",
        };
        format!("keep the highest scores `{classifier}`, {share:.4} of all {unit}{of}{}", unknown.description())
    }

    async fn verdicts(&self, stage: &Stage<'_>) -> Result<DataFrame> {
        let Stage { tables, before, sources, .. } = *stage;
        let (score, words) = (stage.score()?, stage.facts(&Facts::WORDS)?);
        let languages = if self.rule.each_language { Some(stage.facts(&LANGUAGES)?) } else { None };
        top(tables, before, score, words, languages, sources, self.rule).await
    }
}

/// What tells the languages that a share is taken of.
const LANGUAGES: Facts<'static> = Facts::Named("language");

/// The verdicts of `rule` on the documents that `before` kept; those of other sources than `sources` are kept.
///
/// - `languages`: the facts `language`, where the rule asks for them; a document without a language is of its own kind
///
/// # Errors
/// When the facts or the decisions cannot be read.
pub async fn top(
    tables: Tables<'_>,
    before: &str,
    score: &Family,
    words: &Family,
    languages: Option<&Family>,
    sources: &[String],
    rule: TopRule,
) -> Result<DataFrame> {
    let scores = tables.family(score, sources).await?;
    let sizes = tables.family(words, sources).await?.select(vec![
        col("fact_id").alias("size_id"),
        col("bytes"),
        col("words"),
    ])?;
    let size = match rule.by {
        ShareUnit::Documents => lit(1u64),
        ShareUnit::Bytes => col("bytes"),
        ShareUnit::Words => col("words"),
    };
    // what is not of the step, or has no score, is counted by itself
    let counted = is_of(sources).and(col("score").is_not_null());
    let source = if rule.each_source { col("source") } else { lit("") };
    let mut documents = tables.kept(before).await?.with_column("rival_language", lit(""))?;
    if let Some(family) = languages {
        let found =
            tables.family(family, sources).await?.select(vec![col("fact_id").alias("named"), col("language")])?;
        let known = documents.join(found, JoinType::Left, &["id"], &["named"], None)?;
        documents = known.with_column("rival_language", coalesce(vec![col("language"), lit("")]))?;
    }
    let documents = documents
        .join(scores, JoinType::Left, &["id"], &["fact_id"], None)?
        .join(sizes, JoinType::Left, &["id"], &["size_id"], None)?
        .with_column("size", cast(size, DataType::UInt64))?
        .with_column("rival", when(counted, source).end()?)?;
    let (first, last) = (WindowFrameBound::Preceding(ScalarValue::UInt64(None)), WindowFrameBound::CurrentRow);
    let running = over_size(first.clone(), last)?;
    let all = over_size(first, WindowFrameBound::Following(ScalarValue::UInt64(None)))?;
    let documents = documents.window(vec![running.alias("running"), all.alias("all")])?;
    let number = |name: &str| cast(col(name), DataType::Float64);
    let beyond = (number("running") - number("size")).gt_eq(lit(rule.share) * number("all"));
    let below = (col("score").is_not_null().and(beyond), "below_top");
    let reason = first_reason(rule.unknown.reasons().into_iter().chain([below]));
    verdicts(documents, among(sources, reason)?, &["score", "known"])
}

/// The sizes of a document's rivals, the best first.
fn over_size(first: WindowFrameBound, last: WindowFrameBound) -> Result<Expr> {
    over_rows(sum_udaf(), "size")
        .partition_by(vec![col("rival"), col("rival_language")])
        .order_by(vec![col("score").sort(false, false), col("id").sort(true, false)])
        .window_frame(WindowFrame::new_bounds(WindowFrameUnits::Rows, first, last))
        .build()
}
