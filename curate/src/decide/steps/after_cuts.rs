//! What is left of documents after all cuts.

use async_trait::async_trait;
use datafusion::{
    arrow::datatypes::DataType,
    error::Result,
    logical_expr::{cast, when},
    prelude::{DataFrame, JoinType, coalesce, col, lit},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Facts, Stage, Step};
use crate::{
    decide::{CutText, Tables, verdict::verdicts},
    files::Version,
    measure::Family,
};

/// How cuts are taken together.
pub const VERSION: Version = Version::new("decide/after_cuts", 1);

/// What becomes of documents of which something was cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AfterCutsRule {
    /// Fewest bytes that are left of a document from which something was cut.
    pub min_bytes: u64,
}

impl Default for AfterCutsRule {
    /// A substring of Lee et al. has 100 bytes: what is left should have as much.
    fn default() -> Self {
        Self { min_bytes: 100 }
    }
}

/// The rule, on the cuts of a run: its last step, which no key asks for.
#[derive(Debug, Clone, Serialize)]
pub struct AfterCuts {
    /// The rule.
    pub rule: AfterCutsRule,
    /// The stages that cut.
    pub stages: Vec<String>,
}

impl AfterCuts {
    /// Its stage.
    pub const NAME: &str = "after_cuts";
}

#[async_trait]
impl Step for AfterCuts {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn version(&self) -> Version {
        VERSION
    }

    fn facts(&self) -> Vec<Facts<'_>> {
        vec![Facts::WORDS]
    }

    fn description(&self) -> String {
        format!("drop what was cut to less than {} bytes", self.rule.min_bytes)
    }

    async fn verdicts(&self, stage: &Stage<'_>) -> Result<DataFrame> {
        let words = stage.facts(&Facts::WORDS)?;
        after_cuts(stage.tables, stage.before, &self.stages, words, self.rule).await
    }
}

/// Takes all cuts together, and drops documents of which too little is left.
///
/// - `stages`: the steps that cut
/// - returns: besides the usual columns the `cuts`, and the `bytes` and `words` that are left; of words, as large a share as of bytes
///
/// # Errors
/// When the decisions or the facts cannot be read.
pub async fn after_cuts(
    tables: Tables<'_>,
    before: &str,
    stages: &[String],
    words: &Family,
    rule: AfterCutsRule,
) -> Result<DataFrame> {
    let sources: Vec<String> = tables.parts.keys().cloned().collect();
    let sizes = tables.family(words, &sources).await?.select(vec![
        col("fact_id"),
        col("bytes").alias("all_bytes"),
        col("words").alias("all_words"),
    ])?;
    let mut documents = tables.kept(before).await?.join(sizes, JoinType::Left, &["id"], &["fact_id"], None)?;
    let mut lists = Vec::new();
    for (number, stage) in stages.iter().enumerate() {
        let (id, cuts) = (format!("id_{number}"), format!("cuts_{number}"));
        let found = tables.decisions(stage).await?.filter(col("cuts").is_not_null())?;
        let found = found.select(vec![col("id").alias(&id), col("cuts").alias(&cuts)])?;
        documents = documents.join(found, JoinType::Left, &["id"], &[&id], None)?;
        lists.push(col(cuts));
    }
    let documents = documents.with_column("cuts", CutText::Union.of(lists))?;
    let bytes = coalesce(vec![col("all_bytes"), lit(0u64)]) - CutText::Bytes.of(vec![col("cuts")]);
    let documents = documents.with_column("bytes", cast(bytes, DataType::UInt64))?;
    let share = cast(col("bytes"), DataType::Float64) / cast(col("all_bytes"), DataType::Float64);
    let words = cast(cast(col("all_words"), DataType::Float64) * share, DataType::UInt64);
    let documents = documents.with_column("words", words)?;
    let short = col("cuts").is_not_null().and(col("bytes").lt(lit(rule.min_bytes)));
    verdicts(documents, when(short, lit("short_remains")).end()?, &["cuts", "bytes", "words"])
}
