//! Substrings that stand in more than one place, cut out of documents.
//!
//! They are searched for in texts before the verdicts: see [`crate::decide::SubstringsExec`].

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::{
    error::Result,
    prelude::{DataFrame, JoinType, col, lit},
    scalar::ScalarValue,
};
use schemars::JsonSchema;
use schemas::toml_file::{Spanned, TomlError};
use serde::{Deserialize, Serialize};

use super::{Facts, Scope, Search, Stage, Step, Steps, after_cuts};
use crate::{
    decide::{substrings_schema, verdict::verdicts},
    files::Version,
    text::{sameness::Sameness, substrings::SubstringUnit},
};

/// Substrings that stand in more than one place.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SubstringDedupRecipe {
    /// What a substring is: `lines` (`CCNet`), `paragraphs`, `{ sentences = 3 }` (C4), `{ bytes = 100 }` or `{ words = 50 }` (Lee et al.).
    pub unit: SubstringUnit,
    /// Compare lines, paragraphs and sentences as `normalized_dedup` compares texts, and as `CCNet` does: the rows of a table are the same
    /// then. Otherwise they are compared as `exact_dedup` does. Bytes and words are always compared letter by letter.
    #[serde(default)]
    pub normalized: bool,
    /// Keep the first place of each, in the document with the smallest id.
    #[serde(default = "yes")]
    pub keep_first: bool,
}

fn yes() -> bool {
    true
}

/// Cuts substrings that stand in more than one place. No document is dropped for it yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct SubstringDedup {
    /// What a substring is.
    pub unit: SubstringUnit,
    /// By what two substrings are the same.
    pub sameness: Sameness,
    /// Whether its first place stays.
    pub keep_first: bool,
}

impl SubstringDedup {
    /// The step.
    ///
    /// # Errors
    /// When substrings are too short, or would be compared as they cannot be.
    pub fn check(written: &Spanned<SubstringDedupRecipe>, scope: &dyn Scope) -> Result<Steps, TomlError> {
        let SubstringDedupRecipe { unit, normalized, keep_first } = *written.get_ref();
        let least = match unit {
            SubstringUnit::Bytes(_) => 16,
            SubstringUnit::Words(_) => 4,
            SubstringUnit::Lines | SubstringUnit::Paragraphs | SubstringUnit::Sentences(_) => 1,
        };
        if unit.length() < least {
            let message = "a substring has 1 sentence, 4 words or 16 bytes, or more";
            return Err(scope.fault(written.span(), message));
        }
        if normalized && unit.is_ngram() {
            let message = "bytes and words are compared letter by letter: leave out `normalized`, or take lines, paragraphs or sentences";
            return Err(scope.fault(written.span(), message));
        }
        let sameness = if normalized { Sameness::Normalized } else { Sameness::Exact };
        Ok(vec![Arc::new(Self { unit, sameness, keep_first })])
    }
}

#[async_trait]
impl Step for SubstringDedup {
    fn name(&self) -> &'static str {
        match self.unit {
            SubstringUnit::Lines => "line_dedup",
            SubstringUnit::Paragraphs => "paragraph_dedup",
            SubstringUnit::Sentences(_) => "sentence_dedup",
            SubstringUnit::Bytes(_) => "byte_substring_dedup",
            SubstringUnit::Words(_) => "word_substring_dedup",
        }
    }

    fn version(&self) -> Version {
        after_cuts::VERSION
    }

    fn facts(&self) -> Vec<Facts<'_>> {
        vec![]
    }

    fn description(&self) -> String {
        let what = match self.unit {
            SubstringUnit::Lines => "lines".to_owned(),
            SubstringUnit::Paragraphs => "paragraphs".to_owned(),
            SubstringUnit::Sentences(length) => format!("spans of {length} sentences"),
            SubstringUnit::Bytes(length) => format!("n-grams of {length} bytes"),
            SubstringUnit::Words(length) => format!("n-grams of {length} words"),
        };
        let normalized = if self.sameness == Sameness::Normalized { ", normalized," } else { "" };
        let kept = if self.keep_first { ", but for their first place" } else { "" };
        format!("cut {what}{normalized} that stand in more than one place{kept}")
    }

    fn cuts(&self) -> bool {
        true
    }

    fn search(&self) -> Option<Search> {
        Some(Search::Substrings(*self))
    }

    async fn verdicts(&self, stage: &Stage<'_>) -> Result<DataFrame> {
        let tables = stage.tables;
        let found = tables.layout.substrings(stage.name);
        let cuts = tables.parquet(vec![found], &substrings_schema()).await?;
        let cuts = cuts.select(vec![col("id").alias("cut_id"), col("cuts")])?;
        let documents = tables.kept(stage.before).await?.join(cuts, JoinType::Left, &["id"], &["cut_id"], None)?;
        verdicts(documents, lit(ScalarValue::Utf8(None)), &["cuts"])
    }
}
