//! Which facts a step reads.

use crate::measure::Family;

/// Facts that a step reads. They are made because it does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Facts<'a> {
    /// A family that needs no configuration, or has it from the recipe's `[facts]`: by its name.
    Named(&'static str),
    /// A family whose configuration is the step's.
    Shaped {
        /// The family.
        family: Family,
        /// The step's key that shapes it. All steps of a recipe that read the family agree on that.
        by: &'static str,
    },
    /// The scores of a classifier: by its name.
    Score(&'a str),
}

impl Facts<'_> {
    /// Counts of words, lines and signs, which every recipe measures.
    pub const WORDS: Self = Self::Named("words");

    /// The family that the step shapes, where it does.
    #[must_use]
    pub fn shaped(&self) -> Option<&Family> {
        match self {
            Self::Shaped { family, .. } => Some(family),
            Self::Named(_) | Self::Score(_) => None,
        }
    }
}
