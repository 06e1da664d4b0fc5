//! A checked recipe: everything it names exists, and every step reads what something writes.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use serde::{Serialize, Serializer};

use crate::{
    decide::{
        AfterCuts, DuplicateIndex, Facts, LinkedRule, MaxExamples, Search, SplitRule, Step, Unit, Verification, Weights,
    },
    files::Version,
    learn::Kind,
    measure::{Family, ModelFile},
    source::Source,
    write::Content,
};

/// What a run does.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The recipe's file.
    pub path: PathBuf,
    /// The run's name.
    pub name: String,
    /// The seed of everything that is random.
    pub seed: u64,
    /// All sources in the order of their names, tasks among them.
    pub sources: Vec<Source>,
    /// Whether texts are kept in `documents/`. Without them a run can decide, but not write a mixture.
    pub keep_documents: bool,
    /// The families of facts that are made when sources are read.
    pub families: Vec<Family>,
    /// Which documents that share a band are near-duplicates; all by default.
    pub verification: Option<Verification>,
    /// What earlier runs have kept: near-duplicates of that are dropped.
    pub indexes: Vec<DuplicateIndex>,
    /// The classifiers, in the order of their names, ensembles last.
    pub classifiers: Vec<ClassifierPlan>,
    /// The steps, in the recipe's order.
    pub steps: Vec<StepPlan>,
    /// How documents come into splits.
    pub splits: SplitRule,
    /// The mixtures, in the order of their names.
    pub mixtures: Vec<MixturePlan>,
    /// The file of each task, or the name of a shipped one, by the task's own name.
    pub task_files: BTreeMap<String, PathBuf>,
    /// The licence of each source and task that says it.
    pub licences: BTreeMap<String, String>,
    /// The recipe as it was run, for the manifest.
    pub recipe: serde_json::Value,
}

/// A classifier to train.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClassifierPlan {
    /// Its name.
    pub name: String,
    /// Sources of the reference.
    pub positive: Vec<String>,
    /// Sources of the rest.
    pub negative: Vec<String>,
    /// What tells the pages of the reference from others, where links do.
    pub linked: Option<LinkedRule>,
    /// The language of the documents that it is trained on.
    pub language: Option<String>,
    /// Documents for each side, at most.
    pub documents: usize,
    /// Words in a chunk.
    pub chunk_words: usize,
    /// Most chunks of a document.
    pub max_chunks: usize,
    /// What it is.
    pub kind: Kind,
    /// Labelled files to try it on.
    pub labels: Vec<ModelFile>,
    /// The share of a text's words and n-grams that it has to know to score it.
    pub min_known: f64,
}

impl ClassifierPlan {
    /// The classifiers that it brings together.
    #[must_use]
    pub fn members(&self) -> &[String] {
        match &self.kind {
            Kind::Ensemble { of } => of,
            _ => &[],
        }
    }

    /// The versions of the code that trains it and scores by it, those of its members, which are among `all`, behind its own.
    #[must_use]
    pub fn versions(&self, all: &[Self]) -> Vec<Version> {
        let members = all.iter().filter(|other| self.members().contains(&other.name));
        std::iter::once(self.kind.version()).chain(members.flat_map(|member| member.versions(all))).collect()
    }

    /// Whether it is the same again when it is trained again.
    #[must_use]
    pub fn is_reproducible(&self) -> bool {
        !matches!(&self.kind, Kind::Fasttext { config } if config.threads > 1)
    }
}

/// A step.
#[derive(Debug, Clone, Serialize)]
pub struct StepPlan {
    /// Its name, which is its stage's.
    pub name: String,
    /// The sources that it applies to.
    pub sources: Vec<String>,
    /// What it does.
    #[serde(serialize_with = "named_settings")]
    pub kind: Arc<dyn Step>,
}

/// A step's settings, below its name.
fn named_settings<S: Serializer>(step: &Arc<dyn Step>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map([(step.name(), step.settings())])
}

impl StepPlan {
    /// Whether the step cuts something out of documents.
    #[must_use]
    pub fn cuts(&self) -> bool {
        self.kind.cuts()
    }

    /// The classifier whose score the step reads.
    #[must_use]
    pub fn classifier(&self) -> Option<&str> {
        self.kind.facts().into_iter().find_map(|facts| match facts {
            Facts::Score(classifier) => Some(classifier),
            Facts::Named(_) | Facts::Shaped { .. } => None,
        })
    }
}

/// A mixture.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MixturePlan {
    /// Its name.
    pub name: String,
    /// How much of it is of each source.
    pub weights: Weights,
    /// What its rows are.
    pub content: Content,
    /// The size of the training split.
    pub budget: Option<u64>,
    /// What it is counted in.
    pub unit: Unit,
    /// How often the documents of each source may be repeated.
    pub max_epochs: BTreeMap<String, f64>,
    /// Most documents of each source, by split.
    pub max_examples: MaxExamples,
    /// Bytes of text in a file.
    pub shard_bytes: u64,
}

impl Plan {
    /// The step that takes all cuts together, where there are any; it is the last.
    #[must_use]
    pub fn after_cuts(&self) -> Option<&StepPlan> {
        self.steps.iter().find(|step| step.kind.name() == AfterCuts::NAME)
    }

    /// The family with this name, if the run makes it when it reads.
    #[must_use]
    pub fn family(&self, name: &str) -> Option<&Family> {
        self.families.iter().find(|family| family.name == name)
    }

    /// The sources whose scores a step is fitted to, where it is.
    #[must_use]
    pub fn reference_of(&self, step: &StepPlan) -> &[String] {
        match step.kind.search() {
            Some(Search::Alpha) => self.classifier_of(step).map_or(&[], |classifier| &classifier.positive),
            _ => &[],
        }
    }

    /// The language of the reference that a step is fitted to, where it has one.
    #[must_use]
    pub fn language_of(&self, step: &StepPlan) -> Option<&str> {
        self.classifier_of(step)?.language.as_deref()
    }

    fn classifier_of(&self, step: &StepPlan) -> Option<&ClassifierPlan> {
        let name = step.classifier()?;
        self.classifiers.iter().find(|found| found.name == name)
    }

    /// The names of the classifiers that some step reads, each with the sources it is read for.
    #[must_use]
    pub fn scored(&self) -> BTreeMap<&str, Vec<String>> {
        let mut scored: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for step in &self.steps {
            if let Some(classifier) = step.classifier() {
                let reference = self.reference_of(step);
                let sources = scored.entry(classifier).or_default();
                sources.extend(step.sources.iter().chain(step.kind.against()).chain(reference).cloned());
                sources.sort();
                sources.dedup();
            }
        }
        scored
    }
}
