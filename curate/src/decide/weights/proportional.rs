//! Weights by size.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use schemas::toml_file::{Spanned, TomlError};
use serde::{Deserialize, Serialize};

use super::{Components, SourceWeights, Weights, WeightsRecipe};
use crate::{error::Result, files::Text};

/// Weights by size: of a source with `n`, `min(n, cap)^(1 / temperature)` parts.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProportionalRecipe {
    /// The sources or tasks.
    #[schemars(with = "Vec<String>")]
    pub of: Vec<Text>,
    /// The most that counts of each, in the budget's unit. FLAN takes 3,000 examples.
    pub cap: Option<u64>,
    /// 1 leaves sizes as they are; the higher, the more alike the weights. T5 and mT5 tried 2 to 8, and 3.3.
    #[serde(default = "one_degree")]
    pub temperature: f64,
}

/// Parts as they are.
pub fn one_degree() -> f64 {
    1.0
}

/// Checks a temperature, which is said at a place.
///
/// # Errors
/// When it is not above 0.
pub fn check_temperature<T>(temperature: f64, said: &Spanned<T>, components: &Components<'_>) -> Result<(), TomlError> {
    if temperature > 0.0 { Ok(()) } else { Err(components.files.fault(said.span(), "`temperature` is above 0")) }
}

impl WeightsRecipe for Spanned<ProportionalRecipe> {
    fn plan(&self, components: &Components<'_>) -> Result<Weights> {
        let ProportionalRecipe { of, cap, temperature } = self.get_ref();
        check_temperature(*temperature, self, components)?;
        let mut of = of.iter().map(|source| components.named(source)).collect::<Result<Vec<_>, _>>()?;
        of.sort();
        of.dedup();
        Ok(Weights::Proportional(ProportionalWeights { of, cap: *cap, temperature: *temperature }))
    }
}

/// As much as each has, up to a cap, brought closer to each other by a temperature: of a source with `n`, `min(n, cap)^(1 / temperature)`
/// parts (Raffel et al. 2020, section 3.5.2; Wei et al. 2021 cap at 3,000 examples).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProportionalWeights {
    /// The sources.
    pub of: Vec<String>,
    /// The most that counts of a source.
    pub cap: Option<u64>,
    /// 1 leaves the sizes as they are, infinity makes all alike.
    pub temperature: f64,
}

impl SourceWeights for ProportionalWeights {
    fn sources(&self) -> Vec<String> {
        self.of.clone()
    }

    fn follow_sizes(&self) -> bool {
        true
    }

    fn shares(&self, sizes: &BTreeMap<String, u64>) -> BTreeMap<String, f64> {
        let Self { of, cap, temperature } = self;
        let part = |source: &String| {
            let size = sizes.get(source).copied().unwrap_or_default().min(cap.unwrap_or(u64::MAX));
            if size == 0 { 0.0 } else { (size as f64).powf(1.0 / temperature) }
        };
        let whole: f64 = of.iter().map(part).sum();
        of.iter().map(|source| (source.clone(), if whole > 0.0 { part(source) / whole } else { 0.0 })).collect()
    }

    fn description(&self) -> String {
        match self.of.as_slice() {
            [one] => one.clone(),
            of => format!("{} by size", of.join(", ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table<T: Copy>(values: &[(&str, T)]) -> BTreeMap<String, T> {
        values.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect()
    }

    /// T5's and FLAN's rates: a cap, then a root.
    #[test]
    fn rates_follow_sizes_up_to_a_cap() {
        let of = vec!["large".to_owned(), "small".to_owned(), "none".to_owned()];
        let sizes = table(&[("large", 30_000), ("small", 250), ("none", 0)]);
        let flan = ProportionalWeights { of: of.clone(), cap: Some(3000), temperature: 1.0 }.shares(&sizes);
        assert!((flan["large"] - 3000.0 / 3250.0).abs() < 1e-12 && (flan["small"] - 250.0 / 3250.0).abs() < 1e-12);
        assert!(flan["none"].abs() < 1e-12);
        let flat = ProportionalWeights { of, cap: None, temperature: 2.0 }.shares(&sizes);
        assert!((flat["large"] / flat["small"] - 120f64.sqrt()).abs() < 1e-9);
    }
}
