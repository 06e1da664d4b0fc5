//! What a step is, and a step that is one rule.

use std::{fmt::Debug, sync::Arc};

use async_trait::async_trait;
use datafusion::{error::Result, prelude::DataFrame};
use serde::Serialize;

use super::{Facts, Search, Stage};
use crate::{
    decide::verdict::{Rule, apply},
    files::Version,
};

/// A checked step: what it reads, what it says of itself, and its verdicts.
#[async_trait]
pub trait Step: Debug + Send + Sync + Settings {
    /// The name of its stage, unless the recipe gives one.
    fn name(&self) -> &'static str;

    /// The version of the code that judges.
    fn version(&self) -> Version;

    /// The facts that it reads.
    fn facts(&self) -> Vec<Facts<'_>>;

    /// What it does, in the words of `curate check`.
    fn description(&self) -> String;

    /// Sources besides its own whose documents it reads.
    fn against(&self) -> &[String] {
        &[]
    }

    /// Whether it cuts something out of documents.
    fn cuts(&self) -> bool {
        false
    }

    /// What has to be found before its verdicts.
    fn search(&self) -> Option<Search> {
        None
    }

    /// The verdicts on the documents that the stage before kept; those of other sources are kept.
    ///
    /// # Errors
    /// When the facts or the decisions cannot be read.
    async fn verdicts(&self, stage: &Stage<'_>) -> Result<DataFrame>;
}

/// What one key of a recipe's step becomes: one step, or the several of a preset.
pub type Steps = Vec<Arc<dyn Step>>;

/// What is written down of a step, to tell it from others.
pub trait Settings {
    /// Its settings as JSON.
    fn settings(&self) -> serde_json::Value;
}

impl<T: Serialize> Settings for T {
    fn settings(&self) -> serde_json::Value {
        serde_json::to_value(self).expect("settings are JSON")
    }
}

/// A rule that is a step: what it is in a recipe, it is in a run.
pub trait RuleStep: Rule + Keyed + Serialize + Clone + Debug + Send + Sync + 'static {
    /// The family of facts that it reads.
    fn facts(&self) -> Facts<'_>;

    /// What it does, in the words of `curate check`.
    fn description(&self) -> String;
}

/// What has a key of its own in a recipe's step; the list of steps says which.
pub trait Keyed {
    /// The key, which is the step's name, too.
    const KEY: &'static str;
}

#[async_trait]
impl<R: RuleStep> Step for R {
    fn name(&self) -> &'static str {
        R::KEY
    }

    fn version(&self) -> Version {
        Rule::version(self)
    }

    fn facts(&self) -> Vec<Facts<'_>> {
        vec![RuleStep::facts(self)]
    }

    fn description(&self) -> String {
        RuleStep::description(self)
    }

    async fn verdicts(&self, stage: &Stage<'_>) -> Result<DataFrame> {
        let family = stage.facts(&RuleStep::facts(self))?;
        apply(stage.tables, stage.before, family, stage.sources, self).await
    }
}
