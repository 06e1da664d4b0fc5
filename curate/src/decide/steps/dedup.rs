//! Steps that drop duplicates: by URL, by text, by normalized text, and by cluster.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::{error::Result, prelude::DataFrame};
use schemars::JsonSchema;
use schemas::toml_file::{Spanned, TomlError};
use serde::{Deserialize, Serialize};

use super::{Facts, Scope, Stage, Step, Steps};
use crate::{
    decide::duplicates::{DedupKey, DuplicateFacts, DuplicateRule, KeepPolicy, VERSION, duplicates},
    files::Version,
    measure::Family,
    text::sameness::Sameness,
};

/// Which of several duplicates stays.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DedupRecipe {
    /// Which one stays: `smallest_id`, `longest`, `earliest`, `latest` or `{ score = CLASSIFIER }`.
    #[schemars(with = "Option<KeepPolicy>")]
    pub keep: Option<Spanned<KeepPolicy>>,
    /// Sources that come before others, and before each other in this order, whatever `keep` says.
    #[schemars(with = "Vec<String>")]
    pub prefer: Vec<Spanned<String>>,
    /// Drop what duplicates a document of these sources, and nothing else.
    #[schemars(with = "Vec<String>")]
    pub against: Vec<Spanned<String>>,
}

impl DedupRecipe {
    /// The step by URL.
    ///
    /// # Errors
    /// When there is no such source or classifier, or a source is held against itself.
    pub fn by_url(&self, scope: &dyn Scope) -> Result<Steps, TomlError> {
        self.check(DedupKey::Url, KeepPolicy::Latest, scope)
    }

    /// The step by text.
    ///
    /// # Errors
    /// See [`DedupRecipe::by_url`].
    pub fn by_text(&self, scope: &dyn Scope) -> Result<Steps, TomlError> {
        self.check(DedupKey::Text(Sameness::Exact), KeepPolicy::SmallestId, scope)
    }

    /// The step by normalized text.
    ///
    /// # Errors
    /// See [`DedupRecipe::by_url`].
    pub fn by_normalized_text(&self, scope: &dyn Scope) -> Result<Steps, TomlError> {
        self.check(DedupKey::Text(Sameness::Normalized), KeepPolicy::SmallestId, scope)
    }

    /// The step by cluster.
    ///
    /// # Errors
    /// See [`DedupRecipe::by_url`].
    pub fn by_cluster(&self, scope: &dyn Scope) -> Result<Steps, TomlError> {
        self.check(DedupKey::Cluster, KeepPolicy::SmallestId, scope)
    }

    fn check(&self, by: DedupKey, keep: KeepPolicy, scope: &dyn Scope) -> Result<Steps, TomlError> {
        let Self { keep: wanted, prefer, against } = self;
        let sources =
            |names: &[Spanned<String>]| names.iter().map(|name| scope.source(name)).collect::<Result<Vec<_>, _>>();
        let rule = DuplicateRule {
            keep: wanted.as_ref().map_or(keep, |wanted| wanted.get_ref().clone()),
            prefer: sources(prefer)?,
            against: sources(against)?,
        };
        if let (Some(wanted), KeepPolicy::Score(classifier)) = (wanted, &rule.keep) {
            scope.classifier(classifier, wanted.span())?;
        }
        if let Some(name) = against.first()
            && scope.sources().is_none()
        {
            let message = "a step with `against` names its `sources`: the documents that it may drop";
            return Err(scope.fault(name.span(), message));
        }
        let own = scope.sources().unwrap_or_default();
        if let Some(source) = own.iter().find(|source| rule.against.contains(source.get_ref())) {
            let message = format!("`{}` stands in `sources` and in `against`", source.get_ref());
            return Err(scope.fault(source.span(), &message));
        }
        Ok(vec![Arc::new(Dedup { by, rule })])
    }
}

/// Drops all but one of several duplicates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Dedup {
    /// By what documents are duplicates; the step's name says it.
    #[serde(skip)]
    pub by: DedupKey,
    /// Which one stays.
    pub rule: DuplicateRule,
}

impl Dedup {
    /// The hashes of texts that it compares, where it does.
    fn fingerprints(&self) -> Option<Facts<'static>> {
        let DedupKey::Text(sameness) = self.by else { return None };
        Some(Facts::Shaped { family: Family::fingerprints(sameness), by: self.name() })
    }

    fn reads_sizes(&self) -> bool {
        self.rule.keep == KeepPolicy::Longest
    }

    /// Which document stays, or of which sources those are that others are held against.
    fn kept(&self) -> String {
        let DuplicateRule { keep, prefer, against } = &self.rule;
        if !against.is_empty() {
            return format!(" of {}", against.join(", "));
        }
        let keep = match keep {
            KeepPolicy::SmallestId => "smallest id".to_owned(),
            KeepPolicy::Longest => "longest".to_owned(),
            KeepPolicy::Earliest => "earliest".to_owned(),
            KeepPolicy::Latest => "latest".to_owned(),
            KeepPolicy::Score(classifier) => format!("highest score `{classifier}`"),
        };
        let prefer = if prefer.is_empty() { String::new() } else { format!(", first of {}", prefer.join(", ")) };
        format!(", keep the {keep}{prefer}")
    }
}

#[async_trait]
impl Step for Dedup {
    fn name(&self) -> &'static str {
        match self.by {
            DedupKey::Url => "url_dedup",
            DedupKey::Text(Sameness::Exact) => "exact_dedup",
            DedupKey::Text(Sameness::Normalized) => "normalized_dedup",
            DedupKey::Cluster => "fuzzy_dedup",
        }
    }

    fn version(&self) -> Version {
        VERSION
    }

    fn facts(&self) -> Vec<Facts<'_>> {
        let bands = (self.by == DedupKey::Cluster).then_some(Facts::Named("bands"));
        let sizes = self.reads_sizes().then_some(Facts::WORDS);
        let score = match &self.rule.keep {
            KeepPolicy::Score(classifier) => Some(Facts::Score(classifier)),
            _ => None,
        };
        [self.fingerprints(), bands, sizes, score].into_iter().flatten().collect()
    }

    fn description(&self) -> String {
        let what = match self.by {
            DedupKey::Url => "duplicates by URL",
            DedupKey::Text(Sameness::Exact) => "exact duplicates",
            DedupKey::Text(Sameness::Normalized) => "duplicates but for case, accents, signs and the value of numbers",
            DedupKey::Cluster => "near-duplicates",
        };
        format!("drop {what}{}", self.kept())
    }

    fn against(&self) -> &[String] {
        &self.rule.against
    }

    async fn verdicts(&self, stage: &Stage<'_>) -> Result<DataFrame> {
        let fingerprints = self.fingerprints();
        let facts = DuplicateFacts {
            fingerprints: fingerprints.as_ref().map(|facts| stage.facts(facts)).transpose()?,
            words: if self.reads_sizes() { Some(stage.facts(&Facts::WORDS)?) } else { None },
            score: if matches!(self.rule.keep, KeepPolicy::Score(_)) { Some(stage.score()?) } else { None },
        };
        duplicates(stage.tables, stage.before, self.by, &self.rule, facts, stage.sources).await
    }
}
