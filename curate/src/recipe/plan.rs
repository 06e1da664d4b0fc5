//! A checked recipe: everything it names exists, and every step reads what something writes.

use std::{collections::BTreeMap, path::PathBuf};

use serde::Serialize;

use crate::{
    decide::{
        AfterCutsRule, Alpha, C4Quality, DecontaminationRule, DuplicateIndex, DuplicateRule, FinewebQuality,
        GopherQuality, GopherRepetition, KeepPolicy, LanguageRule, LinkedRule, MaxExamples, SplitRule, ThresholdRule,
        TopRule, Unit, Unknown, UrlRule, Verification, Weights,
    },
    files::Version,
    learn::Kind,
    measure::{Family, ModelFile},
    source::Source,
    text::{c4::LineRules, sameness::Sameness, substrings::SubstringUnit},
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
    pub steps: Vec<Step>,
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
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Step {
    /// Its name, which is its stage's.
    pub name: String,
    /// The sources that it applies to.
    pub sources: Vec<String>,
    /// What it does.
    pub kind: StepKind,
}

impl Step {
    /// The lines that C4's rules look at, where the step follows those.
    #[must_use]
    pub fn c4_lines(&self) -> Option<LineRules> {
        match &self.kind {
            StepKind::C4Quality(rule) => Some(rule.lines),
            _ => None,
        }
    }

    /// Which duplicates are dropped, where the step drops some.
    #[must_use]
    pub fn duplicates(&self) -> Option<&DuplicateRule> {
        match &self.kind {
            StepKind::UrlDedup(rule) | StepKind::TextDedup(_, rule) | StepKind::FuzzyDedup(rule) => Some(rule),
            _ => None,
        }
    }

    /// Whether the step cuts something out of documents.
    #[must_use]
    pub fn cuts(&self) -> bool {
        matches!(self.kind, StepKind::SubstringDedup { .. } | StepKind::Decontaminate(_))
    }

    /// The classifier whose score the step reads.
    #[must_use]
    pub fn classifier(&self) -> Option<&str> {
        match (&self.kind, self.duplicates().map(|rule| &rule.keep)) {
            (
                StepKind::Pareto { classifier, .. }
                | StepKind::Threshold { classifier, .. }
                | StepKind::Top { classifier, .. },
                _,
            )
            | (_, Some(KeepPolicy::Score(classifier))) => Some(classifier),
            _ => None,
        }
    }
}

/// What a step does.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StepKind {
    /// Keep some languages.
    Language(LanguageRule),
    /// Keep what passes Gopher's rules.
    GopherQuality(GopherQuality),
    /// Drop what repeats itself.
    GopherRepetition(GopherRepetition),
    /// Keep what passes FineWeb's rules.
    FinewebQuality(FinewebQuality),
    /// Keep what people have linked to.
    Linked(LinkedRule),
    /// Keep what passes C4's rules.
    C4Quality(C4Quality),
    /// Drop what lists name.
    Urls(UrlRule),
    /// Drop all but one document of a URL.
    UrlDedup(DuplicateRule),
    /// Drop all but one document of a text.
    TextDedup(Sameness, DuplicateRule),
    /// Drop near-duplicates.
    FuzzyDedup(DuplicateRule),
    /// Cut substrings that stand in more than one place.
    SubstringDedup {
        /// What a substring is.
        unit: SubstringUnit,
        /// By what two substrings are the same.
        sameness: Sameness,
        /// Whether its first place stays.
        keep_first: bool,
    },
    /// Cut what stands in benchmarks.
    Decontaminate(DecontaminationRule),
    /// Take the cuts of all steps together.
    AfterCuts(AfterCutsRule),
    /// Keep what has a score or more.
    Threshold {
        /// The classifier.
        classifier: String,
        /// The score.
        rule: ThresholdRule,
    },
    /// Keep what has the highest scores.
    Top {
        /// The classifier.
        classifier: String,
        /// How much stays.
        rule: TopRule,
    },
    /// Sample by score.
    Pareto {
        /// The classifier.
        classifier: String,
        /// The shape.
        alpha: Alpha,
        /// What becomes of documents without a score.
        unknown: Unknown,
    },
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
    pub fn after_cuts(&self) -> Option<&Step> {
        self.steps.iter().find(|step| matches!(step.kind, StepKind::AfterCuts(_)))
    }

    /// The family with this name, if the run makes it when it reads.
    #[must_use]
    pub fn family(&self, name: &str) -> Option<&Family> {
        self.families.iter().find(|family| family.name == name)
    }

    /// The sources whose scores a step is fitted to, where it is.
    #[must_use]
    pub fn reference_of(&self, step: &Step) -> &[String] {
        match &step.kind {
            StepKind::Pareto { classifier, alpha: Alpha::Fitted(_), .. } => {
                let found = self.classifiers.iter().find(|found| found.name == *classifier);
                found.map_or(&[], |classifier| &classifier.positive)
            }
            _ => &[],
        }
    }

    /// The language of the reference that a step is fitted to, where it has one.
    #[must_use]
    pub fn language_of(&self, step: &Step) -> Option<&str> {
        let name = step.classifier()?;
        self.classifiers.iter().find(|found| found.name == name)?.language.as_deref()
    }

    /// The names of the classifiers that some step reads, each with the sources it is read for.
    #[must_use]
    pub fn scored(&self) -> BTreeMap<&str, Vec<String>> {
        let mut scored: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for step in &self.steps {
            let against = step.duplicates().map_or(&[][..], |rule| &rule.against);
            if let Some(classifier) = step.classifier() {
                let reference = self.reference_of(step);
                let sources = scored.entry(classifier).or_default();
                sources.extend(step.sources.iter().chain(against).chain(reference).cloned());
                sources.sort();
                sources.dedup();
            }
        }
        scored
    }
}
