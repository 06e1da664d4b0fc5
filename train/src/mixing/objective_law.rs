//! What laws say of an objective: one law for each domain that it depends on.

use rayon::prelude::*;

use super::{
    law::{Law, LawKind},
    runs::{Objective, Runs},
};

/// A law of each domain, and what they say of an objective together.
#[derive(Debug, Clone)]
pub struct ObjectiveLaw {
    objective: Objective,
    /// Of the domains that the objective depends on, in their order.
    laws: Vec<Law>,
}

impl ObjectiveLaw {
    /// Fits a law of one form to each domain of some runs.
    #[must_use]
    pub fn fit(kind: LawKind, runs: &Runs, objective: &Objective) -> Self {
        let domains = objective.domains(runs.domains.len());
        let fit = |domain: usize| Law::fit(kind, &runs.weights, &runs.of_domain(domain));
        Self { objective: objective.clone(), laws: domains.into_par_iter().map(fit).collect() }
    }

    /// The loss that is expected on each domain that the objective depends on.
    ///
    /// - `weights`: `[sources]`
    #[must_use]
    pub fn losses(&self, weights: &[f64]) -> Vec<f64> {
        self.laws.iter().map(|law| law.predict(weights)).collect()
    }

    /// What is expected of the objective.
    ///
    /// - `weights`: `[sources]`
    #[must_use]
    pub fn predict(&self, weights: &[f64]) -> f64 {
        let each = self.laws.iter().map(|law| law.predict(weights));
        match self.objective {
            Objective::Worst => each.fold(f64::NEG_INFINITY, f64::max),
            Objective::Mean | Objective::Domain(_) => each.sum::<f64>() / self.laws.len() as f64,
        }
    }
}
