//! What a recipe asks of the families of facts.

use std::collections::BTreeMap;

use super::{FactsRecipe, FamilyConfig};
use crate::{
    files::{NamedFiles, Text},
    source::BenchmarkRecipe,
};

/// All that families follow from: each takes of it what it needs.
#[derive(Debug)]
pub struct Asked<'a> {
    /// How facts are measured.
    pub facts: &'a FactsRecipe,
    /// What documents must not hold.
    pub benchmarks: &'a BTreeMap<Text, BenchmarkRecipe>,
    /// What steps read.
    pub needs: &'a [Need],
    /// The files that the recipe names.
    pub files: &'a NamedFiles<'a>,
}

/// A family that a step reads, whether `[facts]` says something of it or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Need {
    /// The family of this name, as the recipe configures it.
    Named(&'static str),
    /// A family whose configuration follows from the step.
    Configured(FamilyConfig),
}

impl Asked<'_> {
    /// Whether a step reads the family of this name, as the recipe configures it.
    #[must_use]
    pub fn needs(&self, name: &str) -> bool {
        self.needs.iter().any(|need| matches!(need, Need::Named(found) if *found == name))
    }

    /// The configurations that follow from steps.
    pub fn configured(&self) -> impl Iterator<Item = &FamilyConfig> {
        self.needs.iter().filter_map(|need| match need {
            Need::Configured(config) => Some(config),
            Need::Named(_) => None,
        })
    }
}
