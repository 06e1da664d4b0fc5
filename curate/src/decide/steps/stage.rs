//! A step's place in a run: what comes to it, and what it reads.

use datafusion::{common::internal_datafusion_err, error::Result};
use serde::Serialize;

use super::{DecontaminationRule, Facts, SubstringDedup};
use crate::{
    decide::Tables,
    measure::{Family, FamilyConfig},
};

/// A step's place in a run.
#[derive(Clone, Copy)]
pub struct Stage<'a> {
    /// The files of the run.
    pub tables: Tables<'a>,
    /// The stage's name.
    pub name: &'a str,
    /// The stage before, whose documents come to this one.
    pub before: &'a str,
    /// The sources that the step applies to.
    pub sources: &'a [String],
    /// The recipe's seed.
    pub seed: u64,
    /// The families of facts that the step reads.
    pub families: &'a [Family],
    /// What was searched for before the verdicts.
    pub found: &'a Found,
}

impl Stage<'_> {
    /// A family that the step reads.
    ///
    /// # Errors
    /// When the run has not made it.
    pub fn facts(&self, facts: &Facts<'_>) -> Result<&Family> {
        match facts {
            Facts::Named(name) => self.family(name),
            Facts::Shaped { family, .. } => self.family(&family.name),
            Facts::Score(_) => self.score(),
        }
    }

    /// The same by the family's name.
    fn family(&self, name: &str) -> Result<&Family> {
        let found = self.families.iter().find(|family| family.name == name);
        found.ok_or_else(|| internal_datafusion_err!("the step reads the facts `{name}`, which are not there"))
    }

    /// The scores that the step reads.
    ///
    /// # Errors
    /// See [`Stage::facts`].
    pub fn score(&self) -> Result<&Family> {
        let found = self.families.iter().find(|family| matches!(family.config, FamilyConfig::Score(_)));
        found.ok_or_else(|| internal_datafusion_err!("the step reads scores, which are not there"))
    }
}

/// What a step needs to know of all documents before it can judge one. A run searches for it first.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Search {
    /// Substrings that stand in more than one place; they are published as the stage's substrings.
    Substrings(SubstringDedup),
    /// The shape of a Pareto draw that leaves scores like those of the classifier's reference.
    Alpha,
    /// N-grams of benchmarks that stand in so many documents that they are no contamination.
    CommonNgrams(DecontaminationRule),
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub enum Found {
    /// Nothing that the verdicts do not read from files.
    Nothing,
    /// The shape of a Pareto draw.
    Alpha(f64),
    /// N-grams that are left alone, sorted.
    CommonNgrams(Vec<u64>),
}
