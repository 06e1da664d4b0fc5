//! What each source gives to a mixture: weights, a budget, and limits on repeats.
//!
//! Weights are shares of a budget. A source whose share is larger than what it has is repeated, up to the recipe's limit;
//! one whose share is smaller gives the documents whose draws come first, as long as their sizes fit.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::MixtureRule;

/// What budgets are counted in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Bytes of UTF-8.
    #[default]
    Bytes,
    /// Words.
    Words,
    /// Tokens of `[facts.tokens]`.
    Tokens,
    /// Documents, or examples of tasks.
    Documents,
}

impl Unit {
    /// Its name for people.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Bytes => "bytes",
            Self::Words => "words",
            Self::Tokens => "tokens",
            Self::Documents => "documents",
        }
    }
}

/// How much of a mixture is of each source.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Weights {
    /// Shares that add up to 1.
    Shares(BTreeMap<String, f64>),
    /// As much as each has, up to a cap, brought closer to each other by a temperature: of a source with `n`, `min(n, cap)^(1 / temperature)`
    /// parts (Raffel et al. 2020, section 3.5.2; Wei et al. 2021 cap at 3,000 examples).
    Proportional {
        /// The sources.
        of: Vec<String>,
        /// The most that counts of a source.
        cap: Option<u64>,
        /// 1 leaves the sizes as they are, infinity makes all alike.
        temperature: f64,
    },
}

impl Weights {
    /// The sources, in the order of their names.
    #[must_use]
    pub fn sources(&self) -> Vec<String> {
        match self {
            Self::Shares(shares) => shares.keys().cloned().collect(),
            Self::Proportional { of, .. } => of.clone(),
        }
    }

    /// The share of each source, by what each has to train on.
    #[must_use]
    pub fn shares(&self, sizes: &BTreeMap<String, u64>) -> BTreeMap<String, f64> {
        match self {
            Self::Shares(shares) => shares.clone(),
            Self::Proportional { of, cap, temperature } => {
                let part = |source: &String| {
                    let size = sizes.get(source).copied().unwrap_or_default().min(cap.unwrap_or(u64::MAX));
                    if size == 0 { 0.0 } else { (size as f64).powf(1.0 / temperature) }
                };
                let whole: f64 = of.iter().map(part).sum();
                of.iter().map(|source| (source.clone(), if whole > 0.0 { part(source) / whole } else { 0.0 })).collect()
            }
        }
    }
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

/// The largest whole of which a source has to give no more than it may. The least of all sources' is what a mixture without a budget has.
///
/// - `size`: what the source has
/// - `max_epochs`: how often it may be repeated
/// - `weight`: its share of the whole, above 0
#[must_use]
pub fn largest_whole(size: u64, max_epochs: f64, weight: f64) -> f64 {
    size as f64 * max_epochs / weight
}

/// How much of a source's training split is taken.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Share {
    /// What was asked for, as a share of the whole.
    pub weight: f64,
    /// The same in the budget's unit.
    pub asked: u64,
    /// What the source has to train on.
    pub available: u64,
    /// How often every document is taken.
    pub epochs: u64,
    /// The size of what is taken once more.
    pub remainder: u64,
    /// Whether taking half a document more than the remainder would pass the limit on epochs.
    pub strict: bool,
}

/// What each source gives.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Budget {
    /// The share of each source.
    pub shares: BTreeMap<String, Share>,
}

impl Budget {
    /// Divides a budget by weight. A share is cut off at the limit on epochs.
    ///
    /// - `whole`: the budget; as much as the limits allow where there is none
    /// - `sizes`: what each source has to train on
    /// - `max_epochs`: how often a source may be repeated, 1 or more
    #[must_use]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "sizes are far below 2^53")]
    pub fn divide(
        weights: &Weights,
        whole: Option<u64>,
        sizes: &BTreeMap<String, u64>,
        max_epochs: &BTreeMap<String, f64>,
    ) -> Self {
        let limit = |source: &String| max_epochs.get(source).copied().unwrap_or(1.0);
        let size = |source: &String| sizes.get(source).copied().unwrap_or_default();
        let most = |source: &String| size(source) as f64 * limit(source);
        let shares = weights.shares(sizes);
        let whole = whole.map_or_else(
            // the largest whole of which no source has to give more than it may
            || {
                let wanted = shares.iter().filter(|(_, weight)| **weight > 0.0);
                let wholes = wanted.map(|(source, weight)| largest_whole(size(source), limit(source), *weight));
                let largest = wholes.fold(f64::INFINITY, f64::min);
                if largest.is_finite() { largest } else { 0.0 }
            },
            |whole| whole as f64,
        );
        let share = |(source, weight): (&String, &f64)| {
            let available = size(source);
            let asked = (whole * weight).round() as u64;
            let given = asked.min(most(source).floor() as u64);
            let epochs = given.checked_div(available).unwrap_or_default();
            let strict = (epochs + 1) as f64 > limit(source);
            let remainder = given - epochs * available;
            (source.clone(), Share { weight: *weight, asked, available, epochs, remainder, strict })
        };
        Self { shares: shares.iter().map(share).collect() }
    }
}

