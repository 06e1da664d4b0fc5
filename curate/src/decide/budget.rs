//! What each source gives to a mixture: weights, a budget, and limits on repeats.
//!
//! Weights are shares of a budget. A source whose share is larger than what it has is repeated, up to the recipe's limit;
//! one whose share is smaller gives the documents whose draws come first, as long as their sizes fit.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{MixtureRule, Weights};

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
