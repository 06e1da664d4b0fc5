//! Text of benchmarks, cut out of documents.
//!
//! Source: Brown et al. 2020 (GPT-3), appendix C.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::{
    arrow::datatypes::DataType,
    common::internal_err,
    error::Result,
    functions::core::expr_ext::FieldAccessor as _,
    logical_expr::{cast, when},
    prelude::{DataFrame, JoinType, col, lit},
};
use schemars::JsonSchema;
use schemas::toml_file::{Spanned, TomlError};
use serde::{Deserialize, Serialize};

use super::{Facts, Found, Scope, Search, Stage, Step, Steps};
use crate::{
    decide::{ContaminationCuts, CutText, Tables, verdict::verdicts},
    files::Version,
    measure::Family,
};

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

impl DecontaminationRule {
    /// The step.
    ///
    /// # Errors
    /// When there is no benchmark.
    pub fn check(written: &Spanned<Self>, scope: &dyn Scope) -> Result<Steps, TomlError> {
        if !scope.has_benchmarks() {
            let message = "a step `decontaminate` looks for benchmarks, of which there is none: add [benchmark.NAME]";
            return Err(scope.fault(written.span(), message));
        }
        Ok(vec![Arc::new(*written.get_ref())])
    }
}

/// The word n-grams that documents share with benchmarks.
const OVERLAPS: Facts<'static> = Facts::Named("overlaps");

#[async_trait]
impl Step for DecontaminationRule {
    fn name(&self) -> &'static str {
        "decontaminate"
    }

    fn version(&self) -> Version {
        VERSION
    }

    fn facts(&self) -> Vec<Facts<'_>> {
        vec![OVERLAPS]
    }

    fn description(&self) -> String {
        let Self { min_piece, max_cuts, max_documents } = self;
        format!(
            "cut what stands in benchmarks and in {max_documents} documents or fewer; drop pieces under {min_piece} characters, and what \
             is cut in more than {max_cuts} places"
        )
    }

    fn cuts(&self) -> bool {
        true
    }

    fn search(&self) -> Option<Search> {
        Some(Search::CommonNgrams(*self))
    }

    async fn verdicts(&self, stage: &Stage<'_>) -> Result<DataFrame> {
        let Found::CommonNgrams(common) = stage.found else {
            return internal_err!("common n-grams were not searched for before `{}`", stage.name);
        };
        let family = stage.facts(&OVERLAPS)?;
        decontaminate(stage.tables, stage.before, family, stage.sources, common.clone(), *self).await
    }
}

/// Cuts what documents share with benchmarks, and drops those of which nothing is left, or which fall into too many pieces.
///
/// - `common`: what [`common_ngrams`](crate::decide::common_ngrams) gives
/// - returns: besides the usual columns the `cuts`, and how many `stretches` a document shares
///
/// # Errors
/// When the decisions or the facts cannot be read.
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