/// What was asked of each source of a mixture, and what it gives: `decisions/mixture-NAME.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MixtureAccount {
    /// The mixture.
    pub mixture: String,
    /// What sizes are counted in.
    pub unit: Unit,
    /// Each source of the training split.
    pub sources: BTreeMap<String, SourceAccount>,
}

/// What was asked of a source, and what it gives to the training split.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceAccount {
    /// The share that was asked for.
    pub weight: f64,
    /// What that is of the budget.
    pub asked: u64,
    /// What the source has.
    pub available: u64,
    /// How often it may be repeated.
    pub max_epochs: f64,
    /// What it gives, repeats counted.
    pub given: u64,
}

impl SourceAccount {
    /// How often it is repeated; none for a source that has nothing.
    #[must_use]
    pub fn epochs(&self) -> Option<f64> {
        (self.available > 0).then(|| self.given as f64 / self.available as f64)
    }
}

impl MixtureAccount {
    /// The account of a mixture whose sources give so much.
    #[must_use]
    pub fn new(rule: &MixtureRule, budget: &Budget, given: &BTreeMap<String, u64>) -> Self {
        let of_source = |(source, share): (&String, &Share)| {
            let account = SourceAccount {
                weight: share.weight,
                asked: share.asked,
                available: share.available,
                max_epochs: rule.max_epochs.get(source).copied().unwrap_or(1.0),
                given: given.get(source).copied().unwrap_or_default(),
            };
            (source.clone(), account)
        };
        let sources = budget.shares.iter().map(of_source).collect();
        Self { mixture: rule.name.clone(), unit: rule.unit, sources }
    }

    /// The share that a source has of what all give; none where they give nothing.
    #[must_use]
    pub fn reached(&self, source: &str) -> Option<f64> {
        let whole: u64 = self.sources.values().map(|account| account.given).sum();
        let given = self.sources.get(source).map_or(0, |account| account.given);
        (whole > 0).then(|| given as f64 / whole as f64)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn table<T: Copy>(values: &[(&str, T)]) -> BTreeMap<String, T> {
        values.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect()
    }

    fn divide(weights: &[(&str, f64)], whole: Option<u64>, epochs: f64) -> Budget {
        let weights = table(weights);
        let limits = weights.keys().map(|source| (source.clone(), epochs)).collect();
        Budget::divide(&Weights::Shares(weights), whole, &table(&[("web", 1000), ("books", 100)]), &limits)
    }

    #[test]
    fn a_small_source_is_repeated_up_to_the_limit() {
        let budget = divide(&[("web", 0.5), ("books", 0.5)], Some(800), 2.5);
        let (web, books) = (budget.shares["web"], budget.shares["books"]);
        assert_eq!((web.epochs, web.remainder, web.asked, web.strict), (0, 400, 400, false));
        assert_eq!((books.epochs, books.remainder, books.asked, books.strict), (2, 50, 400, true));
    }

    #[test]
    fn without_a_budget_the_scarcest_source_sets_it() {
        let budget = divide(&[("web", 0.8), ("books", 0.2)], None, 1.0);
        let (web, books) = (budget.shares["web"], budget.shares["books"]);
        assert_eq!((books.epochs, books.remainder, books.asked), (1, 0, 100));
        assert_eq!((web.epochs, web.remainder, web.asked), (0, 400, 400));
    }

    /// T5's and FLAN's rates: a cap, then a root.
    #[test]
    fn rates_follow_sizes_up_to_a_cap() {
        let of = vec!["large".to_owned(), "small".to_owned(), "none".to_owned()];
        let sizes = table(&[("large", 30_000), ("small", 250), ("none", 0)]);
        let flan = Weights::Proportional { of: of.clone(), cap: Some(3000), temperature: 1.0 }.shares(&sizes);
        assert!((flan["large"] - 3000.0 / 3250.0).abs() < 1e-12 && (flan["small"] - 250.0 / 3250.0).abs() < 1e-12);
        assert!(flan["none"].abs() < 1e-12);
        let flat = Weights::Proportional { of, cap: None, temperature: 2.0 }.shares(&sizes);
        assert!((flat["large"] / flat["small"] - 120f64.sqrt()).abs() < 1e-9);
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

    proptest! {
        /// No source gives more than its limit allows, whatever is asked.
        #[test]
        fn no_limit_is_passed(size in 1u64..10_000, whole in 1u64..100_000, epochs in 1.0f64..4.0) {
            let weights = Weights::Shares(table(&[("web", 1.0)]));
            let budget = Budget::divide(&weights, Some(whole), &table(&[("web", size)]), &table(&[("web", epochs)]));
            let share = budget.shares["web"];
            let given = share.epochs * size + share.remainder;
            prop_assert!(given as f64 <= size as f64 * epochs && given <= whole);
            // half a document more than the remainder is at most one epoch more
            prop_assert!(share.strict || (share.epochs + 1) as f64 <= epochs);
        }
    }
}
