//! Weights that others have published.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use schemas::toml_file::Spanned;
use serde::Deserialize;

use super::{Components, Weights, WeightsRecipe};
use crate::{
    error::Result,
    files::{Text, list},
};

/// Weights that others have published, by the names that they gave to the components.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PublishedRecipe {
    /// Whose weights.
    pub table: PublishedTable,
    /// The source of each component. Components that are not named are left out, and the others share their part by their weights.
    #[schemars(with = "BTreeMap<String, String>")]
    pub components: BTreeMap<Text, Text>,
}

/// A table of weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PublishedTable {
    /// GPT-3: `common_crawl`, `webtext2`, `books1`, `books2` and `wikipedia` (Brown et al. 2020, table 2.2).
    Gpt3,
    /// `GLaM`: `webpages`, `wikipedia`, `conversations`, `forums`, `books` and `news` (Du et al. 2022, table 3).
    Glam,
}

impl PublishedTable {
    /// Each component and its weight, as published.
    #[must_use]
    pub fn weights(self) -> &'static [(&'static str, f64)] {
        match self {
            // they are rounded, and add up to 1.01
            Self::Gpt3 => {
                &[("common_crawl", 0.60), ("webtext2", 0.22), ("books1", 0.08), ("books2", 0.08), ("wikipedia", 0.03)]
            }
            Self::Glam => &[
                ("webpages", 0.42),
                ("wikipedia", 0.06),
                ("conversations", 0.28),
                ("forums", 0.02),
                ("books", 0.20),
                ("news", 0.02),
            ],
        }
    }
}

impl WeightsRecipe for Spanned<PublishedRecipe> {
    fn plan(&self, components: &Components<'_>) -> Result<Weights> {
        let PublishedRecipe { table, components: of } = self.get_ref();
        let table = table.weights();
        let mut weights: BTreeMap<String, f64> = BTreeMap::new();
        for (component, source) in of {
            let Some((_, weight)) = table.iter().find(|(known, _)| known == component.get_ref()) else {
                let known: Vec<&str> = table.iter().map(|(known, _)| *known).collect();
                let message = format!("there is no component `{}`; there are {}", component.get_ref(), list(&known));
                return Err(components.files.fault(component.span(), message).into());
            };
            // two components may be of one source
            *weights.entry(components.named(source)?).or_default() += weight;
        }
        Ok(Weights::of(weights))
    }
}
