//! Weights by how well models fare on each source.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use schemas::toml_file::{Spanned, TomlFile};
use serde::Deserialize;

use super::{
    Components, Weights, WeightsRecipe,
    proportional::{check_temperature, one_degree},
};
use crate::{
    error::Result,
    files::{Text, read_json},
};

/// Weights by score: `exp(z / temperature)` parts, where `z` is a component's score less their mean, in standard deviations. Or those of `train mix`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MeasuredRecipe {
    /// A file with one JSON object: the score of each source or task.
    #[schemars(with = "Option<String>")]
    pub scores: Option<Text>,
    /// In place of `scores`: the `weights.toml` of `train mix`, whose weights are taken as they are.
    #[schemars(with = "Option<String>")]
    pub weights: Option<Text>,
    /// Whether the scores are losses, of which less is better.
    #[serde(default)]
    pub losses: bool,
    /// The lower, the more the best weigh.
    #[serde(default = "one_degree")]
    pub temperature: f64,
}

impl WeightsRecipe for Spanned<MeasuredRecipe> {
    fn plan(&self, components: &Components<'_>) -> Result<Weights> {
        let MeasuredRecipe { scores, weights, losses, temperature } = self.get_ref();
        check_temperature(*temperature, self, components)?;
        let file = match (scores, weights) {
            (Some(file), None) => file,
            (None, Some(file)) if !losses && (*temperature - one_degree()).abs() < f64::EPSILON => {
                return fitted_weights(file, components);
            }
            (None, Some(file)) => {
                let message = "`losses` and `temperature` are of `scores`; weights are taken as they are";
                return Err(components.files.fault(file.span(), message).into());
            }
            _ => {
                let message = "it has either `scores`, or the `weights` of `train mix`";
                return Err(components.files.fault(self.span(), message).into());
            }
        };
        let path = components.files.file(file)?;
        let scores: BTreeMap<String, f64> = read_json(&path)?;
        if let Some(unknown) = scores.keys().find(|name| !components.names.contains(&name.as_str())) {
            let message = format!("{} scores `{unknown}`, which is no source and no task", path.display());
            return Err(components.files.fault(file.span(), message).into());
        }
        if let Some((name, score)) = scores.iter().find(|(_, score)| !score.is_finite()) {
            let message = format!("{} gives `{name}` the score {score}", path.display());
            return Err(components.files.fault(file.span(), message).into());
        }
        Ok(Weights::Shares(measured_shares(&scores, *losses, *temperature)))
    }
}

/// What `train mix` writes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FittedWeights {
    weights: BTreeMap<String, f64>,
}

/// The weights of a file that `train mix` has written.
fn fitted_weights(file: &Text, components: &Components<'_>) -> Result<Weights> {
    let path = components.files.file(file)?;
    let FittedWeights { weights } = TomlFile::read(&path)?.parse(&[])?;
    let fault = |message: String| components.files.fault(file.span(), format!("{}: {message}", path.display()));
    if let Some(unknown) = weights.keys().find(|name| !components.names.contains(&name.as_str())) {
        return Err(fault(format!("`{unknown}` is no source and no task")).into());
    }
    if let Some((name, weight)) = weights.iter().find(|(_, weight)| !(weight.is_finite() && **weight > 0.0)) {
        return Err(fault(format!("the weight of `{name}` is above 0, and not {weight}")).into());
    }
    if weights.is_empty() {
        return Err(fault("it has no weight".into()).into());
    }
    Ok(Weights::of(weights))
}

/// The weights that follow from how well models fare on each component: of a component with score `s`, `exp(z / temperature)` parts, where `z`
/// is `s` less the mean of all scores, divided by their standard deviation. Components that score alike weigh alike; with a temperature of 1
/// a component one deviation better has 2.7 times the weight. The limit on epochs keeps small ones from being repeated for it.
///
/// `GLaM` (Du et al. 2022, section 3) set its weights by how small models fared on each component, and publishes no formula.
///
/// - `scores`: of each component; higher is better, unless `losses`
/// - returns: shares that add up to 1
#[must_use]
pub fn measured_shares(scores: &BTreeMap<String, f64>, losses: bool, temperature: f64) -> BTreeMap<String, f64> {
    let count = scores.len().max(1) as f64;
    let mean = scores.values().sum::<f64>() / count;
    let deviation = (scores.values().map(|score| (score - mean).powi(2)).sum::<f64>() / count).sqrt();
    let sign = if losses { -1.0 } else { 1.0 };
    let part = |score: f64| {
        let standard = if deviation > 0.0 { sign * (score - mean) / deviation } else { 0.0 };
        (standard / temperature).exp()
    };
    let whole: f64 = scores.values().map(|score| part(*score)).sum();
    scores.iter().map(|(source, score)| (source.clone(), part(*score) / whole)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table<T: Copy>(values: &[(&str, T)]) -> BTreeMap<String, T> {
        values.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect()
    }

    #[test]
    fn better_components_weigh_more() {
        let scores = table(&[("web", 3.0), ("books", 1.0)]);
        let shares = measured_shares(&scores, false, 1.0);
        assert!((shares["web"] / shares["books"] - 2f64.exp()).abs() < 1e-9, "two deviations apart: {shares:?}");
        let losses = measured_shares(&scores, true, 1.0);
        assert!((losses["books"] - shares["web"]).abs() < 1e-12);
        let alike = measured_shares(&table(&[("web", 2.0), ("books", 2.0)]), false, 1.0);
        assert!((alike["web"] - 0.5).abs() < 1e-12);
    }
}
