//! What a model goes by: its largest weights, with words for features.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::set::TrainingSet;
use crate::learn::{card::Weight, classifier::Classifier, document::Label, features::Features};

/// Weights that the card shows, of either sign.
const SHOWN: usize = 20;

impl TrainingSet<'_> {
    /// What weighs most, on either side. Words are those that most often stand behind a feature.
    pub fn largest_weights(&self, classifier: &Classifier) -> Vec<Weight> {
        if let Some(model) = classifier.statistics() {
            let mut all: Vec<Weight> = model
                .weights()
                .map(|(name, weight)| Weight { name: name.to_owned(), weight, in_positives: None, in_negatives: None })
                .collect();
            all.sort_by(|one, other| other.weight.total_cmp(&one.weight));
            return all;
        }
        let Some(model) = classifier.hashed() else { return vec![] };
        let wanted: Vec<(u32, f64)> =
            [true, false].into_iter().flat_map(|of_reference| model.largest(of_reference, SHOWN)).collect();
        let count = |label: Label| self.learned.iter().filter(|(document, _)| document.label == label).count() as f64;
        let mut words: HashMap<u32, BTreeMap<String, u64>> =
            wanted.iter().map(|(feature, _)| (*feature, BTreeMap::new())).collect();
        let mut has: HashMap<(u32, Label), f64> = HashMap::new();
        let mut buffer = Features::default();
        for (document, text) in &self.learned {
            let mut seen = BTreeSet::new();
            model.features().each_ngram(text, &mut buffer, |ngram, feature| {
                if let Some(names) = words.get_mut(&feature) {
                    match names.get_mut(ngram) {
                        Some(times) => *times += 1,
                        None => drop(names.insert(ngram.to_owned(), 1)),
                    }
                    seen.insert(feature);
                }
            });
            seen.into_iter().for_each(|feature| *has.entry((feature, document.label)).or_default() += 1.0);
        }
        let share = |feature: u32, label: Label| {
            let share = has.get(&(feature, label)).copied().unwrap_or_default() / count(label);
            // no share of nothing
            share.is_finite().then(|| (share * 1e6).round() / 1e6)
        };
        wanted
            .iter()
            .map(|(feature, weight)| Weight {
                name: (words[feature].iter())
                    .max_by(|one, other| one.1.cmp(other.1).then(other.0.cmp(one.0)))
                    .map(|(name, _)| name.clone())
                    .unwrap_or_default(),
                weight: *weight,
                in_positives: share(*feature, Label::Positive),
                in_negatives: share(*feature, Label::Negative),
            })
            .collect()
    }
}
