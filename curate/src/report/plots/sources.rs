//! Sources and their colours, which are the same in every chart of a page.

use std::collections::BTreeMap;

use pages::charts::{Colour, SERIES};
use schemas::ledger::{Ledger, is_mixture_stage};

/// The sources of a run, those of the most records first, then those that stand in mixtures alone.
pub struct Sources(Vec<String>);

impl Sources {
    pub fn of(ledger: &Ledger) -> Self {
        let mut records: BTreeMap<&str, u64> = BTreeMap::new();
        for entry in ledger.stages.iter().filter(|entry| !is_mixture_stage(&entry.stage)) {
            records.entry(&entry.source).or_insert(entry.r#in);
        }
        for entry in &ledger.mixtures {
            records.entry(&entry.source).or_default();
        }
        let mut sources: Vec<(&str, u64)> = records.into_iter().collect();
        sources.sort_by_key(|(source, records)| (u64::MAX - records, *source));
        Self(sources.into_iter().map(|(source, _)| source.to_owned()).collect())
    }

    /// The colour of a source; those behind the first share one.
    pub fn colour(&self, source: &str) -> Colour {
        let place = self.0.iter().take(SERIES).position(|other| other == source);
        place.map_or(Colour::Dropped, Colour::Series)
    }
}

#[cfg(test)]
mod tests {
    use schemas::ledger::{MixtureEntry, StageEntry};

    use super::*;

    #[test]
    fn the_largest_source_has_the_first_colour() {
        let stage = |stage: &str, source: &str, records| StageEntry {
            stage: stage.to_owned(),
            source: source.to_owned(),
            r#in: records,
            ..StageEntry::default()
        };
        let mut ledger = Ledger::default();
        ledger.stages.extend([stage("read", "books", 10), stage("read", "web", 90), stage("rule", "web", 8)]);
        ledger.stages.extend((0..9).map(|number| stage("read", &format!("small-{number}"), 1)));
        ledger.mixtures.push(MixtureEntry { source: "sums".to_owned(), ..MixtureEntry::default() });
        let sources = Sources::of(&ledger);
        let colours = ["web", "books", "small-0", "small-8", "sums"].map(|source| sources.colour(source));
        let series = [0, 1, 2].map(Colour::Series);
        assert_eq!(colours, [series[0], series[1], series[2], Colour::Dropped, Colour::Dropped]);
    }
}
