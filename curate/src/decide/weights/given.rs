//! Weights as they are written, one for each source.

use std::collections::BTreeMap;

use super::{Components, SourceWeights, Weights, WeightsRecipe};
use crate::{error::Result, files::Text};

impl WeightsRecipe for BTreeMap<Text, f64> {
    fn plan(&self, components: &Components<'_>) -> Result<Weights> {
        let mut weights = BTreeMap::new();
        for (source, weight) in self {
            if *weight <= 0.0 || !weight.is_finite() {
                return Err(components.files.fault(source.span(), "a weight is above 0").into());
            }
            weights.insert(components.named(source)?, *weight);
        }
        Ok(Weights::of(weights))
    }
}

/// Shares that add up to 1.
impl SourceWeights for BTreeMap<String, f64> {
    fn sources(&self) -> Vec<String> {
        self.keys().cloned().collect()
    }

    fn follow_sizes(&self) -> bool {
        false
    }

    fn shares(&self, _: &BTreeMap<String, u64>) -> BTreeMap<String, f64> {
        self.clone()
    }

    fn description(&self) -> String {
        let shares = self.iter().map(|(source, share)| format!("{source} {:.1} %", share * 100.0));
        shares.collect::<Vec<_>>().join(", ")
    }
}
