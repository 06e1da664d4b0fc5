//! How much of a mixture is of each source.
//!
//! ```text
//! a key of [mixture.NAME] -> Weights -> shares, by what each source has
//! ```
//!
//! The keys are listed here, and what they become; each stands in a file of its own.
//!
//! Useful for: shares of a budget. Not useful for: budgets, and limits on repeats; see [`super::Budget`].

mod given;
mod measured;
mod proportional;
mod published;

use std::collections::BTreeMap;

use schemas::toml_file::TomlError;
use serde::{Deserialize, Serialize};

use crate::{
    error::Result,
    files::{NamedFiles, Text, list},
};

pub use measured::{MeasuredRecipe, measured_shares};
pub use proportional::{ProportionalRecipe, ProportionalWeights};
pub use published::{PublishedRecipe, PublishedTable};

/// How much of a mixture is of each source.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Weights {
    /// Shares that add up to 1.
    Shares(BTreeMap<String, f64>),
    /// Shares by size.
    Proportional(ProportionalWeights),
}

/// Puts the keys that say weights, of which a mixture has one, before its others.
macro_rules! with_weights {
    ($(#[$derive:meta])* pub struct $recipe:ident { $($others:tt)* }) => {
        /// A mixture: documents of sources, or examples of tasks in the words of their templates. One of `weights`, `published`, `proportional` and
        /// `measured` says how much of it is of each.
        $(#[$derive])*
        pub struct $recipe {
            /// The weight of each source or task, above 0.
            #[schemars(with = "Option<std::collections::BTreeMap<String, f64>>")]
            pub weights: Option<std::collections::BTreeMap<$crate::files::Text, f64>>,
            /// Weights that others have published.
            #[schemars(with = "Option<crate::decide::weights::PublishedRecipe>")]
            pub published: Option<schemas::toml_file::Spanned<$crate::decide::weights::PublishedRecipe>>,
            /// Weights by size.
            #[schemars(with = "Option<crate::decide::weights::ProportionalRecipe>")]
            pub proportional: Option<schemas::toml_file::Spanned<$crate::decide::weights::ProportionalRecipe>>,
            /// Weights by how well models fare on each source.
            #[schemars(with = "Option<crate::decide::weights::MeasuredRecipe>")]
            pub measured: Option<schemas::toml_file::Spanned<$crate::decide::weights::MeasuredRecipe>>,
            $($others)*
        }

        impl $recipe {
            /// The keys that say weights, and what the mixture has of them.
            #[must_use]
            pub fn weights(&self) -> [(&'static str, Option<&dyn $crate::decide::weights::WeightsRecipe>); 4] {
                use $crate::decide::weights::said;
                [
                    ("weights", self.weights.as_ref().map(said)),
                    ("published", self.published.as_ref().map(said)),
                    ("proportional", self.proportional.as_ref().map(said)),
                    ("measured", self.measured.as_ref().map(said)),
                ]
            }
        }
    };
}

pub(crate) use with_weights;

/// Weights as a recipe says them.
pub trait WeightsRecipe {
    /// The weights that are asked for.
    ///
    /// # Errors
    /// When they are none, or are of something that does not exist.
    fn plan(&self, components: &Components<'_>) -> Result<Weights>;
}

/// What a key says, whatever kind of weights that is.
pub(crate) fn said(weights: &impl WeightsRecipe) -> &dyn WeightsRecipe {
    weights
}

/// What a mixture may be made of.
#[derive(Debug)]
pub struct Components<'a> {
    /// The names of sources and tasks.
    pub names: Vec<&'a str>,
    /// The files that the recipe names.
    pub files: &'a NamedFiles<'a>,
}

impl Components<'_> {
    /// The name of a source or a task that exists.
    ///
    /// # Errors
    /// When it does not.
    pub fn named(&self, name: &Text) -> Result<String, TomlError> {
        if self.names.contains(&name.get_ref().as_str()) {
            return Ok(name.get_ref().clone());
        }
        let message = format!("there is no source or task `{}`; there are {}", name.get_ref(), list(&self.names));
        Err(self.files.fault(name.span(), message))
    }
}

/// What weights are of, and the shares that follow.
trait SourceWeights {
    /// The sources, in the order of their names.
    fn sources(&self) -> Vec<String>;

    /// Whether the shares follow from what each source has.
    fn follow_sizes(&self) -> bool;

    /// The share of each source, by what each has to train on.
    fn shares(&self, sizes: &BTreeMap<String, u64>) -> BTreeMap<String, f64>;

    /// The weights for people.
    fn description(&self) -> String;
}

impl Weights {
    fn kind(&self) -> &dyn SourceWeights {
        match self {
            Self::Shares(shares) => shares,
            Self::Proportional(weights) => weights,
        }
    }

    /// Shares in proportion to weights above 0.
    #[must_use]
    pub fn of(weights: BTreeMap<String, f64>) -> Self {
        let sum: f64 = weights.values().sum();
        Self::Shares(weights.into_iter().map(|(source, weight)| (source, weight / sum)).collect())
    }

    /// The sources, in the order of their names.
    #[must_use]
    pub fn sources(&self) -> Vec<String> {
        self.kind().sources()
    }

    /// Whether the shares follow from what each source has: what has nothing then has no share.
    #[must_use]
    pub fn follow_sizes(&self) -> bool {
        self.kind().follow_sizes()
    }

    /// The share of each source, by what each has to train on.
    #[must_use]
    pub fn shares(&self, sizes: &BTreeMap<String, u64>) -> BTreeMap<String, f64> {
        self.kind().shares(sizes)
    }

    /// How much is of each source, for people.
    #[must_use]
    pub fn description(&self) -> String {
        self.kind().description()
    }
}
