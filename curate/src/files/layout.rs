//! Where everything lies in the folder of a run.

use std::path::{Path, PathBuf};

use schemas::{ledger::mixture_stage, manifest, mixture};
use system::FolderLock;

use crate::error::{Error, Result};

/// The paths below an output folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    out: PathBuf,
}

impl Layout {
    /// The layout of the run in `out`.
    #[must_use]
    pub fn new(out: impl Into<PathBuf>) -> Self {
        Self { out: out.into() }
    }

    /// The folder itself.
    #[must_use]
    pub fn out(&self) -> &Path {
        &self.out
    }

    /// Takes the folder, which is made where it is missing.
    ///
    /// # Errors
    /// When another run holds it, or it cannot be written.
    pub fn lock(&self) -> Result<FolderLock> {
        FolderLock::take(&self.out)?.ok_or_else(|| Error::Locked { path: self.out.clone() })
    }

    /// The documents of one file of a source.
    #[must_use]
    pub fn documents(&self, source: &str, part: u32) -> PathBuf {
        self.out.join("documents").join(source).join(part_name(part))
    }

    /// The facts of one family about the documents of one file.
    #[must_use]
    pub fn facts(&self, family: &str, source: &str, part: u32) -> PathBuf {
        self.out.join("facts").join(family).join(source).join(part_name(part))
    }

    /// What the bands follow from.
    #[must_use]
    pub fn bands_card(&self) -> PathBuf {
        self.out.join("facts/bands.json")
    }

    /// The clusters of near-duplicates, over all sources.
    #[must_use]
    pub fn clusters(&self) -> PathBuf {
        self.out.join("facts/clusters.parquet")
    }

    /// What was counted when they were found.
    #[must_use]
    pub fn cluster_account(&self) -> PathBuf {
        self.out.join("facts/clusters.json")
    }

    /// The cuts that a step `substring_dedup` has found.
    #[must_use]
    pub fn substrings(&self, stage: &str) -> PathBuf {
        self.out.join("facts/repeats").join(format!("{stage}.parquet"))
    }

    /// The shape that a step on scores has chosen.
    #[must_use]
    pub fn fitted_alpha(&self, stage: &str) -> PathBuf {
        self.out.join("facts/alpha").join(format!("{stage}.json"))
    }

    /// What a step on benchmarks has found: the account, and the examples that stand in documents.
    #[must_use]
    pub fn contamination(&self, stage: &str) -> [PathBuf; 2] {
        let folder = self.out.join("facts/contamination");
        [folder.join(format!("{stage}.json")), folder.join(format!("{stage}.jsonl"))]
    }

    /// What was asked of the sources of a mixture, and what they give.
    #[must_use]
    pub fn mixture_account(&self, name: &str) -> PathBuf {
        self.out.join("decisions").join(format!("{}.json", mixture_stage(name)))
    }

    /// The verdicts of a stage.
    #[must_use]
    pub fn decisions(&self, stage: &str) -> PathBuf {
        self.out.join("decisions").join(format!("{stage}.parquet"))
    }

    /// The folder of a trained model.
    #[must_use]
    pub fn model(&self, name: &str) -> PathBuf {
        self.out.join("models").join(name)
    }

    /// The folder of a mixture.
    #[must_use]
    pub fn mixture(&self, name: &str) -> PathBuf {
        self.out.join(mixture::FOLDER).join(name)
    }

    /// The folder of documents that stay, as they stood in their files.
    #[must_use]
    pub fn survivors(&self) -> PathBuf {
        self.out.join("survivors")
    }

    /// The clusters by the ids that the documents came with.
    #[must_use]
    pub fn named_clusters(&self) -> PathBuf {
        self.out.join("clusters.parquet")
    }

    /// The list of broken records of a source.
    #[must_use]
    pub fn quarantine(&self, source: &str) -> PathBuf {
        self.out.join("quarantine").join(format!("{source}.jsonl"))
    }

    /// The ledger.
    #[must_use]
    pub fn ledger(&self) -> PathBuf {
        self.out.join("ledger.json")
    }

    /// The manifest.
    #[must_use]
    pub fn manifest(&self) -> PathBuf {
        self.out.join(manifest::FILE)
    }

    /// The report.
    #[must_use]
    pub fn report(&self) -> PathBuf {
        self.out.join("report.html")
    }

    /// What a run needs between its stages, and nobody after it.
    #[must_use]
    pub fn work(&self) -> PathBuf {
        self.out.join("work")
    }

    /// The plans of stages, as they ran.
    #[must_use]
    pub fn plans(&self) -> PathBuf {
        self.work().join("plans")
    }

    /// A path within the folder, as the manifest writes it.
    #[must_use]
    pub fn relative(&self, path: &Path) -> String {
        path.strip_prefix(&self.out).unwrap_or(path).to_string_lossy().into_owned()
    }
}

fn part_name(part: u32) -> String {
    format!("part-{part:05}.parquet")
}
