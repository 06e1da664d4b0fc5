//! What the report shows, gathered from what a run left on disk.
//!
//! Everything here is bounded, whatever the run's size: counts by bins, names up to a number, and documents drawn by hash, whose texts
//! alone are read.

mod clusters;
mod draws;
mod faults;
mod files;
mod mixtures;
mod population;
mod steps;
mod texts;
mod work;

use std::collections::{BTreeMap, BTreeSet};

use schemas::{ledger::Ledger, manifest::Manifest};

pub use clusters::{Clusters, Pair};
pub use files::{Means, RunFiles};
pub use population::{BeforeAfter, Population, Sizes};
pub use steps::{Drawn, Fate, Group, SCORE_BINS, Scores, Step};
pub use texts::Text;
pub use work::Work;

use crate::{
    decide::{Contamination, MixtureAccount},
    error::Result,
    files::{Quarantined, read_json},
    learn::Card,
};

/// Fates whose documents are shown, at most; of more, those of the most documents.
const MOST_GROUPS: usize = 40;

/// Everything that the report shows.
#[derive(Debug)]
pub struct Findings {
    pub manifest: Manifest,
    pub ledger: Ledger,
    pub population: Population,
    pub steps: Vec<Step>,
    pub cards: Vec<Card>,
    pub clusters: Option<Clusters>,
    pub contaminations: Vec<Contamination>,
    pub mixtures: Vec<MixtureAccount>,
    pub faults: Vec<(String, Quarantined)>,
    pub work: Vec<Work>,
    /// The texts of documents that were drawn, by id.
    pub texts: BTreeMap<String, Text>,
}

impl Findings {
    /// All that a report shows.
    pub async fn gather(files: &RunFiles) -> Result<Self> {
        let mut findings = Self::without_texts(files).await?;
        findings.leave_out_groups();
        let drawn = findings.steps.iter().flat_map(|step| &step.groups).flat_map(|group| &group.drawn);
        let mut ids: BTreeSet<String> = drawn.map(|drawn| drawn.id.clone()).collect();
        let pairs = findings.clusters.iter().flat_map(|clusters| &clusters.pairs);
        ids.extend(pairs.flat_map(|pair| [pair.first.clone(), pair.second.clone()]));
        findings.texts = texts::texts(files, &ids).await?;
        Ok(findings)
    }

    /// The figures alone.
    pub async fn without_texts(files: &RunFiles) -> Result<Self> {
        let layout = &files.layout;
        let stages = files.stages();
        let mut steps = Vec::new();
        let mut contaminations = Vec::new();
        for stage in stages.iter().filter(|stage| **stage != "read") {
            steps.push(Step::gather(files, stage).await?);
            let [account, _] = layout.contamination(stage);
            if account.is_file() {
                contaminations.push(read_json(&account)?);
            }
        }
        let mut cards = Vec::new();
        for name in files.manifest.recipe["classifier"].as_object().into_iter().flat_map(|table| table.keys()) {
            cards.push(read_json(&layout.model(name).join("card.json"))?);
        }
        Ok(Self {
            manifest: files.manifest.clone(),
            ledger: files.ledger.clone(),
            population: Population::gather(files).await?,
            steps,
            cards,
            clusters: Clusters::gather(files).await?,
            contaminations,
            mixtures: mixtures::mixtures(files)?,
            faults: faults::faults(layout, files.manifest.seed)?,
            work: work::work(layout, &stages),
            texts: BTreeMap::new(),
        })
    }

    /// Forgets the documents of the smallest groups, where there are more than can be shown.
    fn leave_out_groups(&mut self) {
        self.forget_but(MOST_GROUPS);
    }

    /// Forgets the documents of the smaller half of the groups that have any. Returns whether there were such.
    pub fn forget_half(&mut self) -> bool {
        let groups = self.steps.iter().flat_map(|step| &step.groups).filter(|group| !group.drawn.is_empty()).count();
        self.forget_but(groups / 2);
        groups > 0
    }

    /// Forgets the documents of all groups but the largest.
    fn forget_but(&mut self, most: usize) {
        let groups = self.steps.iter_mut().flat_map(|step| &mut step.groups);
        let mut groups: Vec<&mut Group> = groups.filter(|group| !group.drawn.is_empty()).collect();
        groups.sort_by(|one, other| (other.documents, &one.fate).cmp(&(one.documents, &other.fate)));
        groups.into_iter().skip(most).for_each(|group| group.drawn.clear());
    }

    /// How many documents are shown.
    pub fn shown(&self) -> usize {
        self.steps.iter().flat_map(|step| &step.groups).map(|group| group.drawn.len()).sum()
    }
}
