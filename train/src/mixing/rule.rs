//! Weights by a rule: the better a small model becomes by a source alone, the more of it there is.
//!
//! Of a source whose run alone reached a loss `l`, exp(-z) parts, where z is `l` less the mean of all, in standard deviations.
//!
//! Source: Du et al. 2022 (`GLaM`), section 3, who set weights by how components fare in a smaller model, hold small ones back from being
//! repeated, and publish no formula; the one here is that of `curate`'s `measured`.

use super::{Bounds, Objective, Runs};
use crate::metrics::mean;

/// The least share of a source in a run that counts as that source alone.
const ALONE: f64 = 0.9;

/// The weights that follow from runs on one source each, within bounds.
///
/// # Errors
/// When there is no such run of a source: its name.
pub fn weights_by_rule(runs: &Runs, objective: &Objective, bounds: &Bounds) -> Result<Vec<f64>, String> {
    let loss_alone = |source: usize| {
        let mut alone: Option<usize> = None;
        for run in 0..runs.count() {
            let share = |run: usize| runs.weights[run][source];
            if share(run) >= ALONE && alone.is_none_or(|best| share(run) > share(best)) {
                alone = Some(run);
            }
        }
        alone.map(|run| objective.of(&runs.losses[run])).ok_or_else(|| runs.sources[source].clone())
    };
    let losses = (0..runs.sources.len()).map(loss_alone).collect::<Result<Vec<f64>, String>>()?;
    let middle = mean(&losses);
    let deviation = mean(&losses.iter().map(|loss| (loss - middle).powi(2)).collect::<Vec<_>>()).sqrt();
    let part = |loss: &f64| if deviation > 0.0 { (-(loss - middle) / deviation).exp() } else { 1.0 };
    let parts: Vec<f64> = losses.iter().map(part).collect();
    let sum: f64 = parts.iter().sum();
    Ok(bounds.nearest(&parts.iter().map(|part| part / sum).collect::<Vec<_>>()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn better_sources_weigh_more() {
        let mut runs = Runs {
            sources: vec!["books".into(), "web".into()],
            domains: vec!["all".into()],
            weights: vec![vec![0.5, 0.5], vec![0.95, 0.05], vec![0.02, 0.98]],
            losses: vec![vec![1.0], vec![3.0], vec![4.0]],
            ..Runs::default()
        };
        let bounds = |most: f64| Bounds { least: vec![0.0; 2], most: vec![most, 1.0], prior: vec![0.5; 2], kl: 0.0 };
        let weights = weights_by_rule(&runs, &Objective::Mean, &bounds(1.0)).expect("each source has a run");
        assert!((weights[0] / weights[1] - 2f64.exp()).abs() < 1e-6, "two deviations apart: {weights:?}");
        let held = weights_by_rule(&runs, &Objective::Mean, &bounds(0.3)).expect("each source has a run");
        assert!((held[0] - 0.3).abs() < 1e-9, "{held:?}");
        runs.weights[2] = vec![0.2, 0.8];
        assert_eq!(weights_by_rule(&runs, &Objective::Mean, &bounds(1.0)), Err("web".into()));
    }
}
