//! Runs on mixtures, and what is wanted of them.

/// Runs: the weights of sources of each, and the loss that it reached on each domain.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Runs {
    /// Names of sources.
    pub sources: Vec<String>,
    /// Names of domains.
    pub domains: Vec<String>,
    /// `[runs, sources]`, shares that add up to 1.
    pub weights: Vec<Vec<f64>>,
    /// `[runs, domains]`: at the end of each run.
    pub losses: Vec<Vec<f64>>,
    /// `[runs, domains, evaluations]`: before the end, in their order; empty where nothing is known but the end.
    pub curves: Vec<Vec<Vec<f64>>>,
}

impl Runs {
    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.weights.len()
    }

    /// The losses of all runs on one domain.
    #[must_use]
    pub fn of_domain(&self, domain: usize) -> Vec<f64> {
        self.losses.iter().map(|losses| losses[domain]).collect()
    }

    /// Some of the runs, by their numbers.
    #[must_use]
    pub fn some(&self, numbers: &[usize]) -> Self {
        fn of<T: Clone>(rows: &[T], numbers: &[usize]) -> Vec<T> {
            numbers.iter().filter_map(|number| rows.get(*number).cloned()).collect()
        }
        Self {
            sources: self.sources.clone(),
            domains: self.domains.clone(),
            weights: of(&self.weights, numbers),
            losses: of(&self.losses, numbers),
            curves: of(&self.curves, numbers),
        }
    }
}

/// What weights are chosen for: less is better.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Objective {
    /// The mean loss over all domains.
    Mean,
    /// The loss on the domain where it is highest.
    Worst,
    /// The loss on one domain, by its number.
    Domain(usize),
}

impl Objective {
    /// The objective of the losses on all domains.
    #[must_use]
    pub fn of(&self, losses: &[f64]) -> f64 {
        match self {
            Self::Mean => losses.iter().sum::<f64>() / losses.len() as f64,
            Self::Worst => losses.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            Self::Domain(domain) => losses[*domain],
        }
    }

    /// The domains that it depends on.
    #[must_use]
    pub fn domains(&self, count: usize) -> Vec<usize> {
        match self {
            Self::Mean | Self::Worst => (0..count).collect(),
            Self::Domain(domain) => vec![*domain],
        }
    }
}
